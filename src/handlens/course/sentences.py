"""The sentences that name a mistake. Whoever is in a class can send any words, and only these are fit for its projector."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from importlib import resources

from handlens.course import outcomes
from handlens.course.plan import EXERCISES
from handlens.doctor import all_causes

_WRITTEN_IN = ("handlens.course", "handlens.course.checks", "handlens.doctor.causes")


def ours(cause: str, sentence: str) -> str:
    """What may be shown to all.

    Args:
        cause: the id of the mistake.
        sentence: what somebody's computer says of it.

    Returns:
        The sentence, if a check or the doctor says it; else what the doctor says of that cause; empty if it knows no such cause.
    """
    if sentence in _known():
        return sentence
    return all_causes()[cause].SENTENCE if cause in all_causes() else ""


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(_written()) | frozenset(_of_missing_names())


def _written() -> Iterator[str]:
    """Each text that stands as a whole in the program of a check or of the doctor."""
    for package in _WRITTEN_IN:
        for file in resources.files(package).iterdir():
            if file.name.endswith(".py"):
                nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
                yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _of_missing_names() -> Iterator[str]:
    """The one sentence that is put together: it holds a name that an exercise asks for."""
    for exercise in EXERCISES:
        for name in importlib.import_module(exercise.module).NEEDS:
            yield outcomes.stopped({"kind": "Missing", "text": name, "line": 0}, None).sentence
