"""What `data check` says about a data set: balance, means, and images that are there twice."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

import handlens as hl
from handlens.cli.verbs import run
from handlens.data import Dataset, duplicates, from_tensors, inspect
from handlens.errors import UsageError

RANDOM = np.random.default_rng(4)


def pictures(count: int, channels: int = 1, size: int = 16) -> NDArray[np.uint8]:
    """Smooth random images: what is real is smooth, and noise would not survive being packed."""
    made = [Image.fromarray(RANDOM.integers(0, 256, (size, size, 3), np.uint8)).filter(ImageFilter.GaussianBlur(2)) for _ in range(count)]
    coloured = np.stack([np.asarray(image) for image in made]).transpose(0, 3, 1, 2)
    stretched = (coloured.astype(int) - 100) * 4
    return stretched.clip(0, 255).astype(np.uint8)[:, :channels]


def as_jpeg(image: NDArray[np.uint8], quality: int = 80) -> NDArray[np.uint8]:
    body = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(body, "JPEG", quality=quality)
    pixels = np.asarray(Image.open(body))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def brute(images: NDArray[np.uint8], least: float) -> set[tuple[int, int]]:
    """Each pair compared, with no shortcut; of equal images only the first."""
    rows = images.reshape(len(images), -1).astype(float)
    table = np.corrcoef(rows)
    repeated = [any(np.array_equal(image, earlier) for earlier in images[:place]) for place, image in enumerate(images)]
    return {
        (first, second)
        for first, second in zip(*np.nonzero(table >= least), strict=True)
        if first < second and not repeated[first] and not repeated[second]
    }


@given(seed=st.integers(0, 1000), least=st.sampled_from([0.6, 0.8, 0.95]), count=st.integers(2, 40))
def test_no_pair_is_lost_by_the_shortcuts(monkeypatch: pytest.MonkeyPatch, seed: int, least: float, count: int) -> None:
    monkeypatch.setattr(duplicates, "_BLOCK", 3)  # so that few images are many blocks, and not all directions are looked at
    monkeypatch.setattr(duplicates, "_DIRECTIONS", 4)
    random = np.random.default_rng(seed)
    base = random.integers(0, 256, (max(1, count // 3), 1, 5, 5))
    noisy = base[random.integers(0, len(base), count)] + random.normal(0, random.choice([5, 20, 60]), (count, 1, 5, 5))
    images = noisy.clip(0, 255).astype(np.uint8)
    found = {(pair.first, pair.second) for pair in duplicates.near(images, least)}
    sure, possible = brute(images, least + 1e-4), brute(images, least - 1e-4)
    assert sure <= found <= possible


@pytest.mark.parametrize("channels", [1, 3])
def test_brighter_packed_and_contrastier_copies_are_found_and_nothing_else(channels: int) -> None:
    images = pictures(300, channels)
    images[100] = as_jpeg(images[5])
    images[200] = (images[6] * 0.7 + 30).astype(np.uint8)
    images[250] = images[7]
    assert {(pair.first, pair.second) for pair in duplicates.near(images, 0.97)} == {(5, 100), (6, 200)}
    assert [(pair.first, pair.second) for pair in duplicates.exact(images)] == [(7, 250)]


def test_images_larger_than_thumbnails_are_compared_in_full_size() -> None:
    large = np.repeat(np.repeat(pictures(20), 4, axis=2), 4, axis=3)
    large[3] = large[3] // 2 + 64
    large[9] = large[3]
    large[9, 0, ::2, ::2] += 60  # as bright as before when shrunk by half, another picture in full size
    large[9, 0, 1::2, 1::2] -= 60
    large[15] = as_jpeg(large[4])
    assert [(pair.first, pair.second) for pair in duplicates.near(large, 0.97)] == [(4, 15)]


def test_images_of_one_colour_are_only_equal_or_not() -> None:
    images = np.zeros((50, 1, 8, 8), np.uint8)
    images[25:] = np.arange(25, dtype=np.uint8)[:, None, None, None] + 1
    assert duplicates.near(images, 0.9) == []
    assert len(duplicates.exact(images)) == 24


def test_the_search_ends_where_everything_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 1000)
    images = np.tile(pictures(1), (3000, 1, 1, 1))
    images[:, 0, 0, 0] = np.arange(3000) % 256
    assert len(duplicates.near(images, 0.9)) == 1000


def test_many_equal_images_are_one_to_the_search_of_near_ones() -> None:
    images = np.tile(pictures(1), (20_000, 1, 1, 1))
    images[700] = as_jpeg(images[0])
    assert len(duplicates.exact(images)) == 19_998
    assert [(pair.first, pair.second) for pair in duplicates.near(images, 0.97)] == [(0, 700)]


@pytest.mark.parametrize("shape", [(1, 64), (64, 1), (20, 100)])
def test_narrow_images_are_compared(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 200, (30, 1, *shape)).astype(np.uint8)
    images[20] = images[4] + 20
    assert [(pair.first, pair.second) for pair in duplicates.near(images, 0.97)] == [(4, 20)]


@pytest.fixture
def odd() -> Dataset:
    """Test image 1 is train image 0 under another label; two train images are equal."""
    images, labels = pictures(40), torch.arange(40) % 2
    images[7] = images[3]
    test = pictures(4)
    test[1] = as_jpeg(images[0])
    return from_tensors(images, labels, test=(test, torch.tensor([0, 1, 0, 1])), val=0, classes=("cat", "dog"), name="odd")


def test_an_inspection_says_where_and_of_which_class_the_twins_are(odd: Dataset) -> None:
    found = inspect(odd, near=0.97)
    assert [(twin.places, twin.classes) for twin in found.exact] == [((("train", 3), ("train", 7)), ("dog", "dog"))]
    assert [(twin.places, twin.classes) for twin in found.near] == [((("train", 0), ("test", 1)), ("cat", "dog"))]
    assert found.sentences() == [
        "Balance: each class has 20 training images.",
        "1 pair of images is equal, byte for byte; 0 of them across train and test; 0 with different labels.",
        "1 pair of images is nearly equal (correlation of at least 0.97); 1 of them across train and test; 1 with different labels.",
    ]
    assert np.array_equal(found.pictures[1][1], odd.test.images[1].numpy())
    assert np.array_equal(found.means[0], np.rint(odd.train.images[odd.train.labels == 0].double().mean(0).numpy()))
    assert json.loads(json.dumps(found.to_dict()))["across_train_and_test"] == 1
    assert found.plot().axes


def test_imbalance_is_the_largest_class_against_the_smallest() -> None:
    images, labels = pictures(30), torch.tensor([0] * 20 + [1] * 10)
    assert inspect(from_tensors(images, labels, val=0)).imbalance == 2
    assert "'0' has 20 training images, '1' 10: 2.00 times as many" in inspect(from_tensors(images, labels, val=0)).sentences()[0]
    missing = inspect(from_tensors(images, labels * 2, val=0))
    assert missing.imbalance == float("inf")
    assert missing.to_dict()["imbalance"] is None
    assert "nothing to learn it from" in missing.sentences()[0]


def test_a_correlation_that_is_none_is_refused(odd: Dataset) -> None:
    for near in (0.2, 1.5, float("nan")):
        with pytest.raises(UsageError, match="correlation of near duplicates"):
            inspect(odd, near=near)


def test_mnist_has_no_equal_images(mnist: hl.Dataset) -> None:
    images = np.concatenate([split.images.numpy() for split in mnist.splits.values()])
    assert duplicates.exact(images) == []


def test_the_command_prints_the_findings_and_draws_them(
    monkeypatch: pytest.MonkeyPatch, odd: Dataset, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("handlens.cli.loading.load_dataset", lambda *_: odd)
    assert run(["data", "check", "mnist", "--near", "0.97", "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert (found[0]["exact_duplicates"], found[0]["near_duplicates"], found[0]["damage"]) == (1, 1, None)
    assert (tmp_path / "mnist-check.png").read_bytes().startswith(b"\x89PNG")
    assert run(["data", "check", "mnist", "--near", "0.97", "--plot", "x.png"]) == 0
    said = capsys.readouterr().out
    assert "mnist is right, byte for byte." in said
    assert "equal\ttrain 3\ttrain 7\tdog\tdog" in said
