"""A folder of labelled pictures to measure a run on: `7/scan.png` is a seven. They are prepared as `predict` prepares each."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from handlens import files
from handlens.data import Split, is_known
from handlens.data.catalog import MINE
from handlens.errors import DataDamaged, DataError, FileError
from handlens.prediction import Preparation

if TYPE_CHECKING:
    from handlens.data.folders import Picture, Tree

_NAMED = ("train", "val", "test", MINE)
_SHOWN = 3


def as_folder(on: str) -> Path | None:
    """The folder or zip file that somebody means who wants to measure on `on`; None for the name of a split or data set."""
    path = Path(on)
    written_as_path = path.suffix.lower() == ".zip" or any(separator in on for separator in ("/", os.sep))
    return path if written_as_path or (on not in _NAMED and not is_known(on) and files.is_folder(path)) else None


def read_pictures(folder: Path, classes: tuple[str, ...], preparation: Preparation) -> Split:
    """The pictures of class folders; those below `test/` if there are such, else all. What is no picture is left out, with a warning.

    Args:
        folder: of class folders, or a zip file of them.
        classes: of the network; the folders bear these names, not all need be there.
        preparation: what it needs.

    Raises:
        DataMissing, FileError: there is no such folder, or it cannot be read.
        DataError: there are no class folders, one is of no class of the network, or no picture can be read.
    """
    from handlens.data import folders
    from handlens.data.importing import name_for

    where = files.printable(str(folder))
    with folders.opened(folder) as tree:
        found = folders.arrange(tree, where)
        if foreign := [name for name in found.classes if name not in classes]:
            raise DataError(
                f"There is a folder '{foreign[0]}', and the network knows no such class.",
                where=where,
                hint=f"Its classes: {', '.join(classes)}.",
            )
        tested = [picture for picture in found.pictures if picture.split == "test"]
        images, labels, unreadable = _read(tree, tested or found.pictures, classes, preparation)
    if unreadable:
        warnings.warn(f"{len(unreadable):,} of these are left out: {_few(unreadable)}", stacklevel=2)
    if not images:
        raise DataError("None of the files in the class folders is a picture that can be read.", where=where)
    return Split(torch.from_numpy(np.stack(images)), torch.tensor(labels), classes, name_for(folder))


def _read(
    tree: Tree, some: Sequence[Picture], classes: tuple[str, ...], preparation: Preparation
) -> tuple[list[NDArray[np.uint8]], list[int], list[str]]:
    images, labels, unreadable = [], [], []
    for picture in some:
        try:
            images.append(preparation.prepare(tree.read(picture.name))[0])
            labels.append(classes.index(picture.label))
        except (DataDamaged, FileError) as error:
            unreadable.append(f"{files.printable(picture.name)} ({error.what})")
    return images, labels, unreadable


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
