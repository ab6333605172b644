"""Small data made in the test: learnable in a second, and nothing to fetch."""

import torch

import handlens as hl
from handlens.data import from_tensors


def small_data(count: int = 240, classes: int = 4, size: int = 8) -> hl.Dataset:
    """Images of `size` x `size`: class k is a bright column at k, on noise. The last third is for testing."""
    noise = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % classes
    images = torch.randint(0, 100, (count, 1, size, size), dtype=torch.uint8, generator=noise)
    images[torch.arange(count), 0, :, labels] += 120
    cut = count * 2 // 3
    return from_tensors(images[:cut], labels[:cut], test=(images[cut:], labels[cut:]), val=0.2, name="columns")
