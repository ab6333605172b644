"""The user's own digits as files that other programs read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handlens import files
from handlens.data.formats import idx_file, shown, write_idx
from handlens.data.mine.built import build
from handlens.data.mine.digits import digits, nothing_yet, place, seen
from handlens.errors import UsageError, nearest

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_IDX_NAMES = {"train": "train", "test": "t10k"}


def export(target: str | Path, kind: str | None = None, *, drawn: bool = False) -> Path:
    """Write all digits for another program.

    Args:
        target: a folder that is not there or empty, or a file that is not there.
        kind: `png`: a folder of class folders, `7/ID.png`, 28x28; `zip`: the same in one file; `csv`: a label and 784 pixels a line; `idx`:
            a folder of the four files that MNIST has. None goes by the name: `.zip`, `.csv`, else `png`.
        drawn: with `png` and `zip`: the pictures as they were drawn; `handlens mine add` reads them again on another machine.

    Raises:
        UsageError: there is something of that name, or no such kind, or `drawn` with another kind.
        DataMissing: there are no digits yet.
        DataDamaged: the table, or the picture of a digit, is not what it should be.
        FileError: the disk refuses.
    """
    path = Path(target)
    kind = kind or {".zip": "zip", ".csv": "csv"}.get(path.suffix.lower(), "png")
    if kind not in KINDS:
        raise UsageError(f"Digits cannot be written as '{files.printable(kind)}'.", hint=nearest(kind, KINDS))
    if drawn and kind not in ("png", "zip"):
        raise UsageError(f"What was drawn has no {kind} form.", hint="Pictures as drawn can be exported as png or zip.")
    if files.is_file(path) or files.entries(path):
        hint = "Choose a folder or file that is not there yet."
        raise UsageError(f"'{files.printable(path.name)}' is there already.", where=shown(path.absolute()), hint=hint)
    KINDS[kind](path, drawn)
    return path


def _pictures(drawn: bool) -> Iterator[tuple[str, bytes]]:
    """The name and the content of a PNG file of each digit."""
    kept = digits()
    if not kept:
        raise nothing_yet()
    for digit in kept:
        content = files.read_bytes(place(digit.id)) if drawn else _png(seen(digit).image)
        yield f"{digit.label}/{digit.id}.png", content


def _png(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _write_folder(path: Path, drawn: bool) -> None:
    for name, content in _pictures(drawn):
        files.write_atomic(path / name, content)


def _write_zip(path: Path, drawn: bool) -> None:
    files.write_atomic(path, _zipped(_pictures(drawn)))


def _zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, mode="w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content)
    return file.getvalue()


def _write_csv(path: Path, _drawn: bool) -> None:
    files.write_atomic(path, _table())


def _table() -> str:
    arrays = build().arrays
    lines = [",".join(["label", *(f"pixel{number}" for number in range(784))])]
    for part in ("train", "test"):
        if f"{part}-images" in arrays:
            rows = np.column_stack([arrays[f"{part}-labels"], arrays[f"{part}-images"].reshape(-1, 784)])
            lines += [",".join(map(str, row)) for row in rows.tolist()]
    return "\n".join([*lines, ""])


def _write_idx(path: Path, _drawn: bool) -> None:
    for name, array in _idx_arrays():
        write_idx(path / name, array)


def _idx_arrays() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The name and the content of each of MNIST's four files."""
    arrays = build().arrays
    for part, name in _IDX_NAMES.items():
        if f"{part}-images" in arrays:
            yield f"{name}-images-idx3-ubyte", arrays[f"{part}-images"][:, 0]
            yield f"{name}-labels-idx1-ubyte", arrays[f"{part}-labels"].astype(np.uint8)


KINDS: dict[str, Callable[[Path, bool], None]] = {"png": _write_folder, "zip": _write_zip, "csv": _write_csv, "idx": _write_idx}

ONE_FILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "png": ("digits-28x28.zip", lambda: _zipped(_pictures(False))),
    "drawn": ("digits-drawn.zip", lambda: _zipped(_pictures(True))),
    "csv": ("digits.csv", lambda: _table().encode()),
    "idx": ("digits-idx.zip", lambda: _zipped((name, idx_file(array)) for name, array in _idx_arrays())),
}
"""The same as one file each, for a browser: what it is called, and what makes its content."""
