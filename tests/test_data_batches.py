"""The order is a pure function of (seed, epoch), and the fast way gives the bits of the slow one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import handlens as hl
from handlens.data import Split, batches, order
from handlens.errors import UsageError

CLASSES = tuple("0123456789")


def random_split(count: int, channels: int = 1, size: int = 5) -> Split:
    generator = torch.Generator().manual_seed(count)
    images = torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8, generator=generator)
    return Split(images, torch.randint(0, 10, (count,), generator=generator), CLASSES)


def test_order_is_a_pure_function_of_seed_and_epoch() -> None:
    torch.manual_seed(1)
    first = order(1000, 42, 3)
    before = torch.random.get_rng_state()
    assert torch.equal(order(1000, 42, 3), first)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.sort().values, torch.arange(1000))
    assert not torch.equal(order(1000, 42, 4), first)
    assert not torch.equal(order(1000, 43, 3), first)


def test_every_pass_is_the_next_epoch_and_set_epoch_goes_to_any() -> None:
    split = random_split(50)
    one = batches(split, 16, seed=7)
    passes = [torch.cat([labels for _, labels in one]) for _ in range(3)]
    assert [torch.equal(labels, split.labels[order(50, 7, epoch)]) for epoch, labels in enumerate(passes)] == [True] * 3
    one.set_epoch(1)
    assert torch.equal(torch.cat([labels for _, labels in one]), passes[1])


@pytest.mark.parametrize("part", [0.05, 0.3, 0.7, 0.9])
@pytest.mark.parametrize("shuffle", [True, False])
def test_epochs_of_a_part_go_on_where_the_last_one_ended_so_that_all_images_come_equally_often(part: float, shuffle: bool) -> None:
    numbers = torch.arange(40)
    split = Split(torch.zeros(40, 1, 2, 2, dtype=torch.uint8), numbers, tuple(map(str, numbers.tolist())))
    some = replace(batches(split, 16, seed=7, shuffle=shuffle), part=part)
    epochs = [torch.cat([labels for _, labels in some]) for _ in range(20)]
    assert {len(labels) for labels in epochs} == {round(40 * part)}
    assert len(some) == sum(1 for _ in some)
    assert torch.bincount(torch.cat(epochs)).tolist() == [round(20 * part)] * 40
    some.set_epoch(11)
    assert torch.equal(torch.cat([labels for _, labels in some]), epochs[11])


def test_shifted_images_are_moved_by_whole_pixels_anew_each_epoch() -> None:
    split = random_split(300)
    moved = replace(batches(split, 64, seed=7, shuffle=False), shift=1)
    first, second = (torch.cat([images for images, _ in moved]) for _ in range(2))
    padded = torch.nn.functional.pad(split.images.div(255), (1, 1, 1, 1), mode="replicate")
    windows = torch.stack([padded[:, :, down : down + 5, right : right + 5] for down in range(3) for right in range(3)])
    places = (windows == first).flatten(2).all(2)
    assert places.any(0).all()
    assert (places.sum(1) > 10).all()  # about 33 images of 300 each
    assert not torch.equal(first, second)
    moved.set_epoch(0)
    assert torch.equal(torch.cat([images for images, _ in moved]), first)


def test_a_pass_that_is_broken_off_does_not_change_the_next_one() -> None:
    split = random_split(50)
    whole, broken = batches(split, 8), batches(split, 8)
    list(whole)
    for _ in broken:
        break
    assert all(torch.equal(a[0], b[0]) for a, b in zip(whole, broken, strict=True))


@given(count=st.integers(1, 70), batch_size=st.integers(1, 90), channels=st.sampled_from([1, 3]), shuffle=st.booleans())
def test_batches_and_a_dataloader_in_the_same_order_give_the_same_bits(count: int, batch_size: int, channels: int, shuffle: bool) -> None:
    split = random_split(count, channels)
    ours = list(batches(split, batch_size, seed=3, shuffle=shuffle))
    sampler = order(count, 3, 0).tolist() if shuffle else range(count)
    loader = torch.utils.data.DataLoader(split, batch_size=batch_size, sampler=sampler)
    assert len(ours) == len(batches(split, batch_size)) == len(loader)
    for (images, labels), (their_images, their_labels) in zip(ours, loader, strict=True):
        assert torch.equal(images, their_images)
        assert torch.equal(labels, their_labels)
        assert images.dtype == torch.float32
        assert labels.dtype == torch.int64


def test_all_of_mnist_in_batches_is_what_a_dataloader_gives(mnist: hl.Dataset) -> None:
    part = mnist.test
    loader = torch.utils.data.DataLoader(part, batch_size=512, sampler=order(len(part), 42, 0).tolist())
    for (images, labels), (their_images, their_labels) in zip(hl.batches(part, 512), loader, strict=True):
        assert torch.equal(images, their_images)
        assert torch.equal(labels, their_labels)


def test_one_image_no_image_and_a_batch_larger_than_the_data() -> None:
    one = random_split(1)
    assert [len(labels) for _, labels in batches(one, 64)] == [1]
    assert list(batches(one.subset(torch.tensor([], dtype=torch.int64)), 64)) == []
    assert len(batches(one, 1)) == 1


def test_a_batch_is_the_learners_own() -> None:
    split = random_split(10)
    before = split.images.clone()
    for images, _ in batches(split, 4, shuffle=False):
        images.zero_()
    assert torch.equal(split.images, before)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_refused(batch_size: int) -> None:
    with pytest.raises(UsageError, match="batch size"):
        batches(random_split(3), batch_size)
