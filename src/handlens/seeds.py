"""Randomness without memory: every random choice is a pure function of what it is for and of numbers one can write down.

`seed_for("order", 42, 3)` is the same integer in every process on every machine, so the order of images in epoch 3 of seed 42 needs
nothing that happened before, and a training that was killed goes on bit for bit.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def seed_for(purpose: str, *key: int | str) -> int:
    """A 63-bit seed for one purpose, from the numbers and names that it may depend on.

    >>> seed_for("order", 42, 0) == seed_for("order", 42, 0) != seed_for("dropout", 42, 0)
    True
    """
    digest = hashlib.blake2b(repr((purpose, *key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(purpose: str, *key: int | str) -> torch.Generator:
    """A CPU generator of its own for one purpose; the global one is not touched."""
    import torch

    return torch.Generator().manual_seed(seed_for(purpose, *key))


@contextlib.contextmanager
def seeded(purpose: str, *key: int | str) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Run the body with PyTorch's global generators seeded for one purpose; afterwards they are as they were.

    For what cannot be given a generator: the first weights of a layer, dropout. The body gets `outside`: in a `with outside():` the
    generators are the caller's again, so that a generator function can yield from the middle of it.
    """
    import torch

    theirs = _get_states()
    torch.manual_seed(seed_for(purpose, *key))

    @contextlib.contextmanager
    def outside() -> Iterator[None]:
        nonlocal theirs
        ours = _get_states()
        _set_states(theirs)
        try:
            yield
        finally:
            theirs = _get_states()
            _set_states(ours)

    try:
        yield outside
    finally:
        _set_states(theirs)


def _get_states() -> list[torch.Tensor]:
    import torch

    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else ())]


def _set_states(states: list[torch.Tensor]) -> None:
    import torch

    torch.set_rng_state(states[0])
    if len(states) > 1:
        torch.cuda.set_rng_state_all(states[1:])
