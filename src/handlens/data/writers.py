"""Who wrote MNIST: QMNIST's labels say it, image by image, in MNIST's own order.

Source: C. Yadav and L. Bottou, "Cold case: the lost MNIST digits" (2019), https://github.com/facebookresearch/qmnist
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from handlens import seeds
from handlens.data import originals
from handlens.data.archives import ARCHIVES
from handlens.data.dataset import Dataset
from handlens.data.offline import is_offline
from handlens.data.readers import read_qmnist_labels
from handlens.data.say import Say, on_stderr
from handlens.data.tensors import check_share, load
from handlens.errors import UsageError

Writers = NDArray[np.int64]


def mnist_writers(*, folder: Path | str | None = None, offline: bool = False, say: Say = on_stderr) -> tuple[Writers, Writers]:
    """A number for the writer of each of MNIST's 60,000 training and 10,000 test images; 539 people wrote the former, others the latter.

    They are in the order of `hl.load("mnist", val=0)`.

    Args:
        folder: has QMNIST's two files of labels; looked into first.
        offline: touch no network.
        say: as in `handlens.data.fetch`.

    Raises:
        DataMissing: the labels are nowhere; says which files to put where.
        DataDamaged, FileError: as in `handlens.data.fetch`.
    """
    qmnist = ARCHIVES["qmnist"]
    entry = replace(qmnist, originals=tuple(original for original in qmnist.originals if "labels" in original.name))
    named = None if folder is None else Path(folder)
    with originals.collected("qmnist", entry, named, offline or is_offline(), say) as paths:
        train, test = (read_qmnist_labels(path)[:, 2].astype(np.int64) for path in paths)
    return train, test[:10000]


def mnist_with_writers(*, folder: Path | str | None = None, offline: bool = False, say: Say = on_stderr) -> Dataset:
    """MNIST with the writer of each image, and all images for training in one split.

    Args:
        folder: as in `mnist_writers`, like the next two.
        offline: touch no network.
        say: is told each step.

    Raises:
        DataMissing, DataDamaged, FileError: as in `mnist_writers` and `handlens.data.load`.
    """
    data = load("mnist", val=0, offline=offline, say=say)
    for split, writers in zip((data.train, data.test), mnist_writers(folder=folder, offline=offline, say=say), strict=True):
        split.writers = torch.from_numpy(writers)
    return data


def split_by_writer(data: Dataset, val: float = 0.1) -> Dataset:
    """The same images to learn and to choose from, split anew: nobody's are on both sides. The same people each time.

    Args:
        data: one whose writers are known: QMNIST, or `mnist_with_writers`.
        val: the share of the writers whose images become the validation split.

    Raises:
        UsageError: the writers are not known, or that share leaves nobody on one side.
    """
    check_share(val)
    images = data.train.joined(data.val) if len(data.val) else data.train
    if images.writers is None:
        raise UsageError(f"Who wrote {data.name} is not known.", hint="It is for QMNIST, and for hl.data.mnist_with_writers().")
    people = images.writers.unique()
    held = people[torch.randperm(len(people), generator=seeds.generator("writers"))[: round(val * len(people))]]
    if not 0 < len(held) < len(people):
        raise UsageError(f"A val of {val} of {len(people)} writers leaves nobody on one side.", hint="A tenth is usual: val=0.1.")
    theirs = torch.isin(images.writers, held)
    train, chosen = images.subset(torch.nonzero(~theirs)[:, 0], "train"), images.subset(torch.nonzero(theirs)[:, 0], "val")
    return replace(data, name=f"{data.name} by writer", train=train, val=chosen)
