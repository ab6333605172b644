"""The model card: what a trained network is, how good, and what it is not for, in Markdown; every number measured or read from the run.

The idea is that of Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from handlens import analysis, models
from handlens.analysis.robustness import CHANGES, Robustness
from handlens.config import FIELDS
from handlens.data import DATASETS
from handlens.errors import HandlensError
from handlens.evaluation import Evaluation
from handlens.export.parcel import shared
from handlens.report.recipe import repeat_command
from handlens.runs import Run, preparation_of
from handlens.words import counted

EXAMPLES = 300
"""Images for the robustness table: enough for three points up or down, and quick."""

_WORST = 3


def make_card(run: Run, more: str = "", *, examples: int = EXAMPLES) -> str:
    """The card of a run; it is measured for it where its data are here.

    Args:
        run: the run.
        more: sections about what only its maker knows, in Markdown, put before those on use.
        examples: how many test images are changed for the robustness table.

    Raises:
        RunDamaged, ModelError: its weights or network cannot be had.
    """
    sections = (_what(run), _learned(run), _recipe(run), *_measured(run, examples), more.strip(), _not_for(run), _again(run))
    return "\n\n".join(filter(None, (f"# Model card: {_plain(run.name)}", *sections))) + "\n"


def _what(run: Run) -> str:
    model, about = run.model(), run.about
    shape = "x".join(map(str, about.image_shape))
    entry = run.pointer.entry(run.default_checkpoint)
    prepared = "found as ink, scaled and centred as MNIST's digits are" if preparation_of(run.config, about).ink else "cut and scaled to it"
    learning = counted(models.count_parameters(model), "parameter that learns", "parameters that learn")
    return "\n".join(
        (
            f"- **Network**: `{shared(run.config).model}`, {learning}.",
            f"- **It takes** images of {shape} (channels, height, width), raw pixels from 0 to 255; pictures are {prepared} first.",
            f"- **It says** one of {counted(len(about.classes), 'class', 'classes')}: {_plain(', '.join(about.classes))}.",
            f"- **Weights**: of epoch {entry.epoch}, sha256 `{entry.sha256}`.",
            f"- **Made**: {about.created or 'nobody wrote when'}, with handlens {run.env.get('handlens', 'of an unknown version')}.",
        )
    )


def _learned(run: Run) -> str:
    about = run.about
    rows = []
    for name in about.learned or (run.config.data,):
        known = DATASETS.get(name)
        rows.append((name, known.description, known.licence) if known else (name, "images of its maker's own", "its maker knows"))
    kept = f"{run.config.val:.0%} of the training images were kept apart to watch by" if run.config.val else "No image was kept apart"
    some = f" It learned from {run.config.examples:,} of them." if run.config.examples else ""
    known_by = f" Fingerprint of the images: `{about.data_fingerprint[:16]}`." if about.data_fingerprint else ""
    return _section(
        "What it learned from", _table(("data", "what", "licence"), rows), f"{kept}; test images were not learned from.{some}{known_by}"
    )


def _recipe(run: Run) -> str:
    idle = models.idle_knobs(run.config.model) | {"threads"}
    changed = {name: value for name, value in shared(run.config).changes().items() if name not in idle}
    rows = [(f"`{name}`", _shown(value), FIELDS[name].description or "") for name, value in changed.items()]
    done = f"{run.pointer.entry(run.default_checkpoint).epoch} of {counted(run.config.epochs, 'epoch')}."
    return _section("Recipe", _table(("knob", "value", "what it does"), rows), f"All other knobs are at their defaults. {done}")


def _measured(run: Run, examples: int) -> tuple[str, ...]:
    """What it scores, where the images are here."""
    with contextlib.suppress(HandlensError):
        evaluation = run.evaluate("test")
        robust = analysis.robustness(run.model(), run.split("test"), examples=examples, ink=run.dataset().ink)
        return _scores(evaluation), _robustness(robust)
    return (_section("How good it is", "Not measured on the test images: they cannot be had here."),)


def _scores(found: Evaluation) -> str:
    low, high = found.interval
    confused = [f"{pair.true} for {pair.predicted} ({pair.count})" for pair in found.most_confused(_WORST)]
    worst = sorted(zip(found.classes, found.per_class, strict=True), key=lambda pair: pair[1].recall)[:_WORST]
    rows = [
        ("right", f"{found.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%}"),
        ("loss (cross-entropy)", f"{found.loss:.4f}"),
        ("calibration error (ECE)", f"{found.ece:.4f}: so far its probabilities are from the share that is right"),
        ("classes found least", ", ".join(f"{name} ({score.recall:.1%})" for name, score in worst)),
        ("taken for another most", ", ".join(confused) or "none"),
    ]
    return _section("How good it is", _table((f"on {counted(found.n, f'{found.split} image')}", ""), rows))


def _robustness(found: Robustness) -> str:
    rows = [
        (name, CHANGES[name][2], ", ".join(f"{one.strength:g}: {one.accuracy:.1%}" for one in found.of(name))) for name in found.changes
    ]
    low, high = found.clean.interval
    said = (
        f"{counted(found.clean.n, 'test image')}; unchanged {found.clean.accuracy:.1%} are right (95 % interval {low:.1%} to {high:.1%})."
    )
    return _section("When the images change", _table(("change", "unit", "strength: right"), rows), said)


def _not_for(run: Run) -> str:
    kinds = (
        "letters, several digits in one picture" if set(run.about.classes) == {*"0123456789"} else "things of other kinds than its classes"
    )
    return _section(
        "Not to be used for",
        f"- {kinds[0].upper()}{kinds[1:]}: it names one of its classes for whatever it is shown, also for what is none.\n"
        "- Decisions about people, money, health or safety without a person who looks at each answer.\n"
        "- Pictures that differ from those it learned from (other pens, cameras, countries, writers), unless measured on such.\n"
        "- Anything that somebody may try to deceive: it was not tested against images made for that.",
    )


def _again(run: Run) -> str:
    command = repeat_command(shared(run.config))
    env = run.env
    versions = ", ".join(f"{name} {env[name]}" for name in ("python", "torch", "numpy") if env.get(name))
    return _section(
        "How to repeat it",
        f"```bash\n{command}\n```" if command else "Its network or data were given as objects in Python; no command can name them.",
        f"With {versions or 'versions that are not written down'}, on {env.get('device', 'an unknown device')}. "
        "The same versions on the same machine give the same bits; elsewhere about the same accuracy.",
    )


def _section(title: str, *parts: str) -> str:
    return "\n\n".join((f"## {title}", *filter(None, parts)))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; nothing in it can end a cell or begin a tag."""
    if not rows:
        return ""
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows)])


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
