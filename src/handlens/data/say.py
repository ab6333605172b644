"""How the search for data says what it does: one function, which the caller may give."""

from __future__ import annotations

import sys
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
