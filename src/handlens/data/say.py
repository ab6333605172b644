"""How the search for data says what it does: one function, which the caller may give."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol


class Say(Protocol):
    """What is told each step before it is taken, and how far a download is."""

    def __call__(self, sentence: str, done: float | None = None) -> None:
        """Be told a step, or how far it is.

        Args:
            sentence: the step ("Downloading train-images-idx3-ubyte.gz (9.9 MB) from ...").
            done: None before the step; then, at most ten times a second with the same sentence, the share of a download that is there.
        """


def on_stderr(sentence: str, done: float | None = None) -> None:
    """Print each step once."""
    if done is None:
        print(sentence, file=sys.stderr, flush=True)


def megabytes(size_bytes: int) -> str:
    """A length as people read it.

    >>> megabytes(9912422), megabytes(28881)
    ('9.9 MB', '29 kB')
    """
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def images_in_words(shape: Sequence[int]) -> str:
    """Images of a shape, C,H,W, as people call them.

    >>> images_in_words((1, 28, 28)), images_in_words((3, 32, 48))
    ('grey images of 28 by 28 pixels', 'colour images of 48 by 32 pixels')
    """
    if len(shape) != 3:
        return f"tensors of {'x'.join(map(str, shape))} numbers"
    channels, height, width = shape
    kind = {1: "grey images", 3: "colour images"}.get(channels, f"images of {channels} channels")
    return f"{kind} of {width} by {height} pixels"
