"""The files that the programs in `unseen/` read, made of MNIST; Fashion-MNIST is that of Debian's package."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

import handlens as hl

FASHION = Path("/usr/share/datasets/fashion-mnist")
_COUNTS = {"train": 6000, "test": 1000}
_MORE = {"train": 10_000, "test": 2000}

Arrays = dict[str, NDArray[np.uint8]]


def prepare(folder: Path, mnist: hl.Dataset) -> Path:
    """Make `folder/data`; the programs are run in `folder`, which is given back."""
    arrays, root = _arrays(mnist, _COUNTS), folder / "data"
    root.mkdir()
    np.savez(root / "mnist.npz", **arrays)  # type: ignore[arg-type]
    more = _arrays(mnist, _MORE)
    np.savez(root / "digits.npz", **{name: more[name].astype(np.int64) if name[0] == "y" else more[name] for name in more})  # type: ignore[arg-type]
    for part, count in (("train", 2400), ("test", 300)):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        _save_idx(root, {"train": "train", "test": "t10k"}[part], images, labels)
        _save_csv(root / f"{part}.csv", images[:count], labels[:count])
        _save_pictures(root / "pictures" / part, images[: count // 2], labels[: count // 2])
    _save_own(root / "mine", arrays)
    if FASHION.exists():
        (root / "fashion").symlink_to(FASHION)
    return folder


def _arrays(mnist: hl.Dataset, counts: dict[str, int]) -> Arrays:
    found = {}
    for part, split in (("train", mnist.train), ("test", mnist.test)):
        found[f"x_{part}"] = split.images[: counts[part], 0].numpy()
        found[f"y_{part}"] = split.labels[: counts[part]].numpy().astype(np.uint8)
    return found


def _save_idx(root: Path, name: str, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    for kind, array in (("images", images), ("labels", labels)):
        head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
        with gzip.open(root / f"{name}-{kind}-idx{array.ndim}-ubyte.gz", "wb", 1) as file:
            file.write(head + array.tobytes())


def _save_csv(path: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    names = ",".join(["label", *(f"pixel{number}" for number in range(images[0].size))])
    np.savetxt(path, np.column_stack([labels, images.reshape(len(images), -1)]), "%d", ",", header=names, comments="")


def _save_pictures(root: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = root / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


def _save_own(root: Path, arrays: Arrays) -> None:
    root.mkdir()
    seven = arrays["x_test"][int(np.flatnonzero(arrays["y_test"] == 7)[0])]
    ImageOps.invert(Image.fromarray(seven).resize((120, 120))).save(root / "7.png")
