"""Random numbers that go on as if nobody had drawn any: of Python, NumPy, PyTorch, and of loaders and data sets that have their own."""

from __future__ import annotations

import contextlib
import functools
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

_DEEP = 6  # a loader, its sampler, its data set, the one behind that, its transforms
_MOST = 10_000
_MANY = 100  # of a long list only the first are looked at


@contextlib.contextmanager
def random_state_kept(*loaders: object) -> Iterator[None]:
    """What is drawn inside is drawn again after it.

    Args:
        loaders: what may have generators of its own, at whatever depth.
    """
    numpy = sys.modules.get("numpy")
    restore = [_as_it_is(one) for one in _generators(loaders)]
    restore.append(functools.partial(random.setstate, random.getstate()))
    if numpy:
        restore.append(functools.partial(numpy.random.set_state, numpy.random.get_state()))
    try:
        with torch.random.fork_rng():
            yield
    finally:
        for one in restore:
            one()


def _generators(loaders: object) -> list[Any]:
    numpy = sys.modules.get("numpy")
    kinds = (torch.Generator, random.Random, *((numpy.random.Generator, numpy.random.RandomState) if numpy else ()))
    found: list[Any] = []
    known: set[int] = set()
    waiting: list[tuple[object, int]] = [(loaders, 0)]
    while waiting and len(known) < _MOST:
        one, depth = waiting.pop()
        if id(one) in known or depth > _DEEP or isinstance(one, Tensor | type | random.SystemRandom):
            continue
        known.add(id(one))
        if isinstance(one, kinds):
            found.append(one)
        else:
            waiting += [(part, depth + 1) for part in _parts(one)]
    return found


def _parts(one: object) -> list[object]:
    if isinstance(one, list | tuple):
        return list(one[:_MANY])
    if isinstance(one, dict):
        return list(one.values())[:_MANY]
    return list(getattr(one, "__dict__", {}).values())


def _as_it_is(generator: Any) -> Callable[[], object]:
    """What puts a generator back."""
    if isinstance(generator, random.Random):
        return functools.partial(generator.setstate, generator.getstate())
    if hasattr(generator, "bit_generator"):
        return functools.partial(setattr, generator.bit_generator, "state", generator.bit_generator.state)
    return functools.partial(generator.set_state, generator.get_state())
