"""Pictures in: data sets by name, from the learner's own tensors, and in batches.

Every name below is imported when it is first used: finding and checking data needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlens.lazy import make_lazy

if TYPE_CHECKING:
    from handlens.data.augment import AUGMENTATIONS, Augmentation, make_change
    from handlens.data.batches import batches, order
    from handlens.data.cache import check, status
    from handlens.data.catalog import DATASETS
    from handlens.data.dataset import Dataset, Split
    from handlens.data.formats import read_idx, write_idx
    from handlens.data.sources import fetch, import_folder
    from handlens.data.tensors import as_dataset, find_split, from_tensors, load, split_name

_HOMES = {
    "AUGMENTATIONS": "augment",
    "Augmentation": "augment",
    "DATASETS": "catalog",
    "Dataset": "dataset",
    "Split": "dataset",
    "as_dataset": "tensors",
    "batches": "batches",
    "check": "cache",
    "fetch": "sources",
    "find_split": "tensors",
    "from_tensors": "tensors",
    "import_folder": "sources",
    "load": "tensors",
    "make_change": "augment",
    "order": "batches",
    "read_idx": "formats",
    "split_name": "tensors",
    "status": "cache",
    "write_idx": "formats",
}

__all__ = [
    "AUGMENTATIONS",
    "DATASETS",
    "Augmentation",
    "Dataset",
    "Split",
    "as_dataset",
    "batches",
    "check",
    "fetch",
    "find_split",
    "from_tensors",
    "import_folder",
    "load",
    "make_change",
    "order",
    "read_idx",
    "split_name",
    "status",
    "write_idx",
]

_package = make_lazy(__name__)


def __getattr__(name: str) -> Any:
    return _package.find(name)
