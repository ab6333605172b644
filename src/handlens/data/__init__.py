"""Pictures in: data sets by name, from the learner's own tensors, and in batches.

Every name below is imported when it is first used: finding and checking data needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlens.lazy import make_lazy

if TYPE_CHECKING:
    from handlens.data import mine
    from handlens.data.augment import AUGMENTATIONS, Augmentation, make_change, preview
    from handlens.data.batches import batches, order
    from handlens.data.catalog import DATASETS
    from handlens.data.dataset import Dataset, Split
    from handlens.data.formats import read_idx, write_idx
    from handlens.data.importing import import_images
    from handlens.data.inspection import Inspection, inspect
    from handlens.data.known import is_known
    from handlens.data.sharded import Shards, sharded, write_shards
    from handlens.data.shelf import check, status
    from handlens.data.sources import fetch, import_folder
    from handlens.data.splits import find_split, split_name, with_added
    from handlens.data.tensors import as_dataset, from_tensors, load, load_known
    from handlens.data.writers import mnist_with_writers, mnist_writers, split_by_writer

_HOMES = {
    "AUGMENTATIONS": "augment",
    "Augmentation": "augment",
    "DATASETS": "catalog",
    "Dataset": "dataset",
    "Inspection": "inspection",
    "Shards": "sharded",
    "Split": "dataset",
    "as_dataset": "tensors",
    "batches": "batches",
    "check": "shelf",
    "fetch": "sources",
    "find_split": "splits",
    "from_tensors": "tensors",
    "import_folder": "sources",
    "import_images": "importing",
    "inspect": "inspection",
    "is_known": "known",
    "load": "tensors",
    "load_known": "tensors",
    "make_change": "augment",
    "mnist_with_writers": "writers",
    "mnist_writers": "writers",
    "order": "batches",
    "preview": "augment",
    "read_idx": "formats",
    "sharded": "sharded",
    "split_by_writer": "writers",
    "split_name": "splits",
    "status": "shelf",
    "with_added": "splits",
    "write_idx": "formats",
    "write_shards": "sharded",
}

__all__ = [
    "AUGMENTATIONS",
    "DATASETS",
    "Augmentation",
    "Dataset",
    "Inspection",
    "Shards",
    "Split",
    "as_dataset",
    "batches",
    "check",
    "fetch",
    "find_split",
    "from_tensors",
    "import_folder",
    "import_images",
    "inspect",
    "is_known",
    "load",
    "load_known",
    "make_change",
    "mine",
    "mnist_with_writers",
    "mnist_writers",
    "order",
    "preview",
    "read_idx",
    "sharded",
    "split_by_writer",
    "split_name",
    "status",
    "with_added",
    "write_idx",
    "write_shards",
]

_package = make_lazy(__name__)


def __getattr__(name: str) -> Any:
    return _package.find(name)
