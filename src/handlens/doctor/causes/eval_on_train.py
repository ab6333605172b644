"""The test uses the images that were trained on."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.sets import sets

SENTENCE = "This measures images that the model practised on, and calls it a test."
CHANGE = "Use the test loader."
_TESTS = (
    "test",
    "evaluate",
    "test_model",
    "evaluate_model",
    "eval_model",
    "accuracy",
    "get_accuracy",
    "compute_accuracy",
    "validate",
    "check_accuracy",
)


def look(case: Case) -> Finding | None:
    """What is tested on is what was trained on, and what is printed speaks of a test."""
    trained, tested = sets(case)
    if trained is None or tested is None or not _same(trained, tested):
        return None
    lines = {event.line for event in case.training}
    last = max(
        number for number, event in enumerate(case.seen.events) if event.kind == "forward" and not event.trains and event.line not in lines
    )
    said = [event.text for event in case.seen.events[last:] if event.kind == "print"][:2]
    if not any(re.search(r"test|val|generali", text, re.IGNORECASE) for text in said) or any(
        re.search(r"train", text, re.IGNORECASE) for text in said[:1]
    ):
        return None
    event = case.seen.events[last]
    loops = case.script.loops_around(event.line)
    return Finding(
        _line(case) or (loops[0].lineno if loops else event.line), f"All images of the test were trained on; printed was: {said[0][:60]}"
    )


def _same(trained: object, tested: object) -> bool:
    if isinstance(trained, frozenset) and isinstance(tested, frozenset):
        return len(tested & trained) > 0.9 * len(trained)
    return trained is tested


def _line(case: Case) -> int:
    """Where the test is called with a name that says train."""
    for node in case.script.calls(*_TESTS):
        if any(
            re.search("train", ast.unparse(argument), re.IGNORECASE) for argument in [*node.args, *(one.value for one in node.keywords)]
        ):
            return node.lineno
    return 0
