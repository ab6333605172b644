"""`Finding`, and the causes: each is a module of `handlens.doctor.causes`, and its name is the id."""

from __future__ import annotations

import html
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from handlens.doctor.endings import in_words
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.doctor.case import Case

SYNTAX = "syntax"  # the one mistake that is found before the program runs
_NO_BACKWARD = "No backward pass was seen, so there was little to look at."
_LATE = "If its training comes later: let it load fewer images, or leave out what is slow, for this."
SURE = 0.95
LIKELY = 0.8
POSSIBLE = 0.6
NOTE = 0.3  # worth a word, and no mistake
OF_SCORES = (  # of two that are equally sure, what is only about how a network is tested, stored or shown comes after what its training has
    *("accuracy_broadcast", "accuracy_wrong_denominator", "argmax_wrong_dim", "augment_on_test", "confusion_axes_swapped", "eval_on_train"),
    *("fresh_model_evaluated", "full_model_pickle", "label_off_by_one", "load_result_assigned", "loss_tensor_kept", "missing_eval"),
    *("missing_no_grad", "own_digit_inverted", "own_digit_rgb", "state_dict_alias", "stats_reset_in_loop", "strict_false"),
    *("train_test_leak", "train_test_preprocess_mismatch", "tuned_on_test"),
)
NOT_LEARNING = ("dead_relu", "lr_too_high", "lr_too_low", "vanishing_sigmoid")  # what is seen too, whatever keeps a network from learning


@dataclass(frozen=True)
class Finding:
    """What a cause saw.

    Attributes:
        line: of the program; 0 if it stands nowhere.
        evidence: what was measured, in words with its number.
        sure: 0 to 1.
        sentence, change: in place of those of the cause, where the numbers of this program say more.
    """

    line: int
    evidence: str
    sure: float = SURE
    sentence: str = ""
    change: str = ""


class Cause(Protocol):
    """A module with a mistake that learners make.

    Attributes:
        SENTENCE: what it is, in at most 25 words.
        CHANGE: the one thing to try.
        DEMO: lines of code with it and without it; see `demo.Demo`.
        EXPLAINS: other causes that are seen because of this one, and are then not told.
    """

    __name__: str
    SENTENCE: str
    CHANGE: str
    DEMO: str
    EXPLAINS: tuple[str, ...]

    def look(self, case: Case) -> Finding | None:
        """The mistake in this program, if it is there."""


@dataclass(frozen=True)
class Measured:
    """A probe: what it is called, what it gave, and what is usual."""

    name: str
    number: str
    usual: str


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What is wrong with a training.

    Attributes:
        causes: ids, the likeliest first; empty if nothing was found.
        sentence, change, line, evidence: of the first one.
        place: the file, or the cell of a notebook, in which that line stands.
        code: the text of that line.
        notes: what is no mistake, and worth a word.
        checked: the ids of all causes that were looked for.
        seconds: how long it took, the start of the program included.
        findings: all that was seen, by id, with what was measured.
        unasked: causes that could not be looked for, because an exception was raised in that; id and exception.
        failure: the exception that ended the program, if one did; its line is then `line`, if no cause says better.
        after_cut: an exception that ended the program after its loops were cut short, if no cause says better: it may come of that.
        stopped: the line at which the program was ended for its time; 0 if it ended by itself.
        losses: the training losses that were seen, the first and the last.
        steps: how many steps of its training were seen.
        measured: the number of each probe, with what is usual; only if it was asked for.
    """

    causes: tuple[str, ...] = ()
    sentence: str = ""
    change: str = ""
    line: int = 0
    evidence: str = ""
    place: str = ""
    code: str = ""
    notes: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    seconds: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)
    unasked: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    after_cut: str = ""
    stopped: int = 0
    losses: tuple[float, ...] = ()
    steps: int = 0
    measured: tuple[Measured, ...] = ()

    def __repr__(self) -> str:
        return "\n".join(self._mistake() if self.causes else self._nothing())

    def _mistake(self) -> list[str]:
        where = ["", *self._there()] if self.line else []
        others = ["", f"Then look at: {', '.join(self.causes[1:4])}."] if len(self.causes) > 1 else []
        tried = [f"Seen   {self.evidence}", f"Try    {self.change}"]
        more = [f"More   handlens doctor --explain {self.causes[0]}"] if self.causes[0] != SYNTAX else []
        return [self.sentence, *where, "", *tried, *others, *more]

    def _there(self) -> list[str]:
        return [f"  {self.place}:{self.line}   {self.code}"] if self.line else []

    def _nothing(self) -> list[str]:
        if self.failure:
            first, *rest = in_words(self.failure, self.line, self.code, trained=bool(self.losses))
            return [first, *self._there(), *rest]
        if self.stopped and not self.losses:
            return [f"I saw no training. The program was ended after some seconds, and was at line {self.stopped} then.", _LATE]
        fell = (
            [f"In {counted(self.steps, 'step')} the loss went from {self.losses[0]:.3g} to {self.losses[1]:.3g}."]
            if self.losses
            else [_NO_BACKWARD]
        )
        return ["I found nothing wrong.", *fell, *self._ended()]

    def _ended(self) -> list[str]:
        if not self.after_cut:
            return []
        return [
            "After its loops were cut short, it ended with this. That may come of the cut; alone, it may run to its end:",
            f"  {self.after_cut}",
        ]

    def _repr_html_(self) -> str:
        first, *rest = str(self).splitlines()
        return f"<p><b>{html.escape(first)}</b></p><pre>{html.escape(chr(10).join(rest).strip(chr(10)))}</pre>"


@cache
def all_causes() -> dict[str, Cause]:
    """All causes by id."""
    from handlens.doctor import causes as package

    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}


def conclude(case: Case, asked: Sequence[str] = ()) -> Diagnosis:
    """Ask these causes, or all, and put what they see in order: those that explain others before them, the surer before the less sure."""
    found: dict[str, Finding] = {}
    unasked: dict[str, str] = {}
    known = {name: all_causes()[name] for name in asked} if asked else all_causes()
    for name, cause in known.items():
        try:
            finding = cause.look(case)
        except Exception as error:  # a probe that fails on a program of an unknown kind is no answer, and no reason to end
            unasked[name] = f"{type(error).__name__}: {error}"
            continue
        if finding is not None:
            found[name] = finding
    explained = _explained(found)
    told = in_order(found)
    notes = tuple(name for name, finding in found.items() if finding.sure <= NOTE and name not in explained)
    said = Diagnosis(notes=notes, checked=tuple(known), findings=found, unasked=unasked, **_facts(case))
    if not told:
        return said
    first, cause = found[told[0]], all_causes()[told[0]]
    return replace(
        said,
        causes=tuple(told),
        sentence=first.sentence or cause.SENTENCE,
        change=first.change or cause.CHANGE,
        evidence=first.evidence,
        **_where(case, first.line),
    )


def in_order(found: Mapping[str, Finding]) -> list[str]:
    """The mistakes among what was seen, the one to be told first at the beginning; what another one explains is left out."""
    mistakes = [name for name, finding in found.items() if finding.sure > NOTE]
    explained = _explained(found)
    told = [name for name in mistakes if name not in explained] or mistakes  # two that explain each other do not silence both
    return sorted(told, key=lambda name: (-found[name].sure, name in OF_SCORES, name))


def _explained(found: Mapping[str, Finding]) -> set[str]:
    return {other for name, finding in found.items() if finding.sure > NOTE for other in getattr(all_causes()[name], "EXPLAINS", ())}


def _where(case: Case, line: int) -> dict[str, Any]:
    place, number = case.script.place(line)
    return {"line": number, "place": place if line else "", "code": case.script.line(line)}


def _facts(case: Case) -> dict[str, Any]:
    failure, losses = case.failure, case.losses
    said = f"{failure.kind}: {failure.text}"[:2000] if failure else ""
    cut = case.seen.shortened
    where = _where(case, failure.line if failure else 0)
    return {
        "failure": "" if cut else said,
        "after_cut": "{place}:{line}   {code}   {said}".format(**where, said=said.splitlines()[0]) if cut and said else "",
        **(_where(case, 0) if cut else where),
        "stopped": case.script.place(case.seen.stopped_at)[1],
        "losses": (losses[0], losses[-1]) if losses else (),
        "steps": len(case.steps) + case.seen.dropped,
    }
