"""Sentences in which a number stands."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """A number, and what stands behind it in a sentence.

    Args:
        number: how many.
        one: what stands behind 1.
        several: what stands behind every other number; if it is left out, `one` with an s.

    >>> counted(1, "image"), counted(1200, "image"), counted(2, "file was", "files were")
    ('1 image', '1,200 images', '2 files were')
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
