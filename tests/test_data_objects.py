"""Data sets of torchvision and Hugging Face are taken as they are, by what they can do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import handlens as hl
from handlens.data import objects
from handlens.errors import DataError, UsageError

PIXELS = np.random.default_rng(1).integers(0, 256, (12, 6, 6, 3), np.uint8)
LABELS = [number % 3 for number in range(12)]


class Pictures(torch.utils.data.Dataset[Any]):
    """As torchvision's: pairs of a Pillow image and a label, and `classes`."""

    classes = ("cat", "dog", "fox")

    def __init__(self, mode: str = "RGB") -> None:
        self.mode = mode

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return Image.fromarray(PIXELS[index]).convert(self.mode), LABELS[index]


class ClassLabel:
    names = ("cat", "dog", "fox")


class Rows:
    """As Hugging Face's `datasets.Dataset`: rows by number, named columns, features."""

    def __init__(self, image: str = "image", label: str = "label") -> None:
        self.column_names = [image, label]
        self.features = {image: object(), label: ClassLabel()}

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> dict[str, Any]:
        image, label = self.column_names
        return {image: Image.fromarray(PIXELS[index]), label: LABELS[index]}


@pytest.mark.parametrize("given", [Pictures(), Rows(), Rows("img", "fine_label")], ids=["pairs", "rows", "other names"])
def test_images_labels_and_class_names_are_taken(given: object) -> None:
    found = hl.load(given, val=0)
    assert np.array_equal(found.train.images.numpy(), PIXELS.transpose(0, 3, 1, 2))
    assert found.train.labels.tolist() == LABELS
    assert found.classes == ("cat", "dog", "fox")


def test_grey_pictures_have_one_channel() -> None:
    assert hl.load(Pictures("L"), val=0).image_shape == (1, 6, 6)


def test_a_dictionary_of_splits_is_taken_with_its_own_validation_images() -> None:
    found = hl.load({"train": Rows(), "validation": Rows(), "test": Pictures()})
    assert [len(split) for split in found.splits.values()] == [12, 12, 12]
    assert [len(split) for split in hl.load({"train": Rows(), "test": Rows()}, val=0.25).splits.values()] == [9, 3, 12]
    assert [split.name for split in found.splits.values()] == ["train", "val", "test"]


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match="None of the columns photo, label is called image or img"):
        hl.load(Rows("photo"))


def test_what_is_none_of_these_is_said() -> None:
    for given in ({"test": Rows()}, object(), {1: 2}):
        with pytest.raises(UsageError, match="cannot be used as data"):
            hl.load(given)


def test_a_fit_takes_them_as_well() -> None:
    assert hl.fit("softmax", Rows(), epochs=1, quiet=True).about.classes == ("cat", "dog", "fox")


def test_names_that_are_no_words_are_not_taken() -> None:
    assert objects.class_names(type("Odd", (), {"classes": [1, 2]})()) is None
