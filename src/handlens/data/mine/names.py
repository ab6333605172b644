"""Which digit a picture is of, from what its folder or its file is called."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import NamedTuple

_WORDS = "zero one two three four five six seven eight nine".split()
_DIGIT = re.compile(rf"(?:digits?|numbers?|class|label)?(?:([0-9])|({'|'.join(_WORDS)})s?)")
_COUNTED = set("img image photo foto pic picture scan screenshot dsc file page sheet drawing sketch untitled canvas paint copy".split())
"""After one of these a number says how many there are, not what is drawn: `photo 3.jpg`."""


class Found(NamedTuple):
    """The label that a name gives, and how (`folder` or `name`); or None, and why not."""

    label: int | None
    how: str


def label_of(path: PurePath) -> Found:
    """The label of a picture: from its nearest folder that has one (`7/a.png`, `seven/a.png`), else from its name (`7_a.png`, `a-7.png`).

    Where a name begins and ends with a digit, the first counts: `7_3.png` is the third seven.
    """
    folder = next((label for above in path.parents if (label := _digit(above.name)) is not None), None)
    if folder is not None:
        return Found(folder, "folder")
    words = [word for word in re.split(r"[\W_]+", path.stem.lower()) if word]
    first, last = (_digit(words[0]), _digit(words[-1])) if words else (None, None)
    if first is not None:
        return Found(first, "name")
    if last is not None and not _COUNTED & set(words):
        return Found(last, "name")
    return Found(None, _why_not(path, last))


def _digit(word: str) -> int | None:
    found = _DIGIT.fullmatch(re.sub(r"[\W_]+", "", word.lower()))
    if not found:
        return None
    return int(found[1]) if found[1] else _WORDS.index(found[2])


def _why_not(path: PurePath, last: int | None) -> str:
    if last is not None:
        return f"the {last} in its name may only count the pictures"
    numbers = [word for word in (path.parent.name, path.stem) if word.isdecimal()]
    if numbers:
        return f"{numbers[0]} is no digit from 0 to 9"
    return "neither its name nor its folder's says which digit it is"
