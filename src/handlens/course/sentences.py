"""The sentences that name a mistake. Whoever is in a class can send any words, and only these are fit for its projector."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from importlib import resources
from itertools import zip_longest

_WRITTEN_IN = ("handlens.course", "handlens.course.checks", "handlens.doctor.causes")
_PUT_IN = "(.{1,40})"  # a number or a name, in a sentence of ours
_MOST_PUT_IN, _FEWEST_WORDS = 2, 4


def for_all(sentence: str) -> str:
    """What may be shown to all of a sentence that somebody's computer says.

    Returns:
        The sentence, if a check or the doctor says it, with … in place of names that stand in none of them; empty if it is another one.
    """
    if sentence in _whole():
        return sentence
    for parts in _with_gaps():
        if found := re.fullmatch(_PUT_IN.join(map(re.escape, parts)), sentence):
            shown = (word if word in _whole() or word.replace(".", "").isdecimal() else "…" for word in found.groups())
            return "".join(part + word for part, word in zip_longest(parts, shown, fillvalue=""))
    return ""


@functools.cache
def _whole() -> frozenset[str]:
    """Each text that stands in the programs of the checks and of the doctor."""
    return frozenset(node.value for node in _nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str))


@functools.cache
def _with_gaps() -> tuple[tuple[str, ...], ...]:
    """The same of those into which something is put: what stands around the gaps."""
    found = {_around(node) for node in _nodes() if isinstance(node, ast.JoinedStr)}
    return tuple(parts for parts in found if len(parts) - 1 <= _MOST_PUT_IN and len(" ".join(parts).split()) >= _FEWEST_WORDS)


def _around(text: ast.JoinedStr) -> tuple[str, ...]:
    gap = "\0"
    return tuple("".join(str(one.value) if isinstance(one, ast.Constant) else gap for one in text.values).split(gap))


@functools.cache
def _nodes() -> tuple[ast.AST, ...]:
    return tuple(node for text in _programs() for node in ast.walk(ast.parse(text)))


def _programs() -> Iterator[str]:
    for package in _WRITTEN_IN:
        for file in resources.files(package).iterdir():
            if file.name.endswith(".py"):
                yield file.read_text(encoding="utf-8")
