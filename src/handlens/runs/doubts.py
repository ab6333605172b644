"""Labels that look wrong to somebody who saw what a run made of the images. The data stay as they are; this is in the run's folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from handlens import files
from handlens.errors import RunDamaged
from handlens.runs.run import Run
from handlens.runs.written import read_json, write_json

FILE = "doubts.json"
_PATIENCE_S = 10.0
_SPLIT = re.compile(r"[a-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Doubt:
    """A label that looks wrong.

    Attributes:
        split: which images: `test`, `val`, `mine`.
        index: the place of the image among them, from 0.
        image: the sha256 of its pixels, since one's own digits may change their places.
        label: what it is called.
        predicted: what the run calls it.
    """

    split: str
    index: int
    image: str
    label: str
    predicted: str


def load_doubts(run: Run) -> list[Doubt]:
    """The labels that were doubted, the oldest doubt first.

    Raises:
        RunDamaged: the file of doubts is not what it should be.
    """
    return _read(run.folder)


def save_doubt(run: Run, doubt: Doubt) -> list[Doubt]:
    """Remember that a label looks wrong; once, however often it is said.

    Raises:
        RunBusy: somebody else takes very long to do so.
        RunDamaged, FileError: it cannot be read, or not be written.
    """
    return _rewrite(run.folder, lambda found: [*(one for one in found if not _is_same(one, doubt)), doubt])


def take_back_doubt(run: Run, doubt: Doubt) -> list[Doubt]:
    """Forget it again; `HandlensError` as above."""
    return _rewrite(run.folder, lambda found: [one for one in found if not _is_same(one, doubt)])


def _is_same(one: Doubt, other: Doubt) -> bool:
    return (one.split, one.image, one.label) == (other.split, other.image, other.label)


def _rewrite(folder: Path, change: Callable[[list[Doubt]], list[Doubt]]) -> list[Doubt]:
    with files.lock(folder / f"{FILE}.lock", wait_s=_PATIENCE_S):
        found = change(_read(folder))
        write_json(folder / FILE, {"doubts": [asdict(doubt) for doubt in found]})
    return found


def _read(folder: Path) -> list[Doubt]:
    if not (folder / FILE).exists():
        return []
    entries = read_json(folder / FILE).get("doubts")
    if not isinstance(entries, list) or not all(map(_fits, entries)):
        raise RunDamaged(f"'{FILE}' does not say which labels are doubted.", where=str(folder / FILE), hint="Move it away.")
    return [Doubt(**entry) for entry in entries]


def _fits(entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {field.name for field in fields(Doubt)}:
        return False
    texts = [entry[name] for name in ("split", "image", "label", "predicted")]
    return all(isinstance(text, str) for text in texts) and bool(_SPLIT.fullmatch(entry["split"])) and type(entry["index"]) is int
