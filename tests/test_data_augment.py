"""Images are changed by the amounts that were asked for, and at random only as seed and epoch say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image
from small import small_data
from torch import Tensor

import handlens as hl
from handlens.data import distort
from handlens.data.augment import AUGMENTATIONS, Augmentation, cut_and_mix, make_change, mix, preview
from handlens.errors import UsageError


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def digits(mnist: hl.Dataset) -> Tensor:
    """40 digits with four pixels of black around each, so that nothing leaves the image."""
    return torch.nn.functional.pad(mnist.test.images[:40].float() / 255, (4, 4, 4, 4))


def test_a_quarter_turn_is_exact_and_counter_clockwise(digits: Tensor) -> None:
    torch.testing.assert_close(distort.warp(digits, angle=90.0), torch.rot90(digits, 1, (2, 3)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("right, down", [(3, 0), (0, -2), (-1, 4)])
def test_a_shift_of_whole_pixels_is_exact(digits: Tensor, right: int, down: int) -> None:
    moved = distort.warp(digits, shift=(right / 36, down / 36))
    torch.testing.assert_close(moved, torch.roll(digits, (down, right), (2, 3)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("angle, scale, shear", [(17.0, 1.0, 0.0), (0.0, 0.8, 0.0), (0.0, 1.2, 0.0), (0.0, 1.0, 20.0), (-25.0, 0.9, 10.0)])
def test_turning_scaling_and_shearing_are_scipys(digits: Tensor, angle: float, scale: float, shear: float) -> None:
    turn, lean = math.radians(angle), math.tan(math.radians(shear))
    # Rows count downward: a counter-clockwise turn of (row, column), and columns that move right the higher the row stands.
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    forward = scale * rotation @ np.array([[1, 0], [-lean, 1]])
    back, centre = np.linalg.inv(forward), np.full(2, 17.5)
    ours = distort.warp(digits, angle=angle, scale=scale, shear=shear)[:, 0].numpy()
    theirs = [scipy.ndimage.affine_transform(image, back, centre - back @ centre, order=1) for image in digits[:, 0].numpy()]
    np.testing.assert_allclose(ours, np.stack(theirs), atol=1e-3)


def test_an_image_that_is_not_square_is_turned_and_not_squeezed() -> None:
    cross = torch.zeros(1, 1, 20, 40)
    cross[..., 10, 12:28] = 1
    turned = distort.warp(cross, angle=90.0)[0, 0]
    assert (turned.sum(0) > 1).sum() <= 2  # one column, or half of two
    assert 15 < (turned.sum(1) > 0.3).sum() < 18


def test_amounts_can_differ_from_image_to_image(digits: Tensor) -> None:
    both = distort.warp(digits[:2], angle=torch.tensor([0.0, 30.0]))
    torch.testing.assert_close(both[:1], digits[:1], atol=1e-5, rtol=0)
    torch.testing.assert_close(both[1:], distort.warp(digits[1:2], angle=30.0))


def test_a_bend_moves_each_point_by_its_own_arrow(digits: Tensor) -> None:
    bend = torch.zeros(len(digits), 2, 36, 36)
    bend[:, 0] = 2 / 36
    torch.testing.assert_close(distort.warp(digits, bend=bend), torch.roll(digits, 2, 3), atol=1e-4, rtol=0)


def test_a_tilted_sheet_is_seen_as_pillow_sees_it(digits: Tensor) -> None:
    across, down, side = 0.2, -0.15, 36
    centred = np.array([[2 / side, 0, -1], [0, 2 / side, -1], [0, 0, 1]])
    matrix = np.linalg.inv(centred) @ np.array([[1, 0, 0], [0, 1, 0], [across, down, 1]]) @ centred
    numbers = (matrix / matrix[2, 2]).ravel()[:8]
    theirs = [
        Image.fromarray(image).transform((side, side), Image.Transform.PERSPECTIVE, tuple(numbers), Image.Resampling.BILINEAR)
        for image in digits[:, 0].numpy()
    ]
    ours = distort.warp(digits, bend=distort.tilted(digits, across, down))[:, 0]
    np.testing.assert_allclose(ours, np.stack([np.asarray(image) for image in theirs]), atol=1e-4)


def test_strokes_become_thicker_and_thinner_as_scipys(digits: Tensor) -> None:
    grown = [scipy.ndimage.grey_dilation(image, (3, 3)) for image in digits[:, 0].numpy()]
    shrunk = [scipy.ndimage.grey_erosion(image, (3, 3)) for image in digits[:, 0].numpy()]
    np.testing.assert_array_equal(distort.thicken(digits, 1.0)[:, 0].numpy(), np.stack(grown))
    np.testing.assert_allclose(distort.thicken(digits, -1.0)[:, 0].numpy(), np.stack(shrunk), atol=1e-6)
    assert torch.equal(distort.thicken(digits, 0.0), digits)


@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_blur_is_scipys(digits: Tensor, sigma: float) -> None:
    theirs = [scipy.ndimage.gaussian_filter(image, sigma, mode="nearest", radius=math.ceil(3 * sigma)) for image in digits[:, 0].numpy()]
    np.testing.assert_allclose(distort.blur(digits, sigma)[:, 0].numpy(), np.stack(theirs), atol=1e-5)
    assert distort.blur(digits, 0.0) is digits


def test_contrast_and_noise(digits: Tensor) -> None:
    torch.testing.assert_close(distort.change_contrast(digits, 1.0), digits)
    grey = distort.change_contrast(digits, 0.0)
    torch.testing.assert_close(grey, digits.mean((1, 2, 3), keepdim=True).expand_as(digits))
    flat = torch.full((50, 1, 30, 30), 0.5)
    noise = distort.add_noise(flat, 0.1, generator()) - 0.5
    assert noise.std().item() == pytest.approx(0.1, rel=0.05)
    assert noise.mean().item() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_changed_images_are_images_still_and_the_same_each_time(digits: Tensor, name: str) -> None:
    once, again, other = (AUGMENTATIONS[name](digits, generator(seed)) for seed in (1, 1, 2))
    assert once.shape == digits.shape
    assert 0 <= once.min() <= once.max() <= 1
    assert torch.equal(once, again)
    assert torch.equal(once, other) == (name == "none")


LIMITS: dict[str, Any] = {
    "angle": 20.0,
    "shift": 0.1,
    "scale": 0.2,
    "shear": 15.0,
    "bend": 0.05,
    "tilt": 0.2,
    "thickness": 1.0,
    "noise": 0.2,
}


@pytest.mark.parametrize("knob", LIMITS)
def test_each_knob_alone_changes_images_and_each_by_its_own_amount(digits: Tensor, knob: str) -> None:
    same = digits[:1].expand(30, -1, -1, -1)
    changed = Augmentation(**{knob: LIMITS[knob]})(same, generator())
    assert len(changed.flatten(1).unique(dim=0)) == 30
    assert (changed - same).abs().mean() < 0.2


def test_a_blur_leaves_two_thirds_sharp_and_the_others_as_bright(digits: Tensor) -> None:
    softened = []
    for seed in range(6):
        changed = Augmentation(blur=2.0)(digits[:30], generator(seed))
        assert torch.equal(changed[:20], digits[:20])
        torch.testing.assert_close(changed.sum((1, 2, 3)), digits[:30].sum((1, 2, 3)), rtol=0.01, atol=0)
        softened.append(float((changed - digits[:30]).abs().max()))
    assert sum(amount > 0.1 for amount in softened) >= 4
    assert len(set(softened)) == 6


def test_a_cut_takes_one_side_of_the_ink_and_no_more_than_asked() -> None:
    full = torch.zeros(200, 1, 28, 28)
    full[..., 4:24, 4:24] = 1  # where MNIST has its ink
    left = Augmentation(cut=0.1)(full, generator())
    rows, columns = (left[:, 0].sum(axis) > 0 for axis in (2, 1))
    missing = torch.stack([20 - rows.sum(1), 20 - columns.sum(1)], 1)
    assert (missing.min(1).values == 0).all()
    assert missing.max() == 3  # of 28 pixels a tenth, begun
    sides = {(int(row.byte().argmax()) > 4, int(column.byte().argmax()) > 4) for row, column in zip(rows, columns, strict=True)}
    assert sides == {(False, False), (True, False), (False, True)}


def test_a_flip_changes_about_half_of_the_images_left_and_right(digits: Tensor) -> None:
    changed = Augmentation(flip=True)(digits, generator())
    flipped = (changed == digits.flip(3)).all((1, 2, 3))
    assert torch.equal(changed[~flipped], digits[~flipped])
    assert 8 < flipped.sum() < 32


def test_mixup_blends_images_and_labels_alike() -> None:
    images = torch.arange(64.0).view(-1, 1, 1, 1).expand(-1, 1, 2, 2) / 64
    mixed, labels = mix(images, torch.arange(64), 64, 1.0, generator())
    torch.testing.assert_close(labels.sum(1), torch.ones(64))
    torch.testing.assert_close(mixed[:, 0, 0, 0], labels @ (torch.arange(64.0) / 64))
    assert torch.equal(labels.argmax(1), torch.arange(64))
    assert labels.max(1).values.unique().numel() > 50


def test_cutmix_takes_rectangles_and_labels_by_area() -> None:
    images = torch.arange(64.0).view(-1, 1, 1, 1).expand(-1, 1, 16, 20)
    mixed, labels = cut_and_mix(images, torch.arange(64), 64, 1.0, generator())
    for index in range(64):
        values, counts = mixed[index].unique(return_counts=True)
        assert len(values) <= 2
        torch.testing.assert_close(labels[index][values.long()], counts / 320)
        other = mixed[index, 0] != index
        if other.any():
            rows, columns = other.any(1), other.any(0)
            assert other.sum() == rows.sum() * columns.sum()  # a rectangle
    assert (labels.max(1).values < 1).float().mean() > 0.5


@pytest.mark.parametrize("mixup, cutmix", [(0.2, 0.0), (0.0, 1.0), (0.5, 1.0), (0.0, 0.0)])
@pytest.mark.parametrize("name", ["none", "robust"])
def test_batches_are_changed_as_seed_and_epoch_say(name: str, mixup: float, cutmix: float) -> None:
    data = small_data()
    change = make_change(name, 4, mixup=mixup, cutmix=cutmix)

    def epoch(number: int, seed: int = 3) -> tuple[Tensor, Tensor]:
        batches = hl.batches(data.train, 16, seed=seed, change=change)
        batches.set_epoch(number)
        images, labels = zip(*batches, strict=True)
        return torch.cat(images), torch.cat(labels)

    (images, labels), (again, _), (next_one, _), (other, _) = epoch(0), epoch(0), epoch(1), epoch(0, seed=4)
    assert torch.equal(images, again)
    assert not torch.equal(images, next_one)
    assert not torch.equal(images, other)
    assert labels.shape == ((len(data.train), 4) if mixup or cutmix else (len(data.train),))
    assert (change is None) == (name == "none" and not mixup and not cutmix)


def test_a_misspelt_augmentation_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'light'"):
        make_change("ligth", 10)


def test_few_examples_are_of_all_classes_and_the_fewer_are_among_the_more() -> None:
    data = small_data(classes=4)
    few, more = data.few(10), data.few(50)
    assert sorted(few.train.counts) == [2, 2, 3, 3]
    rows = {tuple(image.flatten().tolist()) for image in more.train.images}
    assert all(tuple(image.flatten().tolist()) in rows for image in few.train.images)
    assert torch.equal(few.train.images, data.few(10).train.images)
    assert len(data.few(10_000).train) == len(data.train)
    assert (len(few.val), len(few.test)) == (len(data.val), len(data.test))


def test_a_preview_has_a_row_for_each_class_that_begins_with_the_image_as_it_is() -> None:
    figure = preview(small_data(classes=3).train, "robust", count=5, times=2)
    assert [text.get_text() for axes in figure.axes for text in axes.texts].count("as it is") == 3
    with pytest.raises(UsageError):
        preview(small_data().train, "ligth")
