"""An evaluation's arrays on disk: whole and unchanged, or an error that says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from handlens import files
from handlens.errors import HandlensError, RunDamaged

_MOST_BYTES = 1 << 32


def write(folder: Path, split: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Write arrays under a name of their own, so that what was there before stays whole until the JSON points here.

    Returns:
        `file`, `sha256` and `size` in bytes.
    """
    content = safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    sha256 = files.sha256(content)
    path = files.child(files.make_folder(folder), f"{split}.{sha256[:12]}.safetensors")
    files.write_atomic(path, content)
    return {"file": path.name, "sha256": sha256, "size": len(content)}


def forget_others(folder: Path, split: str, kept: str) -> None:
    """Delete the arrays of earlier evaluations of the split."""
    for path in folder.glob(f"{split}.*.safetensors"):
        if path.name != kept:
            files.remove(path)


def read(folder: Path, split: str) -> dict[str, NDArray[Any]]:
    """Read what the split's JSON points to.

    Raises:
        FileError: there is no such JSON.
        RunDamaged: something is not as it was written.
    """
    path = files.child(folder, f"{split}.json")
    text = files.read_bytes(path, _MOST_BYTES)
    try:
        about = json.loads(text)["logits"]
        content = files.read_bytes(files.child(folder, about["file"]), _MOST_BYTES)
        if files.sha256(content) != about["sha256"]:
            raise ValueError("the logits are not those that were saved (their sha256 differs)")
        arrays = safetensors.numpy.load(content)
        return {name: arrays[name] for name in ("logits", "labels")}
    except (HandlensError, ValueError, KeyError, TypeError, RecursionError, safetensors.SafetensorError) as error:
        reason = error.what if isinstance(error, HandlensError) else str(error)
        hint = "Delete the run's folder 'evaluation', and evaluate it again."
        raise RunDamaged(f"This evaluation cannot be read: {files.printable(reason)}", where=str(path), hint=hint) from error
