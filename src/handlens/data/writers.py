"""Who wrote MNIST: QMNIST's labels say it, image by image, in MNIST's own order.

Source: C. Yadav and L. Bottou, "Cold case: the lost MNIST digits" (2019), https://github.com/facebookresearch/qmnist
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handlens.data import originals
from handlens.data.archives import ARCHIVES
from handlens.data.readers import read_qmnist_labels
from handlens.data.say import Say, on_stderr

Writers = NDArray[np.int64]


def mnist_writers(*, folder: Path | str | None = None, offline: bool = False, say: Say = on_stderr) -> tuple[Writers, Writers]:
    """A number for the writer of each of MNIST's 60,000 training and 10,000 test images; 539 people wrote the former, others the latter.

    An honest validation split has nobody on both sides. It is for `hl.load("mnist", val=0)`, whose images are in the same order.

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
    with originals.collected("qmnist", entry, named, offline, say) as paths:
        train, test = (read_qmnist_labels(path)[:, 2].astype(np.int64) for path in paths)
    return train, test[:10000]
