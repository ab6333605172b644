"""A data set of the user's own: images from class folders, a zip file of them, or a table of pixels; read once and kept in the cache."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import numpy as np

from handlens import files
from handlens.data import cache, folders, shares, stored, table
from handlens.data.catalog import DATASETS, MINE
from handlens.data.decoding import Decoding
from handlens.data.folders import Arrangement, Picture, Tree
from handlens.data.formats import MOST_BYTES, shown
from handlens.data.say import Say, megabytes, on_stderr
from handlens.data.stored import SPLITS, About, Writer
from handlens.errors import DataDamaged, DataError, FileError, UsageError
from handlens.words import counted

MOST_SIZE = 224
_UNEVEN = 2.0


def import_images(source: Path | str, name: str | None = None, *, image_size: int | None = None, say: Say = on_stderr) -> str:
    """Read class folders, a zip file of them, or a CSV file of pixels, once, and keep the images in the cache.

    Args:
        source: the folder or file. `train/`, `val/` and `test/` in it are kept; else a tenth of each class becomes `val`, another `test`.
        name: what the data set is called from now on; made from the name of the source if None.
        image_size: height and width in pixels. None takes what was asked for when this source was read before, else the median of the
            shorter sides, at most 224.
        say: as in `handlens.data.fetch`.

    Returns:
        The name. Nothing is read again if the same source is there already.

    Raises:
        UsageError: the name is taken by other data, or cannot be one.
        DataError: there are not two classes, no picture can be read, or it is too much for memory.
        DataDamaged: a zip file that is damaged or dangerous.
        FileError: the source cannot be read, or the cache not be written.
    """
    path = Path(source).absolute()
    name = name or name_for(path)
    _check_size(image_size)
    before = _read_before(name, path)
    image_size = image_size or (before.image_size if before else None)
    with contextlib.ExitStack() as stack:
        tree = None if path.suffix.lower() == ".csv" else stack.enter_context(folders.opened(path))
        key = files.sha256(f"{image_size} {tree.stamp() if tree else table.stamp(path)}".encode())
        if stored.same_source(name, key):
            return name
        home = stack.enter_context(cache.alone(name, say))
        if stored.same_source(name, key):  # another process was quicker
            return name
        writer = stack.enter_context(Writer(home))
        about = _from_tree(tree, path, writer, image_size, say) if tree else _from_table(path, writer, say)
        for sentence in about.remarks:
            say(sentence)
        writer.publish(about.model_copy(update={"title": name, "origin": shown(path), "key": key, "image_size": image_size}))
    return name


def name_for(path: Path) -> str:
    """A name for the data set in a folder or file.

    Raises:
        UsageError: there is no letter in its name that could stand in one.
    """
    stem = path.name if files.is_folder(path) else path.stem
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:50].rstrip("-")
    if not name:
        raise UsageError(f"No name can be made of '{files.printable(path.name)}'.", hint="Give one: --name NAME.")
    return f"{name}-images" if name in (*DATASETS, MINE) else name


def _check_size(image_size: int | None) -> None:
    if image_size is not None and not 1 <= image_size <= 4096:
        raise UsageError(f"The image size cannot be {image_size}.", hint="It is height and width in pixels, 1 to 4096; 32 to 224 is usual.")


def _read_before(name: str, path: Path) -> About | None:
    """What was read from this source when it was imported before under this name; None if it was not.

    Raises:
        UsageError: the name is another data set's, or cannot be one.
    """
    if name in DATASETS:
        raise UsageError(f"'{name}' is a data set of the catalogue.", hint="Choose another --name.")
    if name == MINE:
        raise UsageError(
            "'mine' is the name of your own digits.", hint="Digits go in by: handlens mine add FOLDER. Else take another --name."
        )
    files.child(cache.root(), name)
    folder = stored.find(name)
    if folder is None:
        return None
    try:
        about = stored.read_about(folder)
    except (DataDamaged, FileError):
        return None
    if about.origin != shown(path):
        raise UsageError(
            f"There is a data set '{name}' already, from another place.",
            where=about.origin,
            hint=f"Choose another --name, or remove that one: handlens data rm {name}",
        )
    return about


def _from_tree(tree: Tree, path: Path, writer: Writer, image_size: int | None, say: Say) -> About:
    """Write the arrays of class folders."""
    found = folders.arrange(tree, shown(path))
    parts, remark = _parts(found)
    decoding = Decoding.plan(tree, found.pictures, image_size, MOST_SIZE, say)
    _check_bytes(len(found.pictures), decoding.image_bytes)
    counts = np.zeros(len(found.classes), np.int64)
    for split, pictures in parts.items():
        labels: list[int] = []
        places = {label: place for place, label in enumerate(found.classes)}
        writer.add(f"{split}-images", decoding.images(pictures, lambda picture: labels.append(places[picture.label])))  # noqa: B023
        writer.add(f"{split}-labels", [np.array(labels, "<i8")])
        if split == "train":
            counts += np.bincount(labels, minlength=len(counts)) if labels else 0
    if not counts.any():
        raise _nothing(decoding.unreadable, path)
    odd = [*found.remarks, *_about_unreadable(decoding.unreadable), *_about_balance(found.classes, counts.tolist())]
    size = "x".join(map(str, decoding.shape[1:]))
    what = f"{counted(sum(counts), 'image')} to learn from, {size} {'grey' if decoding.grey else 'colour'}"
    return About(title="", description=what, classes=found.classes, remarks=(remark, decoding.remark, *odd), unreadable=decoding.unreadable)


def _parts(found: Arrangement) -> tuple[dict[str, list[Picture]], str]:
    """The pictures of each split, and how that came about, in words."""
    if found.pictures[0].split:
        parts = {split: [one for one in found.pictures if one.split == split] for split in SPLITS}
        named = [split for split in SPLITS if parts[split]]
        if parts["test"]:
            return parts, f"Split as the folders say: {', '.join(named)}."
        places = shares.chosen(_labels(parts["train"], found.classes), round(0.1 * len(parts["train"])), "split", "test")
        held = {parts["train"][place] for place in places}
        parts["test"] = [one for one in parts["train"] if one in held]
        parts["train"] = [one for one in parts["train"] if one not in held]
        return parts, f"Split as the folders say: {', '.join(named)}; a tenth of each class of train, the same one every time, became test."
    ways = shares.three_ways(_labels(found.pictures, found.classes))
    return {split: [found.pictures[place] for place in places] for split, places in ways.items()}, (
        "There are no folders train/ and test/: 80 % of each class are train, 10 % val, 10 % test, the same ones every time."
    )


def _labels(pictures: tuple[Picture, ...] | list[Picture], classes: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    places = {label: place for place, label in enumerate(classes)}
    return np.array([places[picture.label] for picture in pictures], np.int64)


def _check_bytes(count: int, image_bytes: int) -> None:
    if count * image_bytes > MOST_BYTES:
        most = int((MOST_BYTES / count / image_bytes) ** 0.5 * 100)
        raise DataError(
            f"{count:,} images of {image_bytes:,} bytes are {megabytes(count * image_bytes)}; at most {megabytes(MOST_BYTES)} are kept.",
            hint=f"Choose a smaller --image-size: {most} % of this one.",
        )


def _nothing(unreadable: dict[str, str], path: Path) -> DataError:
    name, reason = next(iter(unreadable.items()), ("", "there are no files in train"))
    return DataError(f"No image to learn from can be read. {files.printable(name)}: {reason}", where=shown(path))


def _about_unreadable(unreadable: dict[str, str]) -> list[str]:
    if not unreadable:
        return []
    name, reason = next(iter(unreadable.items()))
    others = ", and others" if len(unreadable) > 1 else ""
    first = f"{files.printable(name)} ({files.printable(reason)})"
    return [f"{counted(len(unreadable), 'file')} left out that cannot be read: {first}{others}."]


def _about_balance(classes: tuple[str, ...], counts: list[int]) -> list[str]:
    """A sentence, if some classes have many more images than others."""
    most, least = max(counts), min(counts)
    if least * _UNEVEN > most:
        return []
    large, small = classes[counts.index(most)], classes[counts.index(least)]
    times = f"{most / least:.1f} times as many as" if least else "and there are none of"
    many = f"{counted(most, 'image')} of '{files.printable(large)}'"
    return [f"The classes are uneven: {many}, {times} of '{files.printable(small)}' ({least:,})."]


def _from_table(path: Path, writer: Writer, say: Say) -> About:
    """Write the arrays of a CSV file."""
    say(f"Reading {shown(path)}")
    images, labels, classes = table.read_csv(path)
    for split, places in shares.three_ways(labels).items():
        writer.add(f"{split}-images", [images[places]])
        writer.add(f"{split}-labels", [labels[places].astype("<i8")])
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    remark = "80 % of each class are train, 10 % val, 10 % test, the same ones every time."
    what = f"{counted(len(labels), 'image')}, {images.shape[2]}x{images.shape[3]} grey"
    return About(title="", description=what, classes=classes, remarks=(remark, *_about_balance(classes, counts)))
