"""A run becomes a file: built, opened again, compared with the run, and only then kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from handlens import files
from handlens.errors import UsageError, nearest
from handlens.export import onnx_file, program, web_page, weights
from handlens.export.agreement import Agreement
from handlens.export.subject import Subject
from handlens.runs import Run

FORMATS: dict[str, ModuleType] = {"onnx": onnx_file, "pt2": program, "safetensors": weights, "html": web_page}
"""Each builds the bytes of a file of a subject, and checks such bytes against a subject."""


@dataclass(frozen=True)
class Exported:
    """A file that was made and checked.

    Attributes:
        file: where it is.
        format: a key of `FORMATS`.
        size_bytes: how large.
        sha256: of the file.
        agreement: with the run.
    """

    file: Path
    format: str
    size_bytes: int
    sha256: str
    agreement: Agreement

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"file": str(self.file)}

    def __repr__(self) -> str:
        return f"Exported({self.file}: {self.size_bytes:,} bytes, {self.agreement})"


def export(run: Run, file: str | os.PathLike[str], *, format: str = "", say: Callable[[str], None] = lambda _sentence: None) -> Exported:  # noqa: A002
    """Write a run's network into a file for other programs, or for other people, after it was checked that it says the same.

    Args:
        run: the run; with `run.use(model, dataset)` a network or images of your own.
        file: where to; its ending says the format: `.onnx`, `.pt2`, `.safetensors`, `.html`.
        format: one of these, if the file shall have another ending.
        say: is told what goes on.

    Raises:
        UsageError: there is no such format.
        ModelError: the format cannot hold this network.
        FailedError: the format needs something that is not installed, or the file does not say what the run says. Nothing is left then.
    """
    target = Path(file)
    kind = FORMATS[format_of(target, format)]
    say("The run is measured for its card.")
    subject = Subject.of(run)
    content: bytes = kind.build(subject)
    say(f"{len(content):,} bytes are made; now they are compared with the run.")
    agreement: Agreement = kind.check(content, subject)
    files.write_atomic(target, content)
    return Exported(target, format_of(target, format), len(content), files.sha256(content), agreement)


def verify(run: Run, file: str | os.PathLike[str], *, format: str = "") -> Agreement:  # noqa: A002
    """Whether a file still says what a run says.

    Raises:
        UsageError: there is no such format.
        FailedError: it does not, or cannot be read.
    """
    path = Path(file)
    agreement: Agreement = FORMATS[format_of(path, format)].check(files.read_bytes(path), Subject(run))
    return agreement


def format_of(file: Path, wanted: str = "") -> str:
    """The format that is meant.

    Raises:
        UsageError: there is no such.
    """
    found = wanted or file.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        raise UsageError(f"There is no format '{files.printable(found)}'.", hint=nearest(found, FORMATS))
    return found
