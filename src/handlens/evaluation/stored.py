"""An evaluation's arrays on disk, for people and other programs: a run is measured again, and nothing here is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from handlens import files

_DIGITS = 12  # of the SHA-256 in a file's name


def write(folder: Path, split: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Write arrays under a name of their own, so that what was there before stays whole until the JSON points here.

    Returns:
        `file`, `sha256` and `size` in bytes.
    """
    content = safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    sha256 = files.sha256(content)
    path = files.child(files.make_folder(folder), f"{split}.{sha256[:_DIGITS]}.safetensors")
    files.write_atomic(path, content)
    return {"file": path.name, "sha256": sha256, "size": len(content)}


def forget_others(folder: Path, split: str, kept: str) -> None:
    """Delete the arrays of earlier evaluations of the split, but not of a data set whose name begins with it: `my.digits` beside `my`."""
    for path in folder.glob(f"{split}.{'?' * _DIGITS}.safetensors"):
        if path.name != kept:
            files.remove(path)
