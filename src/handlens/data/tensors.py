"""Data sets as tensors: from the catalogue, or from what the learner already has."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from handlens.data import catalog, objects, sources
from handlens.data.cache import Cached
from handlens.data.dataset import Dataset, Split
from handlens.data.entry import DataFile
from handlens.data.known import is_known
from handlens.data.say import Say, megabytes, on_stderr
from handlens.data.shares import chosen
from handlens.errors import DataError, UsageError

if TYPE_CHECKING:
    from handlens.data.stored import Stored

MOST_BYTES = 4 << 30
_CHANNELS = (1, 3)
_MOST_CLASSES = 1 << 14


def load(
    data: object = "mnist", *, val: float = 0.1, folder: Path | str | None = None, offline: bool = False, say: Say = on_stderr
) -> Dataset:
    """A data set by its name; downloaded first if it is not on this machine, saying so.

    Args:
        data: a key of `handlens.data.DATASETS`, or the name of a data set that was imported; a folder of class folders, a zip file of one,
            or a CSV file, which is then imported under its own name; or an object that `as_dataset` takes.
        val: the share of the training images that become the validation split. Which ones depends on the data set and on this number,
            never on a seed; each class gives the same share. 0 leaves all images to train. A data set with validation images of its own
            keeps those.
        folder: has its files; used, and nothing else, if the data set is not in the cache.
        offline: touch no network.
        say: is told each step before it is taken; see `handlens.data.say.Say`.

    Returns:
        The data set; images `uint8` N,C,H,W, labels `int64` N. Without a validation split the images are memory-mapped from the cache.

    Raises:
        UsageError: there is no data set of that name, or `val` is no share.
        DataMissing, DataDamaged, FileError: as in `handlens.data.fetch` and `handlens.data.import_images`.
    """
    check_share(val)
    if not isinstance(data, str | Path):
        return as_dataset(data, val=val)
    if _is_place(data):
        from handlens.data.importing import import_images

        data = import_images(data, say=say)
    return load_known(str(data), val=val, folder=folder, offline=offline, say=say)


def load_known(name: str, *, val: float = 0.1, folder: Path | str | None = None, offline: bool = False, say: Say = on_stderr) -> Dataset:
    """As `load`, by a name only: what was imported under it is given as it was read then, even if its folder has changed since."""
    found = sources.fetch(name, folder=folder, offline=offline, say=say)
    if not isinstance(found, Cached):
        return _from_stored(name, found, val)
    entry = catalog.find_idx(name)
    train = Split(_tensor(found, entry.train_images), _tensor(found, entry.train_labels), entry.classes, "train")
    test = Split(_tensor(found, entry.test_images), _tensor(found, entry.test_labels), entry.classes, "test")
    return Dataset(name, *split_off(train, val, name), test, ink=entry.ink)


def _is_place(data: str | Path) -> bool:
    """Whether a folder or file is meant, and not a name.

    A name that is known comes first, as a folder of that name may be anywhere; but the folder that it was read from may have changed.
    """
    if isinstance(data, Path):
        return True
    if data in catalog.DATASETS:
        return False
    from handlens.data import shelf

    try:
        if is_known(data):
            return shelf.was_read_from(data, Path(data))
        return data != "" and (Path(data).name != data or Path(data).exists())
    except (OSError, ValueError):  # no name of a file can be that
        return False


def _tensor(cached: Cached, file: DataFile) -> Tensor:
    return torch.from_numpy(cached.arrays[file.name])


def _from_stored(name: str, found: Stored, val: float) -> Dataset:
    """The data set in arrays that were made here. If it has validation images of its own, they are used; with `val` 0 they train too."""
    from handlens.data.stored import SPLITS

    splits = {split: _stored_split(found, split) for split in SPLITS}
    train, own = splits["train"], splits["val"]
    if len(own) == 0:
        train, own = split_off(train, val, name)
    elif val == 0:
        train, own = train.joined(own), _empty(own, "val")
    return Dataset(name, train, own, splits["test"], ink=found.about.ink)


def _stored_split(found: Stored, split: str) -> Split:
    arrays, classes = found.arrays, found.about.classes
    if f"{split}-images" not in arrays:
        some = torch.from_numpy(next(array for part, array in arrays.items() if part.endswith("-images")))
        return Split(some[:0], torch.zeros(0, dtype=torch.int64), classes, split)
    writers = arrays.get(f"{split}-writers")
    images, labels = (torch.from_numpy(arrays[f"{split}-{part}"]) for part in ("images", "labels"))
    return Split(images, labels, classes, split, None if writers is None else torch.from_numpy(writers))


def split_off(split: Split, share: float, name: str) -> tuple[Split, Split]:
    """Two splits, train and val, of which the second has the `share` of the first's images, of each class as exactly as can be.

    Which images is a pure function of `name`, `share` and the labels, the same on every machine; both keep the order they had.
    """
    total = round(share * len(split))
    if total == 0:
        return split, _empty(split, "val")
    held = np.zeros(len(split), bool)
    held[chosen(split.labels.cpu().numpy(), total, "val", name)] = True
    return split.subset(torch.from_numpy(np.flatnonzero(~held))), split.subset(torch.from_numpy(np.flatnonzero(held)), "val")


def _empty(split: Split, name: str) -> Split:
    return Split(split.images[:0], split.labels[:0], split.classes, name)


def check_share(val: object) -> None:
    """Whether that is a share of the training images.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(val, int | float) or not 0 <= val < 1:
        raise UsageError(f"The validation share is {val!r}.", hint="It is a share of the training images, from 0 to below 1; 0.1 is usual.")


def from_tensors(
    images: object,
    labels: object,
    *,
    test: tuple[object, object] | None = None,
    val: float = 0.1,
    classes: tuple[str, ...] | list[str] | None = None,
    name: str = "tensors",
) -> Dataset:
    """A data set from tensors, arrays or lists of the learner's own.

    Args:
        images: N,H,W or N,C,H,W; `uint8`, or floats in [0, 1], which become the nearest of the 256 steps that a byte has.
        labels: N whole numbers, from 0. Those that go from 1 are refused unless `classes` says that there is a class 0.
        test: images and labels to measure on at the end; without them that split is empty.
        val: the share of the images that become the validation split, as in `load`.
        classes: the name of each class; their numbers if not given.
        name: what the data set is called.

    Raises:
        DataError: shapes, types or values that cannot be; says which ones, and how to mend it.
        DataDamaged: numbers of images and labels differ, or a label is outside the classes.
        UsageError: `val` is no share.
    """
    check_share(val)
    pairs = [(_images(some), _tensor_of(theirs, "labels")) for some, theirs in ((images, labels), *([test] if test else []))]
    names = tuple(classes) if classes else _class_numbers(theirs for _, theirs in pairs)
    train, *rest = [Split(*pair, names, kind) for pair, kind in zip(pairs, ("train", "test"), strict=False)]
    return Dataset(name, *split_off(train, val, name), rest[0] if rest else _empty(train, "test"))


def as_dataset(data: object, *, val: float = 0.1) -> Dataset:
    """Whatever the learner has, as a data set.

    Args:
        data: a `Dataset` (taken as it is); a `Split`; a pair of images and labels, as in `from_tensors`; a `torch.utils.data.Dataset` of
            (image, label), such as torchvision's, or one of Hugging Face's; or a dictionary of such with `train` and perhaps `val` and
            `test`. They are read once into memory. What is random in a transform is then drawn once and for all.
        val: the share of the images that become the validation split, as in `load`.

    Raises:
        UsageError: it is none of these.
        DataError, DataDamaged: as in `from_tensors`; or the whole is too large for memory.
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, Split):
        check_share(val)
        return Dataset(data.name, *split_off(data, val, data.name), _empty(data, "test"))
    if _has_items(data):
        return from_tensors(*_read_all(data), val=val, classes=objects.class_names(data), name=type(data).__name__.lower())
    splits = objects.splits_of(data)
    if splits:
        return _of_splits(splits, val)
    if isinstance(data, tuple | list) and len(data) == 2:
        return from_tensors(*data, val=val)
    raise UsageError(
        f"A {type(data).__name__} cannot be used as data.",
        hint="Give a name to hl.load and its result here, a pair (images, labels), a torch Dataset or a DataLoader.",
    )


def _has_items(data: object) -> bool:
    return isinstance(data, torch.utils.data.Dataset) or objects.is_rows(data)


def _of_splits(splits: dict[str, Any], val: float) -> Dataset:
    """The data set of a dictionary of data set objects; its own validation images come before others."""
    check_share(val)
    read = {split: _read_all(some) for split, some in splits.items()}
    names = objects.class_names(splits["train"]) or _class_numbers(labels for _, labels in read.values())
    made = {split: Split(*pair, names, split) for split, pair in read.items()}
    name, train = type(splits["train"]).__name__.lower(), made["train"]
    train, own = (train, made["val"]) if "val" in made else split_off(train, val, name)
    return Dataset(name, train, own, made.get("test") or _empty(train, "test"))


def _read_all(data: Any) -> tuple[Tensor, Tensor]:
    """Every item of a torch data set: images as bytes, N,H,W or N,C,H,W, and labels."""
    count = len(data) if isinstance(data, Sized) else 0
    if count == 0:
        raise DataError(f"The data set {type(data).__name__} is empty or does not know its length.", hint="Give a DataLoader instead.")
    first, _ = _item(data, 0)
    size_bytes = count * first.numel()
    if size_bytes > MOST_BYTES:
        raise DataError(
            f"{count:,} images of shape {tuple(first.shape)} are {megabytes(size_bytes)}; at most {megabytes(MOST_BYTES)} are read whole.",
            hint="Give a DataLoader instead.",
        )
    images = torch.empty((count, *first.shape), dtype=torch.uint8)
    labels = torch.empty(count, dtype=torch.int64)
    for index in range(count):
        image, labels[index] = _item(data, index)
        if image.shape != first.shape:
            raise DataError(
                f"Image 0 has the shape {tuple(first.shape)}, image {index} {tuple(image.shape)}.", hint="Resize them in the transform."
            )
        images[index] = image
    return images, labels


def _item(data: Any, index: int) -> tuple[Tensor, int]:
    item = data[index]
    try:
        image, label = objects.pair_of(item)
        return _images([image])[0], objects.whole_number(label)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise DataError(
            f"Item {index} of the data set {type(data).__name__} is no pair of an image and a whole number ({error}).",
            hint="It must give a tensor or array C,H,W and a label; torchvision's data sets do with transform=ToTensor().",
        ) from error


def _images(images: object) -> Tensor:
    """Images as bytes, as far as they can be had from what is given; the split checks the rest."""
    tensor = _tensor_of(images, "images")
    if tensor.ndim == 4 and tensor.shape[3] in _CHANNELS and tensor.shape[1] not in _CHANNELS:
        raise DataError(f"The images have the shape {tuple(tensor.shape)}, N,H,W,C.", hint="Give N,C,H,W: images.permute(0, 3, 1, 2)")
    if not tensor.is_floating_point():
        return tensor
    low, high = (float(value) for value in tensor.aminmax()) if tensor.numel() else (0.0, 0.0)
    if not 0 <= low <= high <= 1:
        raise DataError(
            f"The images have values from {low:.3g} to {high:.3g}.",
            hint="Give bytes, or floats from 0 to 1 (divide by 255). Leave normalising out: the networks here do it themselves.",
        )
    return tensor.mul(255).round_().byte()


def _tensor_of(value: object, kind: str) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    try:
        if isinstance(value, list | tuple) and value and isinstance(value[0], Tensor):
            return torch.stack(list(value)).detach()
        array = np.asarray(value)
        return torch.from_numpy(array if array.flags.writeable and min(array.strides, default=0) >= 0 else array.copy())
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"The {kind} cannot be made into a tensor: {error}.", hint="Give a tensor, an array, or lists of equal length."
        ) from error


def _class_numbers(labels: Iterable[Tensor]) -> tuple[str, ...]:
    """Names for classes that have none, as many as the largest label needs."""
    found = {label for some in labels if not some.is_floating_point() for label in some.unique().tolist()} or {0}
    highest = int(max(found))
    if highest >= _MOST_CLASSES:
        raise DataError(f"A label is {highest:,}; there are at most {_MOST_CLASSES:,} classes.", hint="Number the classes from 0.")
    if highest > 1 and found == {*range(1, highest + 1)}:
        raise DataError(
            f"The labels go from 1 to {highest}; they count from 0.",
            hint="Subtract 1: labels - 1. If it is right that no image is of class 0, name the classes in hl.data.from_tensors.",
        )
    return tuple(str(label) for label in range(highest + 1))
