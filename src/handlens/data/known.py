"""Whether a name leads to a data set, asked of as little as can be: a training asks it before its first step."""

from __future__ import annotations

from handlens.data.catalog import DATASETS, MINE


def is_known(name: str) -> bool:
    """Whether it is one of the catalogue, `mine`, or one that was imported."""
    if name in DATASETS or name == MINE:
        return True
    from handlens.data import stored

    return name in stored.names()
