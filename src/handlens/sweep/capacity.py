"""How many trials a machine carries at a time, and what memory each may use."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

from handlens.limits import usable_memory

TRIAL_MEMORY = 1 << 30
"""Bytes that are reckoned for a trial, with PyTorch and all."""

_LEAST_ADDRESSES = 4 << 30  # the system limits addresses, of which PyTorch asks for many more than it ever uses
_MEASURED_S = 0.35  # some periods of a container that has a share of the time
_BLOCK = bytes(1 << 22)
_ENOUGH = 0.9


def auto_count(threads: int) -> int:
    """How many workers this machine carries, each with so many threads: by its processors, and by the memory that may be used."""
    memory, by_processors = _shared_memory(), best_count(threads)
    return min(by_processors, max(1, memory // TRIAL_MEMORY)) if memory else by_processors


def best_count(threads: int) -> int:
    """How many workers this machine's processors carry, each with so many threads; of more that bring nothing the fewest.

    This is measured: a container may be allowed less than it sees, two processors may share one core, and others may be at work here.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = max(1, usable // threads)
    if most == 1:
        return 1
    counts = sorted({most, *(1 << power for power in range(most.bit_length()))})
    rates = {count: _rate(count * threads) for count in counts}
    return next(count for count in counts if rates[count] >= _ENOUGH * max(rates.values()))


def _rate(threads: int) -> float:
    """Blocks that so many threads work through together in a while; while a block is hashed, Python's other threads go on."""
    until = time.monotonic() + _MEASURED_S

    def work() -> int:
        done = 0
        while time.monotonic() < until:
            hashlib.sha256(_BLOCK)
            done += 1
        return done

    try:
        with ThreadPoolExecutor(threads) as pool:
            return sum(future.result() for future in [pool.submit(work) for _ in range(threads)])
    except RuntimeError:  # so many threads are not allowed
        return 0


def memory_share(count: int) -> int:
    """Bytes of addresses that each of so many workers may take: its part of nine tenths of the memory, but not less than PyTorch needs."""
    return max(_LEAST_ADDRESSES, _shared_memory() // count)


def _shared_memory() -> int:
    return usable_memory() * 9 // 10
