"""Whether a file says what the run says: on the same images, one at a time, seven, and 256."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from handlens.errors import FailedError
from handlens.export.subject import Subject
from handlens.words import counted

Ask = Callable[[Tensor], NDArray[np.float32]]
"""Images `uint8` N,C,H,W in, logits N,K out."""

BATCHES = (256, 7, 1)
TOLERANCE = 1e-5
_ORDERS = 4  # so many times what float32 rounds may two orders of adding differ by


@dataclass(frozen=True)
class Agreement:
    """How far a file agrees with the run it was made of.

    Attributes:
        images: how many both were asked about.
        largest: the largest difference of a logit.
        how: by what the file was asked.
    """

    images: int
    largest: float
    how: str

    def __str__(self) -> str:
        if not self.images:
            return self.how
        return f"{counted(self.images, 'image')}, the same answer for each, largest difference of a logit {self.largest:.1e} ({self.how})"


def agree(ask: Ask, subject: Subject, how: str) -> Agreement:
    """Ask a file about all of the subject's images, in batches of each of these sizes, and compare.

    Raises:
        FailedError: see `difference`.
    """
    answers = (np.concatenate([ask(some) for some in subject.images.split(size)]) for size in BATCHES)
    tolerance = allowed(subject)
    return Agreement(len(subject.images), max(difference(logits, subject.logits, tolerance) for logits in answers), how)


def allowed(subject: Subject, least: float = TOLERANCE) -> float:
    """How far a logit may be from the run's: `least`, or some times what the run's own arithmetic rounds, if that is more."""
    return max(least, _ORDERS * subject.rounding)


def difference(logits: NDArray[np.float32], wanted: NDArray[np.float32], tolerance: float) -> float:
    """The largest difference of two logits, N,K each.

    Raises:
        FailedError: the prediction is another class somewhere, or a logit differs by more than the tolerance.
    """
    if logits.shape != wanted.shape or not np.isfinite(logits).all():
        raise failed("it gives other numbers of logits, or some that are no numbers")
    largest = float(np.abs(logits - wanted).max())
    others = int((logits.argmax(1) != wanted.argmax(1)).sum())
    if largest > tolerance or others:
        raise failed(f"of {counted(len(wanted), 'image')} it reads {others:,} otherwise, and a logit differs by {largest:.2g}")
    return largest


def failed(why: str) -> FailedError:
    """That a file is not kept."""
    return FailedError(
        f"The file does not say what the run says: {why}. It is not kept.",
        hint="Try again; if it stays so, report it with the run's network.",
    )
