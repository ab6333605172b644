"""Data sets by name and from one's own tensors; the validation split."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from tiny import Tiny, install

import handlens as hl
from handlens.data import as_dataset, from_tensors, load, tensors
from handlens.data.dataset import Split
from handlens.errors import DataDamaged, DataError, HandlensError, UsageError

CLASSES = tuple("abc")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tiny:
    tiny = install(monkeypatch, tmp_path)
    tiny.write(tmp_path / "data")
    return tiny


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Scikit-learn's 1,797 real digits, 8x8, values 0 to 16."""
    found = load_digits()
    return torch.from_numpy(found.images / 16), torch.from_numpy(found.target)


def test_mnist_is_what_the_world_knows(mnist: hl.Dataset) -> None:
    assert repr(mnist) == "Dataset(mnist: 54,000 train, 6,000 val, 10,000 test; images 1x28x28, 10 classes)"
    assert mnist.classes == tuple("0123456789")
    assert mnist.train.images.dtype == torch.uint8
    assert mnist.train.labels.dtype == torch.int64
    assert mnist.ink
    assert mnist.test.counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # the homepage's numbers
    together = [train + val for train, val in zip(mnist.train.counts, mnist.val.counts, strict=True)]
    assert together == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    images = torch.cat([mnist.train.images, mnist.val.images]).float() / 255
    assert round(images.mean().item(), 4) == 0.1307
    assert round(images.std().item(), 4) == 0.3081


def test_a_tenth_of_each_class_of_mnist_is_val_and_always_the_same_one(mnist: hl.Dataset) -> None:
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert sum(mnist.val.counts) == 6000
    assert all(abs(val - count / 10) < 1 for val, count in zip(mnist.val.counts, counts, strict=True))
    # Written down once: another validation split would make every published number of a run incomparable.
    assert mnist.val.counts == [592, 674, 596, 613, 584, 542, 592, 627, 585, 595]
    assert mnist.val.labels[:20].tolist() == VAL_LABELS
    assert int(mnist.val.images.long().sum()) == VAL_SUM


VAL_LABELS = [4, 9, 9, 0, 5, 8, 0, 0, 7, 0, 0, 4, 6, 5, 6, 7, 8, 9, 3, 3]
VAL_SUM = 156_783_351


@pytest.mark.usefixtures("tiny")
def test_load_gives_tensors_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load("tiny")
    assert (len(data.train), len(data.val), len(data.test)) == (180, 20, 50)
    assert data.train.images.shape == (180, 1, 28, 28)
    assert not data.ink


def test_val_0_leaves_all_images_to_train_in_their_order(tiny: Tiny) -> None:
    data = load("tiny", val=0)
    assert (len(data.train), len(data.val), len(data.test)) == (200, 0, 50)
    assert data.val.images.shape == (0, 1, 28, 28)
    assert data.train.images.numpy().tobytes() == tiny.plain["train-images-idx3-ubyte"][16:]
    assert data.train.labels.tolist() == list(tiny.plain["train-labels-idx1-ubyte"][8:])


def test_writing_into_the_images_never_reaches_the_cache(tiny: Tiny) -> None:
    load("tiny", val=0).train.images.zero_()
    assert load("tiny", val=0).train.images.any()


@pytest.mark.usefixtures("tiny")
def test_train_and_val_together_are_the_whole_and_keep_their_order() -> None:
    whole, data = load("tiny", val=0).train, load("tiny", val=0.25)
    place = {image.numpy().tobytes(): index for index, image in enumerate(whole.images)}
    train, val = ([place[image.numpy().tobytes()] for image in split.images] for split in (data.train, data.val))
    assert sorted(train + val) == list(range(200))
    assert train == sorted(train)
    assert val == sorted(val)
    assert data.val.labels.tolist() == whole.labels[val].tolist()


@pytest.mark.parametrize("val", [-0.1, 1, 1.5, math.nan, True])
def test_a_share_that_is_none_is_refused(val: float) -> None:
    with pytest.raises(UsageError, match="validation share"):
        load("mnist", val=val)
    with pytest.raises(UsageError, match="validation share"):
        from_tensors(np.zeros((4, 2, 2), np.uint8), [0, 1, 0, 1], val=val)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'mnist'"):
        hl.load("minst")


@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=6), share=st.floats(0, 0.95))
def test_each_class_gives_its_share_by_largest_remainders(counts: list[int], share: float) -> None:
    labels = torch.tensor([label for label, count in enumerate(counts) for _ in range(count)], dtype=torch.int64)
    labels = labels[torch.randperm(len(labels))]
    split = Split(torch.arange(len(labels)).view(-1, 1, 1).byte(), labels, tuple(str(label) for label in range(len(counts))))
    train, val = tensors.split_off(split, share, "any")
    total = round(share * len(labels))
    assert len(val) == total
    assert len(train) + len(val) == len(split)
    exact = [count * total / max(1, len(labels)) for count in counts]
    assert all(math.floor(right) <= here <= math.ceil(right) for here, right in zip(val.counts, exact, strict=True))
    rounded_up = [right % 1 for here, right in zip(val.counts, exact, strict=True) if here > right]
    rounded_down = [right % 1 for here, right in zip(val.counts, exact, strict=True) if here < right]
    assert min(rounded_up, default=1) >= max(rounded_down, default=0) - 1e-9
    again = tensors.split_off(split, share, "any")[1]
    assert torch.equal(again.images, val.images)


def test_the_validation_split_depends_on_the_name_and_on_nothing_global() -> None:
    split = Split(torch.arange(200).view(-1, 1, 1).byte(), torch.arange(200) % 2, ("even", "odd"))
    torch.manual_seed(1)
    first = tensors.split_off(split, 0.1, "one")[1].images.flatten().tolist()
    torch.manual_seed(2)
    assert tensors.split_off(split, 0.1, "one")[1].images.flatten().tolist() == first
    assert tensors.split_off(split, 0.1, "two")[1].images.flatten().tolist() != first
    larger = tensors.split_off(split, 0.2, "one")[1].images.flatten().tolist()
    assert set(first) < set(larger)


def test_the_validation_split_is_the_same_in_another_process_with_other_hashing(tiny: Tiny) -> None:
    code = "import sys, tiny; from handlens.data import catalog, load; catalog.DATASETS['tiny'] = tiny.make().entry\n"
    code += "print(load('tiny').val.images.long().sum().item())"
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(hl.__file__).parents[1])])
    there = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(there.stdout) == load("tiny").val.images.long().sum()
    assert tiny


def test_floats_become_the_nearest_byte() -> None:
    steps = torch.arange(256, dtype=torch.uint8)
    for images in (steps.float() / 255, steps.double() / 255, steps.numpy() / 255, (steps.float() / 255).requires_grad_()):
        data = from_tensors(images.reshape(256, 1, 1), torch.zeros(256, dtype=torch.int64), val=0)
        assert data.train.images.flatten().tolist() == steps.tolist()
    between = torch.tensor([0.0019, 0.0021, 0.5, 0.997, 0.999]).view(5, 1, 1)
    assert from_tensors(between, [0] * 5, val=0).train.images.flatten().tolist() == [0, 1, 128, 254, 255]
    images, labels = digits()
    data = from_tensors(images, labels, name="digits")
    assert repr(data) == "Dataset(digits: 1,617 train, 180 val, 0 test; images 1x8x8, 10 classes)"


@pytest.mark.parametrize(
    "shape, inside", [((9, 4, 5), (1, 4, 5)), ((9, 1, 4, 5), (1, 4, 5)), ((9, 3, 4, 5), (3, 4, 5)), ((9, 2, 4, 5), (2, 4, 5))]
)
def test_images_of_each_shape_are_taken(shape: tuple[int, ...], inside: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for images in (
        array,
        array.tolist() if array.ndim == 3 else array,
        torch.from_numpy(array),
        list(torch.from_numpy(array)),
        array[:, ::-1],
    ):
        made = np.asarray(images, np.uint8) if isinstance(images, list) and not isinstance(images[0], torch.Tensor) else images
        data = from_tensors(made, [0, 1, 2] * 3, val=0)
        assert data.image_shape == inside
        assert len(data.train) == 9


def test_test_and_classes_of_ones_own() -> None:
    images = np.zeros((6, 2, 2), np.uint8)
    data = from_tensors(images, [0, 0, 1, 1, 2, 2], test=(images[:2], [0, 1]), val=0.5, classes=["ant", "bee", "cow"], name="pets")
    assert (data.name, data.classes, len(data.train), len(data.val), len(data.test)) == ("pets", ("ant", "bee", "cow"), 3, 3, 2)
    assert data.val.counts == [1, 1, 1]
    assert from_tensors(images, [0, 0, 1, 1, 2, 2], test=(images[:1], [4])).classes == tuple("01234")


def test_an_array_that_cannot_be_written_is_copied_without_a_warning() -> None:
    images = np.zeros((4, 2, 2), np.uint8)
    images.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_tensors(images, np.array([0, 1, 0, 1], np.uint8)).train.images.add_(1)
    assert not images.any()


IMAGES = np.zeros((4, 2, 2), np.uint8)
LABELS = [0, 1, 0, 1]


@pytest.mark.parametrize(
    "images, labels, words",
    [
        (IMAGES * 1.0 - 1, LABELS, "values from -1 to -1"),
        (IMAGES + 255.0, LABELS, "values from 255 to 255"),
        (IMAGES * np.nan, LABELS, "values from nan to nan"),
        (IMAGES.astype(np.int64), LABELS, "The train images are int64"),
        (IMAGES.astype(bool), LABELS, "The train images are bool"),
        (IMAGES[0], LABELS, "shape (2, 2)"),
        (np.zeros((4, 28, 28, 3), np.uint8), LABELS, "N,H,W,C"),
        (np.zeros((4, 28, 28, 1)), LABELS, "images.permute(0, 3, 1, 2)"),
        (IMAGES, [0.0, 1.0, 0.0, 1.0], "The train labels are float"),
        (IMAGES, np.eye(4, dtype=np.int64), "shape (4, 4)"),
        (IMAGES, [0, 1, 0], "4 images but 3 labels"),
        (IMAGES, [0, -1, 0, 1], "labels go from -1 to 1"),
        (IMAGES, [1, 2, 3, 1], "labels go from 1 to 3; they count from 0.\nSubtract 1: labels - 1."),
        (IMAGES, [0, 1, 0, 10**6], "A label is 1,000,000; there are at most 16,384 classes."),
        (IMAGES, ["a", "b", "a", "b"], "The labels cannot be made into a tensor"),
        (IMAGES, None, "The labels cannot be made into a tensor"),
        ([[1, 2], [3]], LABELS, "The images cannot be made into a tensor"),
        ([torch.zeros(2, 2), torch.zeros(3, 3)], [0, 1], "The images cannot be made into a tensor"),
        ("images.png", LABELS, "The images cannot be made into a tensor"),
        ({}, LABELS, "The images cannot be made into a tensor"),
    ],
)
def test_tensors_that_cannot_be_used_are_refused_with_the_numbers(images: object, labels: object, words: str) -> None:
    with pytest.raises(DataError) as caught:
        from_tensors(images, labels)
    assert words in str(caught.value)


def test_a_label_outside_the_given_classes_is_refused_in_train_and_in_test() -> None:
    with pytest.raises(DataDamaged, match="labels go from 0 to 1, but there are 1 classes"):
        from_tensors(IMAGES, LABELS, classes=["one"])
    with pytest.raises(DataDamaged, match="test labels go from 7 to 7"):
        from_tensors(IMAGES, LABELS, test=(IMAGES[:1], [7]), classes=["one", "two"])


def test_no_images_at_all_are_a_data_set_that_is_empty() -> None:
    assert len(from_tensors(np.zeros((0, 2, 2)), np.zeros(0, np.int64)).train) == 0


class Own(torch.utils.data.Dataset[object]):
    """A learner's own data set of pairs."""

    def __init__(self, *items: object) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> object:
        return self.items[index]


class Stream(torch.utils.data.IterableDataset[object]):
    """One that can only be gone through."""

    def __iter__(self) -> Iterator[object]:
        yield IMAGES[0], 0


def test_a_dataset_is_taken_as_it_is_and_a_split_and_a_pair_are_split() -> None:
    images, labels = digits()
    data = from_tensors(images, labels, test=(images[:9], labels[:9]))
    assert as_dataset(data) is data
    assert repr(as_dataset(data.test, val=0)) == "Dataset(test: 9 train, 0 val, 0 test; images 1x8x8, 10 classes)"
    assert len(as_dataset((images, labels), val=0.2).val) == 359
    with pytest.raises(UsageError, match="validation share"):
        as_dataset(data.test, val=2)


def test_a_torch_dataset_is_read_once_and_bit_by_bit_what_a_loader_would_give() -> None:
    images, labels = digits()
    images = (images * 255).round() / 255
    own = torch.utils.data.TensorDataset(images.float().unsqueeze(1), labels)
    data = as_dataset(own, val=0)
    assert data.name == "tensordataset"
    assert torch.equal(data.train.images.float() / 255, own.tensors[0])
    assert torch.equal(data.train.labels, labels)
    subset = torch.utils.data.Subset(own, [5, 3])
    assert as_dataset(subset, val=0).train.labels.tolist() == labels[[5, 3]].tolist()


def test_a_torch_dataset_of_arrays_with_class_names() -> None:
    own = Own((IMAGES[0], 1.0), (IMAGES[1], np.int64(0)), (IMAGES[2], torch.tensor(1)))
    assert as_dataset(own, val=0).classes == ("0", "1")
    own.classes = ["left", "right"]  # type: ignore[attr-defined]
    data = as_dataset(own, val=0)
    assert data.classes == ("left", "right")
    assert data.train.labels.tolist() == [1, 0, 1]
    own.classes = [1, 2]  # type: ignore[attr-defined]
    assert as_dataset(own, val=0).classes == ("0", "1")


@pytest.mark.parametrize(
    "own, words",
    [
        (Own(), "empty or does not know its length"),
        (Stream(), "empty or does not know its length"),
        (Own(IMAGES[0]), "Item 0 of the data set Own is no pair"),
        (Own((IMAGES[0], 0), (IMAGES[0],)), "Item 1 of the data set Own is no pair"),
        (Own((IMAGES[0], "seven")), "is no pair of an image and a whole number"),
        (Own((IMAGES[0], 0.7)), "is no pair of an image and a whole number (the label is 0.7)"),
        (Own((IMAGES[0], float("inf"))), "is no pair of an image and a whole number"),
        (Own((IMAGES[0], torch.zeros(3))), "is no pair of an image and a whole number"),
        (Own((None, 0)), "The images cannot be made into a tensor"),
        (Own((IMAGES[0], 0), (np.zeros((3, 3), np.uint8), 0)), "Image 0 has the shape (2, 2), image 1 (3, 3)"),
        (Own((IMAGES[0] - 3.0, 0)), "values from -3 to -3"),
    ],
)
def test_a_torch_dataset_that_cannot_be_used_is_said(own: object, words: str) -> None:
    with pytest.raises(DataError) as caught:
        as_dataset(own)
    assert words in str(caught.value)


def test_a_torch_dataset_too_large_for_memory_is_refused_before_it_is_read() -> None:
    class Large(Own):
        def __len__(self) -> int:
            return 10**6

        def __getitem__(self, index: int) -> object:
            assert index == 0
            return torch.zeros(3, 224, 224), 0

    with pytest.raises(DataError, match="1,000,000 images of shape") as caught:
        as_dataset(Large())
    assert "DataLoader" in caught.value.hint


@pytest.mark.parametrize("data", [3, "mnist", None, (IMAGES,), [1, 2, 3], IMAGES])
def test_anything_else_is_refused_by_name(data: object) -> None:
    with pytest.raises(HandlensError) as caught:
        as_dataset(data)
    assert isinstance(caught.value, UsageError | DataError)


def test_mnist_is_loaded_from_the_cache_without_what_only_drawings_and_downloads_need() -> None:
    slow = "('scipy', 'torch._dynamo', 'matplotlib', 'pydantic', 'PIL', 'requests')"
    asked = f"import sys, handlens; handlens.load('mnist'); print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_a_training_is_begun_by_command_without_what_only_drawings_need() -> None:
    slow = "('scipy.ndimage', 'torch._dynamo', 'matplotlib')"
    asked = f"import sys; from handlens.cli import training; print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"
