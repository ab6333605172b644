"""Runs that were measured on images, kept for the next question: a page asks many about the same ones."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import nn

from handlens.data import Split
from handlens.data.catalog import MINE
from handlens.errors import UsageError
from handlens.evaluation import Evaluation
from handlens.runs import Run
from handlens.web.absent import needing
from handlens.web.shelf import run_named

ON = ("test", "val", MINE)
"""Where a run can be measured: names only, since `Run.split` would read a folder."""

_MOST = 8


@dataclass(frozen=True)
class Measured:
    """A run, and what it says to some images.

    Attributes:
        run: the run; its note and name may be older ones.
        model: its network.
        split: the images.
        evaluation: what it says to them.
        turn: held while the network is used, since explanations hook into its layers.
    """

    run: Run
    model: nn.Module
    split: Split
    evaluation: Evaluation
    turn: threading.Lock = field(default_factory=threading.Lock)


Key = tuple[Path, str, str]
_kept: dict[Key, Measured] = {}
_accuracies: dict[Key, float] = {}
_measuring = threading.Lock()  # two at a time would only take longer


def measured(name: str, on: str) -> Measured:
    """The run of that name on images; of one's own digits, those that there are now.

    Raises:
        UsageError: there are no such images.
        Absent: the images are not on this machine; they are not fetched.
        RunNotFound, RunDamaged, ModelError, DataError: the run, its network or the images cannot be had.
    """
    if on not in ON:
        raise UsageError("A run is measured on one of: " + ", ".join(ON) + ".")
    run = run_named(name)
    with needing(run.config.data, run.config.with_data):
        if found := _known(run, on):
            return found
        with _measuring:
            return _known(run, on) or _measure(run, on)


def _known(run: Run, on: str) -> Measured | None:
    found = _kept.get(_key(run, on))
    return None if found and MINE in (on, run.config.data) and _has_changed(found, run.split(on)) else found


def _measure(run: Run, on: str) -> Measured:
    found = _kept[_key(run, on)] = Measured(run, run.model(), run.split(on), run.evaluate(on))
    _accuracies[_key(run, on)] = found.evaluation.accuracy
    for old in list(_kept)[:-_MOST]:
        del _kept[old]
    return found


def known_accuracy(run: Run) -> float | None:
    """What a run reached on its test images, if it was measured since the lab was started: a file beside it could claim anything."""
    return _accuracies.get(_key(run, "test"))


def _key(run: Run, on: str) -> Key:
    return run.folder.absolute(), run.pointer.entry(run.default_checkpoint).sha256, on


def _has_changed(found: Measured, now: Split) -> bool:
    return not np.array_equal(found.split.images.numpy(), now.images.numpy()) or found.split.labels.tolist() != now.labels.tolist()
