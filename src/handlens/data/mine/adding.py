"""Pictures on their way into the user's own digits: read, judged, and kept or refused with the reason."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
from PIL import Image

from handlens import files
from handlens.data import folders
from handlens.data.drawing import TOO_LITTLE, TOO_MANY, normalize
from handlens.data.drawing.source import MOST_BYTES, is_strokes
from handlens.data.mine.digits import Digit, OtherLabel, changing, check_label, id_of, place
from handlens.data.mine.names import label_of
from handlens.data.mine.sheet import read_sheet
from handlens.errors import DataError, DataMissing, HandlensError, UsageError

MOST = 10_000
"""So many digits are kept at most."""

_AT_ONCE = 50
_FOR_THE_TEST = 3  # one of so many


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    Attributes:
        name: what it is called, for people.
        digit: the digit that it is; None if it was refused.
        said: why it was refused, or that it was there already; empty if it was kept.
        unlabelled: it was refused because nobody says which digit it is.
        other: it was refused because this digit is the same picture with another label.
    """

    name: str
    digit: Digit | None
    said: str = ""
    unlabelled: bool = False
    other: Digit | None = None

    @property
    def kept(self) -> bool:
        """It is new among the digits."""
        return self.digit is not None and not self.said

    @property
    def doubtful(self) -> bool:
        """It was refused, but would be kept with `anyway`."""
        return self.said == TOO_MANY

    def to_dict(self) -> dict[str, object]:
        """As JSON."""
        return {"name": self.name, "kept": self.kept, "said": self.said, "digit": self.digit and self.digit.to_dict()}


class Doubtful(DataError):
    """A picture that may be more than one digit. It would be kept with `anyway`."""


@dataclass(frozen=True)
class Arrival:
    """A picture that may be kept: what it is called, how to get it, its label, and how that was found; or None, and why there is none."""

    name: str
    get: Callable[[], object]
    label: int | None
    how: str


@dataclass(frozen=True)
class _Ready:
    """A picture that can be kept: a PNG file of what was read, and the strokes as JSON if it came as such."""

    arrival: Arrival
    id: str
    png: bytes
    strokes: str


def add(picture: object, label: object, *, source: str = "", anyway: bool = False) -> Digit:
    """Keep a digit. When this returns it is on the disk, lastingly.

    Args:
        picture: a path, the bytes of a file, an array, or strokes; see `handlens.data.drawing.normalize`. Strokes are kept as such, too.
        label: what it is, 0 to 9.
        source: where it came from, for people; the name of the file if it is one.
        anyway: keep it even if there may be more than one digit in it: the largest then counts.

    Returns:
        The digit; if the same picture was there already, as it was.

    Raises:
        UsageError: that is no label; or (`OtherLabel`) the same picture is there with another one.
        DataError: there is too little ink, or (`Doubtful`) more than one digit; or there is no such picture, or none that can be read.
        RunBusy, FileError: the data folder is in use, or cannot be written.
    """
    name = source or (Path(picture).name if isinstance(picture, str | Path) else "drawn")
    ready = _prepared(Arrival(name, lambda: picture, check_label(label), "given"), anyway=anyway)
    [outcome] = _keep([ready])
    if outcome.digit is None:
        kind = OtherLabel if outcome.other else UsageError
        raise kind(f"The picture is not kept: {outcome.said}.")
    return outcome.digit


def add_pictures(*places: str | Path, label: object = None, anyway: bool = False) -> Iterator[Outcome]:
    """Keep many pictures, in small lots: what an outcome was told of is on the disk, whatever happens later.

    Args:
        places: pictures, folders of them, or zip files of folders; each with its label in the name of its folder or its own
            (`7/a.png`, `7_a.png`, `a-7.png`).
        label: what all of them are, if their names do not say it.
        anyway: as in `add`.

    Yields:
        What became of each picture, in the order of the places and, within a folder, of the names.

    Raises:
        UsageError: that is no label.
        DataMissing: there is no such folder or picture, or no file in a folder.
        RunBusy, DataDamaged, FileError: as in `add`, or a folder cannot be read.
    """
    given = None if label is None else check_label(label)
    with contextlib.ExitStack() as stack:
        arrivals = [arrival for where in map(Path, places) for arrival in _arrivals(where, given, stack)]
        yield from _add_all(arrivals, anyway=anyway)


def add_named(name: str, content: bytes, label: object = None, *, anyway: bool = False) -> Iterator[Outcome]:
    """Keep a picture, or those of a zip file, that came as bytes with a name, as from a browser. No file of that name is looked for.

    Args:
        name: of the file, with its folder if it has one: it may say what the picture is; a zip file's ends with `.zip`.
        content: what is in the file.
        label: as in `add_pictures`.
        anyway: as in `add`.

    Yields, Raises: as `add_pictures`.
    """
    given = None if label is None else check_label(label)
    path = PurePosixPath(name)
    if path.suffix.lower() != ".zip":
        yield from _add_all([_arrival(name, path, lambda: content, given)], anyway=anyway)
        return
    with contextlib.closing(folders.Zip(io.BytesIO(content))) as tree:
        yield from _add_all(_in_tree(tree, path, given), anyway=anyway)


def add_sheet(photo: object, *, anyway: bool = False) -> Iterator[Outcome]:
    """Keep the digits on a photograph of a filled template: row by row, each with the label of its row.

    Args:
        photo: anything `handlens.data.drawing.normalize` takes.
        anyway: as in `add`.

    Yields:
        What became of each cell that is not empty.

    Raises:
        DataError: there is no such picture, it cannot be read, or the template is not found in it.
        RunBusy, FileError: as in `add`.
    """
    name = Path(photo).name if isinstance(photo, str | Path) else "sheet"
    cells = read_sheet(photo).cells
    yield from _add_all(
        (Arrival(f"{name}, row of {cell.label}, cell {cell.column + 1}", cell.get, cell.label, "sheet") for cell in cells), anyway=anyway
    )


def _arrivals(where: Path, label: int | None, stack: contextlib.ExitStack) -> Iterator[Arrival]:
    """The pictures at a place. Files that a system puts beside pictures are passed over."""
    if files.is_file(where) and where.suffix.lower() != ".zip":
        whole = where.absolute()
        yield _arrival(where.name, PurePosixPath(whole.parent.name, whole.name), lambda: where, label)
        return
    yield from _in_tree(stack.enter_context(folders.opened(where)), where.absolute(), label)


def _in_tree(tree: folders.Tree, where: PurePath, label: int | None) -> Iterator[Arrival]:
    names = [name for name in tree.names if not folders.is_junk(PurePosixPath(name).parts)]
    if not names:
        raise DataMissing("There is no picture in this folder.", where=files.printable(str(where), 400))
    for name in names:
        yield _arrival(name, PurePosixPath(where.name) / name, partial(_read, tree, name), label)


def _arrival(name: str, path: PurePosixPath, get: Callable[[], object], label: int | None) -> Arrival:
    found, how = (label, "given") if label is not None else label_of(path)
    return Arrival(files.printable(name), get, found, how)


def _read(tree: folders.Tree, name: str) -> bytes:
    if tree.names[name] > MOST_BYTES:
        raise DataError(f"It has {tree.names[name]:,} bytes; at most {MOST_BYTES:,} are read.")
    return tree.read(name)


def _add_all(arrivals: Iterable[Arrival], *, anyway: bool) -> Iterator[Outcome]:
    lot: list[_Ready | Outcome] = []
    for arrival in arrivals:
        lot.append(_prepared_or_refused(arrival, anyway=anyway))
        if len(lot) == _AT_ONCE:
            yield from _keep(lot)
            lot = []
    yield from _keep(lot)


def _prepared_or_refused(arrival: Arrival, *, anyway: bool) -> _Ready | Outcome:
    if arrival.label is None:
        return Outcome(arrival.name, None, arrival.how, unlabelled=True)
    try:
        return _prepared(arrival, anyway=anyway)
    except HandlensError as error:
        return Outcome(arrival.name, None, error.what[:1].lower() + error.what[1:].removesuffix("."))


def _prepared(arrival: Arrival, *, anyway: bool) -> _Ready:
    picture = arrival.get()
    found = normalize(picture)
    if found.doubt == TOO_LITTLE:
        raise DataError(f"{TOO_LITTLE.capitalize()}.", where=arrival.name, hint="A thicker pen, or a closer picture, helps.")
    if found.doubt == TOO_MANY and not anyway:
        raise Doubtful(TOO_MANY.capitalize(), where=arrival.name, hint="If the largest is meant, insist: --anyway, or anyway=True.")
    pixels = found.stages[0].picture
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return _Ready(arrival, id_of(pixels), file.getvalue(), _as_json(picture) if is_strokes(picture) else "")


def _as_json(strokes: object) -> str:
    return json.dumps([np.asarray(stroke, float).reshape(-1, 2).tolist() for stroke in strokes])  # type: ignore[attr-defined]


def _keep(lot: Iterable[_Ready | Outcome]) -> list[Outcome]:
    """Write the pictures, then, in one step, the table; only then it is said."""
    lot = list(lot)
    if not any(isinstance(one, _Ready) for one in lot):
        return [one for one in lot if isinstance(one, Outcome)]
    with changing() as kept:
        known = {digit.id: digit for digit in kept}
        outcomes = []
        for one in lot:
            outcome = one if isinstance(one, Outcome) else _enter(one, known)
            if outcome.kept and outcome.digit:
                known[outcome.digit.id] = outcome.digit
                kept.append(outcome.digit)
            outcomes.append(outcome)
    return outcomes


def _enter(ready: _Ready, known: dict[str, Digit]) -> Outcome:
    name, label = ready.arrival.name, ready.arrival.label or 0
    if same := known.get(ready.id):
        _write(ready)  # should its picture be lost, it is there again
        if same.label == label:
            return Outcome(name, same, "there already")
        said = f"it is there as a {same.label}; if it is a {label}: handlens mine label {same.id} {label}"
        return Outcome(name, None, said, other=same)
    if len(known) >= MOST:
        return Outcome(name, None, f"there are {MOST:,} digits, and more are not kept")
    _write(ready)
    added = time.strftime("%Y-%m-%d %H:%M:%S")
    return Outcome(name, Digit(ready.id, label, _part(label, known), ready.arrival.how, added, name))


def _write(ready: _Ready) -> None:
    for suffix, content in (("json", ready.strokes), ("png", ready.png)):
        if content and not place(ready.id, suffix).exists():
            files.write_atomic(place(ready.id, suffix), content)


def _part(label: int, known: dict[str, Digit]) -> str:
    """Where a new digit goes, for good: of each label every third is kept apart for the test, the first of them the second."""
    same = [digit.part for digit in known.values() if digit.label == label]
    return "test" if same.count("test") < (len(same) + 2) // _FOR_THE_TEST else "train"
