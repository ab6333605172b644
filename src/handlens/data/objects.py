"""Data set objects of other libraries, known by what they can do; none of those libraries is imported here.

torchvision's give pairs of an image and a label; without a transform the image is Pillow's. Hugging Face's give rows of named columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from handlens.errors import DataError

_IMAGES = ("image", "img", "images", "pixel_values")
_LABELS = ("label", "labels", "fine_label", "class", "target")
_VAL = ("val", "validation", "valid")


def is_rows(data: object) -> bool:
    """Whether this is a data set of named columns, as Hugging Face's are."""
    return all(hasattr(data, name) for name in ("features", "column_names", "__len__", "__getitem__")) and not isinstance(data, Mapping)


def pair_of(item: Any) -> tuple[Any, Any]:
    """The image, as an array C,H,W or H,W if it is Pillow's, and the label of one item of a data set.

    Raises:
        DataError: it is a row without a column that is known to be an image, or a label.
    """
    if isinstance(item, Mapping):
        item = tuple(item[_column(item, names)] for names in (_IMAGES, _LABELS))
    image, label = item
    return (_pixels(image) if hasattr(image, "getbands") else image), label


def whole_number(label: Any) -> int:
    """A label as a number; `7.0` is one, `0.7` is not.

    Raises:
        TypeError, ValueError, OverflowError, RuntimeError: it is no whole number.
    """
    number = int(label)
    if number != float(label):
        raise ValueError(f"the label is {label}")
    return number


def _column(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = next((name for name in names if name in row), None)
    if found is None:
        raise DataError(
            f"None of the columns {', '.join(map(str, row))} is called {' or '.join(names)}.",
            hint=f"Rename one: data.rename_column(..., '{names[0]}')",
        )
    return found


def _pixels(image: Any) -> np.ndarray[Any, Any]:
    grey = image.mode in ("1", "L")
    pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return pixels if grey else pixels.transpose(2, 0, 1)


def class_names(data: object) -> tuple[str, ...] | None:
    """The names of the classes, if the data set knows them: `classes` (torchvision), or `names` of its column of labels (Hugging Face)."""
    classes = getattr(data, "classes", None)
    features = getattr(data, "features", None)
    if classes is None and isinstance(features, Mapping):
        classes = next((getattr(features[name], "names", None) for name in _LABELS if name in features), None)
    return tuple(classes) if isinstance(classes, tuple | list) and all(isinstance(name, str) for name in classes) else None


def splits_of(data: object) -> dict[str, Any] | None:
    """`train` and, if they are there, `val` and `test` of a dictionary of data sets; None if it is none."""
    if not isinstance(data, Mapping) or "train" not in data:
        return None
    val = next((data[name] for name in _VAL if name in data), None)
    found = {"train": data["train"], "val": val, "test": data.get("test")}
    return {split: some for split, some in found.items() if some is not None}
