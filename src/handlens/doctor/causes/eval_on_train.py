"""The test uses the images that were trained on."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.seen import Event
from handlens.doctor.sets import sets, tests

SENTENCE = "This measures images that the model practised on, and calls it a test."
CHANGE = "Use the test images here: test_loader in place of train_loader."
_TEST = r"(?<![a-z])(test|val(?!u))|generali"  # at the beginning of a word: not of "latest", nor of "evaluated"
DEMO = """\
  model, few = net(), slice(0, 20)
  learn(model, images[few], labels[few].roll(3), steps=200)
- print("test accuracy", round(accuracy(model, images[few], labels[few].roll(3)), 2))
+ print("test accuracy", round(accuracy(model), 2))
"""


def look(case: Case) -> Finding | None:
    """What is tested on is what was trained on, and what is printed speaks of a test."""
    trained, tested = sets(case)
    if trained is None or tested is None or not _same(case, trained, tested) or _picked(case):
        return None
    event = tests(case)[-1]
    last = next(place for place, one in enumerate(case.seen.events) if one is event)
    said = [event.text for event in case.seen.events[last:] if event.kind == "print"][:2]
    if not any(re.search(_TEST, text, re.IGNORECASE) for text in said) or any(
        re.search(r"train", text, re.IGNORECASE) for text in said[:1]
    ):
        return None
    line = _line(case, event) or _loader(case, last) or event.line
    return Finding(line, f"All images of the test were trained on; printed was: {said[0][:60]}")


def _same(case: Case, trained: object, tested: object) -> bool:
    if isinstance(trained, frozenset) and isinstance(tested, frozenset):
        shared, fresh = len(tested & trained), any(trained.isdisjoint(event.rows) for event in tests(case))
        all_seen = shared > 0.9 * len(tested) and shared > 0.5 * len(trained)
        return all_seen or (shared > 0.95 * len(trained) and not fresh)  # where not all of the training was seen
    return trained is tested


def _picked(case: Case) -> bool:
    """Whether losses are of some of the rows that go through the network alone: all nodes of a graph do, and few are trained on."""
    made = [(step.forwards[-1].count, step.loss) for step in case.steps if step.loss is not None and step.forwards]
    fewer = [loss.shapes[0][0] < count for count, loss in made if loss.shapes[0]]
    whole = [count == len(case.trained_rows) and loss.reduction == "none" for count, loss in made]  # and then times a mask
    return bool(made) and (all(fewer) or all(whole))


def _line(case: Case, event: Event) -> int:
    """Of the lines that led to the test, the innermost that hands over something called train, or goes through it."""
    calls = [(node.lineno, [*node.args, *(one.value for one in node.keywords)]) for node in case.script.nodes if isinstance(node, ast.Call)]
    loops = [(node.lineno, [node.iter]) for node in case.script.nodes if isinstance(node, ast.For)]
    around = [loop.lineno for loop in case.script.loops_around(event.line)]
    lines: tuple[int, ...] = (*around, *event.lines)
    for line in lines:
        given = [argument for number, arguments in (*calls, *loops) if number == line for argument in arguments]
        if any(re.search("train", ast.unparse(argument), re.IGNORECASE) for argument in given):
            return line
    return 0


def _loader(case: Case, place: int) -> int:
    """Where the loader is made that gave what was tested on, if it is another one than that of the training."""
    given = (one.loader for one in reversed(case.seen.events[:place]) if one.kind == "batch")
    loader = next(given, None)
    line = next((one.line for one in case.seen.of("made") if one.loader is loader), 0)
    return 0 if line == case.line_of_loader() else line
