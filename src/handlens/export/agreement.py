"""Whether a file says what the run says: on the same images, one at a time, seven, and 256."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from handlens.errors import FailedError
from handlens.export.subject import Subject

Ask = Callable[[Tensor], NDArray[np.float32]]
"""Images `uint8` N,C,H,W in, logits N,K out."""

BATCHES = (256, 7, 1)
TOLERANCE = 1e-5
_ROUNDING = 1e-6  # of the largest logit: about eight steps of float32, which two orders of adding may differ by


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
        return f"{self.images:,} images, the same answer for each, largest difference of a logit {self.largest:.1e} ({self.how})"


def agree(ask: Ask, subject: Subject, how: str) -> Agreement:
    """Ask a file about all of the subject's images, in batches of each of these sizes, and compare.

    Raises:
        FailedError: see `difference`.
    """
    answers = (np.concatenate([ask(some) for some in subject.images.split(size)]) for size in BATCHES)
    return Agreement(len(subject.images), max(difference(logits, subject.logits, TOLERANCE) for logits in answers), how)


def difference(logits: NDArray[np.float32], wanted: NDArray[np.float32], tolerance: float) -> float:
    """The largest difference of two logits, N,K each.

    Raises:
        FailedError: the prediction is another class somewhere, or a logit differs by more than the tolerance; where the largest logits are
            above 10, by more than a millionth of the largest one.
    """
    if logits.shape != wanted.shape or not np.isfinite(logits).all():
        raise failed("it gives other numbers of logits, or some that are no numbers")
    largest = float(np.abs(logits - wanted).max())
    others = int((logits.argmax(1) != wanted.argmax(1)).sum())
    if largest > max(tolerance, _ROUNDING * float(np.abs(wanted).max())) or others:
        raise failed(f"of {len(wanted):,} images it reads {others:,} otherwise, and a logit differs by {largest:.2g}")
    return largest


def failed(why: str) -> FailedError:
    """That a file is not kept."""
    return FailedError(
        f"The file does not say what the run says: {why}. It is not kept.",
        hint="Try again; if it stays so, report it with the run's network.",
    )
