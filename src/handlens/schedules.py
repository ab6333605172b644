"""How the learning rate changes in the course of a training: a factor on `lr`, from the share of all steps that is done."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def _step(done: float) -> float:
    """A tenth of the rate after each third of the training."""
    return 0.1 ** int(3 * done)


def _cosine(done: float) -> float:
    """Down to zero along half a cosine (Loshchilov and Hutter 2017, without restarts)."""
    return (1 + math.cos(math.pi * done)) / 2


def _one_cycle(done: float) -> float:
    """Up from 1/25 in the first 30 %, then down to nearly nothing, each along half a cosine (Smith and Topin 2018, PyTorch's figures)."""
    warm = 0.3
    low, high, end = 1 / 25, 1.0, 1 / 25e4
    if done < warm:
        return high + (low - high) * _cosine(done / warm)
    return end + (high - end) * _cosine((done - warm) / (1 - warm))


def _triangular(done: float) -> float:
    """Up from nothing in the first 20 %, then straight down to nothing: for trainings of a few hundred steps (Smith 2017)."""
    warm = 0.2
    return (done + 1e-3) / (warm + 1e-3) if done < warm else (1 - done) / (1 - warm)


SCHEDULES: dict[str, Schedule] = {
    "none": lambda _done: 1.0,
    "step": _step,
    "cosine": _cosine,
    "one-cycle": _one_cycle,
    "triangular": _triangular,
}
