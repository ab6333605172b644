"""Shards: every image once an epoch in an order that can be written down, and more of them than memory may hold."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import handlens as hl
from handlens.data import sharded, write_shards
from handlens.errors import DataDamaged, DataMissing, UsageError
from handlens.fit import plan_for, starting
from handlens.limits import Limits, run_limited


@pytest.fixture
def folder(mnist: hl.Dataset) -> Path:
    """Twenty shards of unequal sizes, of real digits."""
    cuts = np.cumsum([0, *range(30, 50)])
    pieces = ((mnist.train.images[a:b], mnist.train.labels[a:b]) for a, b in itertools.pairwise(cuts))
    assert write_shards("shards", pieces) == 20
    return Path("shards")


def test_every_image_comes_once_an_epoch_in_an_order_of_seed_and_epoch(folder: Path, mnist: hl.Dataset) -> None:
    loader = sharded(folder, 64, seed=7)
    count = sum(range(30, 50))
    epochs = [[*loader], [*loader]]
    for batches in epochs:
        images, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
        assert [len(some) for _, some in batches] == [64] * (count // 64) + [count % 64]
        found = sorted((image.numpy().tobytes(), int(label)) for image, label in zip((images * 255).round().byte(), labels, strict=True))
        first = zip(mnist.train.images[:count], mnist.train.labels[:count], strict=True)
        assert found == sorted((image.numpy().tobytes(), int(label)) for image, label in first)
    again = sharded(folder, 64, seed=7)
    again.sampler.set_epoch(1)  # type: ignore[attr-defined]
    assert all(torch.equal(one[0], other[0]) for one, other in zip(again, epochs[1], strict=True))
    assert not torch.equal(epochs[0][0][0], epochs[1][0][0])
    assert not torch.equal(next(iter(sharded(folder, 64, seed=8)))[0], epochs[0][0][0])


def test_a_training_from_shards_is_resumed_bit_for_bit(folder: Path) -> None:
    def net() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    whole = hl.fit(net, sharded(folder), name="whole", epochs=3, quiet=True)
    with starting(plan_for(net, sharded(folder), epochs=3), name="cut") as training:
        assert next(iter(training))["epoch"] == 1
    run = hl.resume("cut", model=net(), data=sharded(folder), quiet=True)
    assert len(run.rows) == 3
    assert whole.pointer.last.sha256 == run.pointer.last.sha256


def test_what_are_no_shards_is_said(folder: Path) -> None:
    with pytest.raises(DataMissing, match="no shards"):
        sharded("nowhere")
    with pytest.raises(UsageError, match="batch size"):
        sharded(folder, 0)
    with pytest.raises(UsageError, match="Piece 0 is no shard"):
        write_shards("bad", [(torch.zeros(2, 1, 8, 8), torch.zeros(2))])
    with pytest.raises(UsageError, match="outside 0 to 255"):
        write_shards("bad", [(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 256]))])
    (folder / "0003-images").write_bytes((folder / "0003-images").read_bytes()[:-1])
    with pytest.raises(DataDamaged, match="truncated"):
        [*sharded(folder)]


PROGRAM = """
import sys
from torch import nn
import handlens as hl
from handlens.data import sharded
loader = sharded(sys.argv[1], 256)
net = nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(192, 10))
run = hl.fit(net, loader, epochs=1, lr=0.01, quiet=True)
print(len(loader.dataset), run.rows[0]["train_accuracy"])
"""
MEMORY, SHARD = 1400 << 20, 8 << 20  # bytes; PyTorch alone takes the larger part of the memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a program's memory for us")
def test_more_images_are_learned_from_than_memory_may_hold() -> None:
    count = SHARD // (3 * 128 * 128)
    labels = torch.arange(count) % 10
    brightness = (25 * labels).to(torch.uint8)
    write_shards("big", [(brightness[:, None, None, None].expand(count, 3, 128, 128).contiguous(), labels)])
    for number in range(1, MEMORY // SHARD + 2):  # the same file under many names: it is mapped anew under each
        for what in ("images", "labels"):
            os.link(f"big/0000-{what}", f"big/{number:04d}-{what}")
    size_bytes = sum(path.stat().st_size for path in Path("big").glob("*-images"))
    assert size_bytes > MEMORY
    ended = run_limited([sys.executable, "-c", PROGRAM, "big"], Limits(300, MEMORY))
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.split()[0]) == size_bytes // (3 * 128 * 128), ended.stdout
