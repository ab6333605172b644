"""Runs that were measured on images, kept for the next question: a page asks many about the same ones."""

from __future__ import annotations

import collections
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from handlens.data import Split
from handlens.data.catalog import MINE
from handlens.errors import UsageError
from handlens.evaluation import Evaluation
from handlens.runs import Run
from handlens.web.shelf import run_named

ON = ("test", "val", MINE)
"""Where a run can be measured: names only, since `Run.split` would read a folder."""

_MOST = 8


@dataclass(frozen=True)
class Measured:
    """A run, and what it says to some images.

    Attributes:
        run: the run; its note and name may be older ones.
        model: its network; see `turn`.
        split: the images.
        evaluation: what it says to them.
    """

    run: Run
    model: nn.Module
    split: Split
    evaluation: Evaluation


Key = tuple[Path, str, str]
_kept: collections.OrderedDict[Key, Measured] = collections.OrderedDict()
_accuracies: dict[Key, float] = {}
turn = threading.RLock()
"""Held while a kept network is used: explanations hook into its layers, and two measurements at a time only take longer."""


def measured(name: str, on: str) -> Measured:
    """The run of that name on images; of one's own digits, those that there are now.

    Raises:
        UsageError: there are no such images.
        RunNotFound, RunDamaged, ModelError, DataError: the run, its network or the images cannot be had.
    """
    if on not in ON:
        raise UsageError("A run is measured on one of: " + ", ".join(ON) + ".")
    run = run_named(name)
    key = _key(run, on)
    with turn:
        found = _kept.get(key)
        if found is None or (MINE in (on, run.config.data) and _has_changed(found, run.split(on))):
            found = _kept[key] = Measured(run, run.model(), run.split(on), run.evaluate(on))
            _accuracies[key] = found.evaluation.accuracy
        _kept.move_to_end(key)
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return found


def known_accuracy(run: Run) -> float | None:
    """What a run reached on its test images, if it was measured since the lab was started: a file beside it could claim anything."""
    return _accuracies.get(_key(run, "test"))


def _key(run: Run, on: str) -> Key:
    return run.folder.absolute(), run.pointer.entry(run.default_checkpoint).sha256, on


def _has_changed(found: Measured, now: Split) -> bool:
    return not np.array_equal(found.split.images.numpy(), now.images.numpy()) or found.split.labels.tolist() != now.labels.tolist()
