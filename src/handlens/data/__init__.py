"""Pictures in: data sets by name, from the learner's own tensors, and in batches.

Every name below is imported when it is first used: finding and checking data needs no torch.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import handlens

if TYPE_CHECKING:
    from handlens.data.batches import batches, order
    from handlens.data.catalog import DATASETS
    from handlens.data.dataset import Dataset, Split
    from handlens.data.formats import read_idx, write_idx
    from handlens.data.importing import import_images
    from handlens.data.inspection import Inspection, inspect
    from handlens.data.shelf import check, is_known, status
    from handlens.data.sources import fetch, import_folder
    from handlens.data.tensors import as_dataset, from_tensors, load
    from handlens.data.writers import mnist_writers

_HOMES = {
    "DATASETS": "catalog",
    "Dataset": "dataset",
    "Inspection": "inspection",
    "Split": "dataset",
    "as_dataset": "tensors",
    "batches": "batches",
    "check": "shelf",
    "fetch": "sources",
    "from_tensors": "tensors",
    "import_folder": "sources",
    "import_images": "importing",
    "inspect": "inspection",
    "is_known": "shelf",
    "load": "tensors",
    "mnist_writers": "writers",
    "order": "batches",
    "read_idx": "formats",
    "status": "shelf",
    "write_idx": "formats",
}

__all__ = [
    "DATASETS",
    "Dataset",
    "Inspection",
    "Split",
    "as_dataset",
    "batches",
    "check",
    "fetch",
    "from_tensors",
    "import_folder",
    "import_images",
    "inspect",
    "is_known",
    "load",
    "mnist_writers",
    "order",
    "read_idx",
    "status",
    "write_idx",
]

# As in the package above: importing the module `batches` must not hide the function.
sys.modules[__name__].__class__ = type(handlens)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"handlens.data.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"handlens.data has no '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
