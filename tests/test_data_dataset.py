"""A data set shows itself, fits PyTorch's own loader, and refuses at once what cannot be."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch.utils.data import DataLoader

import handlens as hl
from handlens.data import Dataset, Split, from_tensors
from handlens.errors import DataDamaged, DataError

IMAGES = torch.arange(6 * 2 * 3, dtype=torch.uint8).reshape(6, 2, 3)
LABELS = torch.tensor([0, 1, 1, 2, 2, 2])
CLASSES = ("T-shirt/top", "Ankle <boot>", "c")


@pytest.fixture
def split() -> Split:
    return Split(IMAGES, LABELS, CLASSES)


@pytest.fixture
def data() -> Dataset:
    return from_tensors(IMAGES, LABELS, test=(IMAGES[:2], LABELS[:2]), val=0.5, classes=CLASSES, name="mine")


def test_a_split_is_an_ordinary_torch_data_set(split: Split) -> None:
    image, label = split[3]
    assert image.dtype == torch.float32
    assert image.shape == (1, 2, 3)
    assert torch.equal(image * 255, IMAGES[3:4].float())
    assert label == 2
    images, labels = next(iter(DataLoader(split, batch_size=4)))
    assert images.shape == (4, 1, 2, 3)
    assert labels.tolist() == [0, 1, 1, 2]


def test_a_split_goes_through_the_workers_of_a_loader(split: Split) -> None:
    found = [labels for _, labels in DataLoader(split, batch_size=4, num_workers=1)]
    assert torch.equal(torch.cat(found), LABELS)
    assert torch.equal(pickle.loads(pickle.dumps(split)).images, split.images)


def test_the_last_item_ends_an_ordinary_for_loop(split: Split) -> None:
    assert sum(1 for _ in split) == 6  # type: ignore[misc, attr-defined, unused-ignore]
    with pytest.raises(IndexError):
        split[6]


def test_sizes_counts_and_subsets(split: Split) -> None:
    assert len(split) == 6
    assert split.image_shape == (1, 2, 3)
    assert split.counts == [1, 2, 3]
    part = split.subset(torch.tensor([5, 0]), "part")
    assert (part.name, part.labels.tolist(), part.counts) == ("part", [2, 0], [1, 0, 1])
    assert split.subset(torch.tensor([1])).name == "train"
    assert split.to("cpu").images is split.images
    assert repr(split) == "Split(train: 6 images 1x2x3, 3 classes)"


def test_a_data_set_says_what_it_holds(data: Dataset) -> None:
    assert repr(data) == "Dataset(mine: 3 train, 3 val, 2 test; images 1x2x3, 3 classes)"
    assert data.describe().splitlines() == [
        "class           train      val     test",
        "T-shirt/top         1        0        1",
        "Ankle <boot>        1        1        1",
        "c                   1        2        0",
        "all                 3        3        2",
    ]
    assert list(data.splits) == ["train", "val", "test"]


def test_the_notebook_view_has_a_picture_a_table_and_no_markup_of_others(data: Dataset) -> None:
    view = data._repr_html_()
    assert "data:image/" in view
    assert "Ankle &lt;boot&gt;" in view
    assert "<boot>" not in view
    assert "54,000" not in view


def test_a_data_set_is_a_figure_without_a_window(data: Dataset, mnist: hl.Dataset) -> None:
    assert data.show(4).axes
    assert data.train.show(100).axes
    assert mnist.show().axes


@pytest.mark.parametrize(
    "images, labels, kind, words",
    [
        (IMAGES.float(), LABELS, DataError, "The train images are float32 of shape (6, 1, 2, 3)"),
        (IMAGES[0, 0], LABELS, DataError, "of shape (3,)"),
        (IMAGES, LABELS.float(), DataError, "The train labels are float32"),
        (IMAGES, LABELS.view(2, 3), DataError, "shape (2, 3)"),
        (IMAGES[:5], LABELS, DataDamaged, "5 images but 6 labels"),
        (IMAGES, LABELS + 1, DataDamaged, "labels go from 1 to 3, but there are 3 classes"),
        (IMAGES, LABELS - 1, DataDamaged, "labels go from -1 to 1"),
    ],
)
def test_what_cannot_be_is_refused_with_the_numbers(images: torch.Tensor, labels: torch.Tensor, kind: type[DataError], words: str) -> None:
    with pytest.raises(kind) as caught:
        Split(images, labels, CLASSES)
    assert words in caught.value.what
    assert ("subtract 1" in caught.value.hint) == ("from 1 to 3" in words)
