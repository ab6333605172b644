"""The user's own digits to be looked at: what was drawn, and beside it what the network sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlens.data.mine.built import in_words
from handlens.data.mine.digits import CLASSES, check_label, digits, drawn, nothing_yet, seen
from handlens.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHORT = 6
"""So many letters of an id are shown: enough for `handlens mine label`."""

_MOST_OF_EACH = 8
_MOST_OF_ONE = 64


def show(label: object = None) -> Figure:
    """The digits by label, the newest first: of each as many as there is room for, or 64 of one.

    Args:
        label: only those of this label.

    Raises:
        UsageError: that is no label, or there is no digit of it.
        DataMissing: there are no digits yet.
        DataDamaged: the table, or the picture of a digit, is not what it should be.
    """
    from handlens import plots

    kept = digits()
    if not kept:
        raise nothing_yet()
    wanted = range(10) if label is None else [check_label(label)]
    groups = []
    for one in wanted:
        mine = [digit for digit in reversed(kept) if digit.label == one]
        some = mine[: _MOST_OF_EACH if label is None else _MOST_OF_ONE]
        if some:
            heading = f"{CLASSES[one]}   {len(some)} of {len(mine)}" if len(some) < len(mine) else f"{CLASSES[one]}   {len(mine)}"
            groups.append(plots.Pairs(heading, [(drawn(digit), seen(digit).image, digit.id[:SHORT]) for digit in some]))
    if not groups:
        raise UsageError(f"None of your digits is a {label}.", hint="How many there are of each: handlens mine ls")
    return plots.plot_pairs(groups, in_words(kept))
