"""What the knobs of a network can be; anything else is answered in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from numbers import Integral

from handlens.errors import ModelError, nearest


def check_sizes(name: str, sizes: object) -> None:
    """One whole number from 1 for each layer.

    Raises:
        ModelError: it is something else.
    """
    if isinstance(sizes, Integral):
        raise ModelError(f"{name} is one number, {sizes}, not one for each layer.", hint=f"For one layer: {name}=({sizes},)")
    if not isinstance(sizes, Sequence) or not all(isinstance(size, Integral) for size in sizes):
        raise ModelError(f"{name} cannot be {sizes!r}.", hint=f"Give one whole number for each layer: {name}=(128, 64)")
    if any(size < 1 for size in sizes):
        raise ModelError(f"{name} cannot have a {min(sizes)}.", hint="The numbers are whole, and from 1.")


def check_word(name: str, word: object, known: Collection[str]) -> None:
    """One of the words that are known.

    Raises:
        ModelError: it is another one.
    """
    if word not in known:
        raise ModelError(f"There is no {name} '{word}'.", hint=nearest(str(word), known))


def check_share(name: str, share: object) -> None:
    """From 0 to below 1.

    Raises:
        ModelError: it is something else.
    """
    if not isinstance(share, float | int) or not 0 <= share < 1:
        raise ModelError(f"A {name} of {share} is not possible.", hint="It is the share of units silenced: from 0 to below 1.")
