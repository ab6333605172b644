"""What somebody sent becomes a run again."""

from __future__ import annotations

import re
from pathlib import Path

from handlens import files
from handlens.errors import FileError, RunDamaged, UsageError
from handlens.export import parcel
from handlens.export.parcel import Parcel
from handlens.models import MODELS
from handlens.runs import Run, new_id, new_place, runs_folder

_NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")
_OTHERS = (".onnx", ".pt2", ".html", ".pt", ".pth", ".pkl", ".zip")


def import_run(source: str | Path, name: str = "", *, root: Path | None = None) -> Run:
    """Make a run of a file that `handlens export --format safetensors` made, or of the folder of a run. No code in it is run.

    Everything is checked before the run is there: its sha256, what the texts say, and that the weights fit the network.

    Args:
        source: the file or folder.
        name: of the run; the file's name without its ending if that is empty.
        root: where runs are kept, if not at the usual place.

    Raises:
        FileError: it is not there, or the disk refuses.
        RunDamaged: it is no such file or folder, or not as it was written.
        UsageError: the name cannot be one, or is taken.
    """
    path = Path(source)
    root = runs_folder() if root is None else root
    place = new_place(root, name or _name_of(path))
    if place.exists():
        raise UsageError(f"There is a run '{place.name}' already.", where=str(place), hint="Choose another name: --name NAME")
    sent = _read(path)
    draft = root / f".import-{new_id()}"
    try:
        _check(sent.unpack(draft))
        files.move(draft, place)
    except RunDamaged as error:
        raise RunDamaged(error.what, where=files.printable(str(path)), hint=error.hint) from error
    finally:
        files.remove(draft)
    return Run(place)


def _name_of(path: Path) -> str:
    return _NOT_IN_NAMES.sub("-", path.absolute().name.removesuffix(".safetensors").lower()).strip(".-_")[:64] or "imported"


def _read(path: Path) -> Parcel:
    if files.is_folder(path):
        return parcel.of_run(Run(path))
    if not path.exists():
        raise FileError(f"There is no '{files.printable(path.name)}'.", where=files.printable(str(path)))
    if path.suffix.lower() in _OTHERS:
        raise UsageError(
            f"A {path.suffix} file does not become a run again: it is for other programs.",
            where=files.printable(str(path)),
            hint="Ask for the run's folder, or for what this makes: handlens export RUN --format safetensors",
        )
    return parcel.read(path)


def _check(run: Run) -> None:
    """That one of our own networks can be made of it; a learner's own needs its file for that, which is not run here."""
    if not all(bool(tensor.isfinite().all()) for tensor in run.weights().values() if tensor.is_floating_point()):
        raise RunDamaged("Its weights are infinite or no numbers.")
    if run.config.model in MODELS:
        run.model()
