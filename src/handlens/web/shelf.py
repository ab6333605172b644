"""The runs that the lab can ask, and networks that are kept ready for the next question."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from handlens import explain
from handlens.data import cache
from handlens.data.mine.digits import CLASSES
from handlens.data.say import images_in_words
from handlens.errors import HandlensError, RunNotFound, UsageError
from handlens.prediction import Preparation
from handlens.runs import STARTER, Run, existing_place, list_runs, load_run, no_runs, preparation_of, runs_folder

_MOST_READY = 4


class Turns:
    """A network that is used by one at a time, since hooks into its layers see what others ask. It is loaded when it is used first.

    Args:
        load: gives the network.
    """

    def __init__(self, load: Callable[[], nn.Module]) -> None:
        self._load = load
        self._model: nn.Module | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def use(self, off: Mapping[str, Sequence[int]]) -> Iterator[nn.Module]:
        """The network, with some of its units switched off; see `explain.switched_off`.

        Raises:
            RunDamaged, ModelError: its weights or network cannot be had.
        """
        with self._lock:
            if self._model is None:
                self._model = self._load()
            with explain.switched_off(self._model, off):
                yield self._model


@dataclass(frozen=True, eq=False)
class Ready:
    """A run that can be asked; its network is loaded with the first question.

    Attributes:
        run: the run.
        preparation: what it needs of a picture.
        answering: the network that answers.
        inside: the same once more, to be looked into: that may take seconds, and an answer does not wait for it.
    """

    run: Run
    preparation: Preparation
    answering: Turns
    inside: Turns


_ready: dict[tuple[Any, ...], Ready] = {}  # the last few, so that a stroke does not read the disk
_loading = threading.Lock()


def ready(name: str) -> Ready:
    """The run of that name, ready to be asked; the default run if the name is empty.

    Raises:
        RunNotFound: there is none.
        UsageError: it cannot be asked about a drawing.
        RunDamaged: it cannot be read.
    """
    run = run_named(name) if name else default_run()
    key = (run.folder, run.pointer.entry(run.default_checkpoint).sha256)
    with _loading:
        if key not in _ready:
            _ready[key] = _load(run)
            for old in list(_ready)[:-_MOST_READY]:
                del _ready[old]
        return _ready[key]


def _load(run: Run) -> Ready:
    if problem := unfit(run):
        raise UsageError(problem, hint="Choose another run, or train one on mnist.")
    return Ready(run, preparation_of(run.config, run.about), Turns(run.model), Turns(run.model))


def run_named(name: str) -> Run:
    """The run of exactly that name: one of the folder of runs, or the one that comes with handlens. Nothing else has a name here.

    Raises:
        RunNotFound, UsageError: there is none, or that can be no name.
        RunDamaged: it cannot be read.
    """
    return starter(cache.root()) if name == STARTER else Run(existing_place(runs_folder(), name))


@functools.lru_cache(1)
def starter(_data: Path) -> Run:
    """The run that comes with handlens, from its copy in a data folder. It does not change, so a stroke need not read it again.

    Raises:
        RunNotFound, FileError: it cannot be had.
    """
    return load_run(STARTER)


def default_run() -> Run:
    """The run that answers when nobody names one: the one that comes with handlens, else the newest that reads drawings.

    Raises:
        RunNotFound: there is none.
    """
    with contextlib.suppress(HandlensError):
        return starter(cache.root())
    fitting = [run for run in list_runs() if run.rows and not unfit(run)]
    if not fitting:
        raise RunNotFound("No network is here yet that reads drawings.", where=no_runs().where, hint="Train one: handlens train cnn-small")
    return fitting[-1]


def unfit(run: Run) -> str:
    """Why a run cannot read drawings, in words; empty if it can."""
    if not preparation_of(run.config, run.about).ink:
        return f"Run {run.name} reads no drawings: it has learned from other pictures, {images_in_words(run.about.image_shape)}."
    return "" if set(run.about.classes) <= {*CLASSES} else f"Run {run.name} was trained on {run.config.data}, which is no digits."


def choices() -> list[dict[str, Any]]:
    """Each run that can be chosen, the default first, as JSON."""
    with contextlib.suppress(RunNotFound):
        first = default_run()
        others = [run for run in reversed(list_runs()) if run.folder != first.folder]
        return [_choice(run) for run in (first, *others)]
    return [_choice(run) for run in reversed(list_runs())]


def _choice(run: Run) -> dict[str, Any]:
    known = {"name": run.name, "model": run.config.model, "data": run.config.data, "epochs": len(run.rows), "status": run.status}
    return {**known, "val_accuracy": run.used_row.get("val_accuracy"), "problem": unfit(run)}
