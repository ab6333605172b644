"""Getting a data set or a run for a verb, with what happens on the way told on stderr."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from torch import nn

from handlens import data as datasets
from handlens import models
from handlens.cli.terminal import Bar, say
from handlens.config import Config
from handlens.data import Dataset
from handlens.data.catalog import MINE
from handlens.data.say import Say
from handlens.runs import Run, has_changed, load_run, whole
from handlens.words import counted


def load_dataset(name: str, val: float, folder: Path | None = None) -> Dataset:
    """A data set by its name, or a folder or file of images; see `handlens.data.load`."""
    with telling() as tell_step:
        return datasets.load(name, val=val, folder=folder, say=tell_step)


def load_known(name: str, val: float) -> Dataset:
    """The data set of a run, by its name only; see `handlens.data.load_known`."""
    with telling() as tell_step:
        return datasets.load_known(name, val=val, say=tell_step)


def dataset_of(config: Config) -> Dataset:
    """What a config trains on: its data set, with the images that are added to it."""
    return datasets.with_added(load_dataset(config.data, config.val), config.with_data)


@contextlib.contextmanager
def telling() -> Iterator[Say]:
    """Someone to be told steps, as lines, and how far a long one is, as a bar."""
    with Bar(1) as bar:

        def tell_step(sentence: str, done: float | None = None) -> None:
            if done is None:
                bar.say(sentence)
            else:
                bar.move(done, sentence.split(maxsplit=1)[0].lower(), f"{done:.0%}")

        yield tell_step


def own_model(reference: str | None) -> nn.Module | None:
    """The network of `--model FILE.py:Class`; None if that was not given."""
    return models.from_file(reference) if reference else None


def find_run(reference: str, model: str | None = None) -> Run:
    """The run, and its data set if that has to be fetched first."""
    run = load_run(reference, model=own_model(model))
    if datasets.is_known(run.config.data):
        dataset = whole(load_known(run.config.data, run.config.val), run.name, run.config, run.about)
        if MINE in (run.config.data, run.config.with_data) and has_changed(dataset, run.about):
            say(f"Your own digits have changed since run {run.name} learned from them.")
        run.use(dataset=dataset)
    else:
        say(f"Run {run.name} was trained on data of its user's own.")
    return run


def find_result(reference: str, model: str | None, checkpoint: str | None) -> Run:
    """A run to look at, with the weights to use; first it is said if the training has not come to its end."""
    run = find_run(reference, model)
    if run.status not in ("complete", "stopped early"):
        how = f"; to go on: handlens train --resume {run.name}" if run.status != "running" else ""
        say(f"Run {run.name} is {run.status}: {run.pointer.last.epoch} of {counted(run.config.epochs, 'epoch is', 'epochs are')} done{how}")
    return run.use(checkpoint=checkpoint)
