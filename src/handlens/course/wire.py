"""What goes between a check and the process of the learner's code: numbers, texts, lists and tensors, and nothing that can run.

A tensor travels in a safetensors file; in the JSON beside it stands its number there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from handlens import files

WITHHELD = "judge/"  # what bears a name that begins so is for the judge alone, and is not sent
_MOST_BYTES = 1 << 28
_MOST_PARTS = 100_000


@dataclass(frozen=True)
class Other:
    """A value that cannot travel: what it was."""

    kind: str


@dataclass(frozen=True)
class Tracked:
    """A tensor that hangs on the graph of its gradients."""

    tensor: Tensor


def write(path: Path, value: dict[str, Any]) -> None:
    """Write values beside their tensors: PATH.json and PATH.safetensors."""
    tensors: dict[str, Tensor] = {}
    text = json.dumps(_packed(value, tensors))
    files.write_atomic(path.with_suffix(".safetensors"), safetensors.torch.save(tensors))
    files.write_atomic(path.with_suffix(".json"), text)


def read(path: Path) -> dict[str, Any]:
    """Read them back.

    Raises:
        FileError: they are not there.
        ValueError: they are not what `write` writes.
    """
    content = json.loads(files.read_bytes(path.with_suffix(".json"), _MOST_BYTES))
    try:
        tensors = safetensors.torch.load(files.read_bytes(path.with_suffix(".safetensors"), _MOST_BYTES))
        found = _unpacked(content, tensors)
    except (safetensors.SafetensorError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not an answer: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("not an answer")
    return found


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        value = torch.from_numpy(np.array(value))
    if isinstance(value, Tensor):
        tensors[str(len(tensors))] = value.detach().as_subclass(Tensor).cpu().clone().contiguous()
        return {"tensor": str(len(tensors) - 1), "tracked": value.requires_grad}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict) and len(value) < _MOST_PARTS:
        return {"pairs": [[_packed(key, tensors), _packed(part, tensors)] for key, part in value.items()]}
    if isinstance(value, list | tuple | set | range | zip | map) or hasattr(value, "__next__"):
        parts = [part for _, part in zip(range(_MOST_PARTS), value, strict=False)]
        return [_packed(part, tensors) for part in parts]
    return {"kind": type(value).__name__}


def _unpacked(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpacked(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if "pairs" in value:
        return {_key(_unpacked(key, tensors)): _unpacked(part, tensors) for key, part in value["pairs"]}
    if "tensor" in value:
        tensor = tensors[value["tensor"]]
        return Tracked(tensor) if value["tracked"] else tensor
    return Other(str(value["kind"]))


def _key(key: Any) -> Any:
    """A key as it can be looked up: tuples were made lists, and numbers may have been tensors."""
    key = plain(key)
    if isinstance(key, Tensor):
        key = key.item() if key.numel() == 1 else tuple(key.flatten().tolist())
    return tuple(_key(part) for part in key) if isinstance(key, list) else key


def plain(value: Any) -> Any:
    """A tensor without its graph; other values as they are."""
    return value.tensor if isinstance(value, Tracked) else value


def number(value: Any) -> float | None:
    """A single number, however it is wrapped; None if it is none."""
    value = plain(value)
    while isinstance(value, list) and len(value) == 1:
        value = plain(value[0])
    if isinstance(value, Tensor):
        return float(value.item()) if value.numel() == 1 else None
    return float(value) if isinstance(value, int | float) else None


def tensor(value: Any) -> Tensor | None:
    """Numbers of any shape as a `float64` tensor; None if there are none."""
    value = plain(value)
    if isinstance(value, list) and value:
        parts = [tensor(part) for part in value]
        shapes = {part.shape for part in parts if part is not None}
        return torch.stack(parts) if len(shapes) == 1 and None not in parts else None  # type: ignore[arg-type]
    if isinstance(value, bool | int | float):
        return torch.tensor(float(value), dtype=torch.float64)
    return value.double() if isinstance(value, Tensor) else None
