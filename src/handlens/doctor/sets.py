"""The sets of images that a program trains on and tests on, and which images are in both."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from handlens.doctor.seen import Event, rows

if TYPE_CHECKING:
    from handlens.doctor.case import Case

_MOST = 70_000
_FEW = 8  # a handful of images are shown, or are the learner's own
_MANY = 0.5
_SLOW = 3000  # of a set whose images are made one by one


def sets(case: Case) -> tuple[Any, Any]:
    """What was trained on and what was tested on, each time the last: a data set, or all images together; None where it is not known."""
    trained = [event for event in case.training if event.about.get("rows") and event.model is case.model]
    return _source(case, trained), _source(case, tests(case))


def tests(case: Case) -> list[Event]:
    """The calls of the last test: those since something was printed before it. A handful of images is no test."""
    events = _whole(case)
    places = {id(event): place for place, event in enumerate(events)}
    known = [event for event in case.tests if event.about.get("rows") and event.model is case.model and id(event) in places]
    tested = [event for event in known if event.count >= _FEW] or known
    end = places[id(tested[-1])] if tested else 0
    since = max((place for place in range(end) if events[place].kind == "print"), default=-1)
    return _fresh([event for event in tested if places[id(event)] > since], case.trained_rows)


def _whole(case: Case) -> list[Event]:
    """All events; of a program that was ended in its middle, those until it last printed: what it was testing then may have gone on."""
    events = case.seen.events
    last = max((place for place, event in enumerate(events) if event.kind == "print"), default=0)
    return events[: last + 1] if case.seen.stopped else events


def _fresh(calls: list[Event], trained: set[int]) -> list[Event]:
    """Without those that ask for training images, where others ask for new ones: both scores are told at once."""
    shares = [len(trained.intersection(event.rows)) / len(event.rows) for event in calls]
    apart = min(shares, default=0) == 0 and max(shares, default=0) > _MANY
    return [event for event, share in zip(calls, shares, strict=True) if not apart or share <= _MANY]


def named(case: Case, pattern: str) -> list[Any]:
    """The data sets of the program's loaders, once it ended, whose name fits a pattern: `val_loader`."""
    loaders = {id(event.loader): event.loader for event in case.seen.of("loader")}
    names = [name for name, value in case.names.items() if id(value) in loaders and re.search(pattern, name, re.IGNORECASE)]
    return [case.names[name].dataset for name in names]


def _source(case: Case, calls: list[Event]) -> Any:
    """The data set of the loader that gave the images of the last of these calls; without a loader, the numbers of the images."""
    asked, batch, found = {id(event) for event in calls}, None, None
    for event in case.seen.events:
        batch = event if event.kind == "batch" else batch
        if id(event) in asked and batch is not None and batch.loader is not None and set(event.rows) & set(batch.rows):
            found = batch.loader.dataset
    return found if found is not None else frozenset(row for event in calls for row in event.rows) or None


def keys(source: Any) -> list[int]:
    """A number for each image of a set."""
    if isinstance(source, frozenset):
        return list(source)
    images = _tensor(source)
    if images is not None:
        return rows(images, _MOST)
    found = []
    with contextlib.suppress(Exception):
        for place in range(min(len(source), _SLOW)):
            image = source[place][0]
            found.append(rows(torch.as_tensor(image)[None])[0])
    return found


def _tensor(source: Any) -> Tensor | None:
    """All images of a set at once, if it has them so."""
    if isinstance(source, TensorDataset):
        return source.tensors[0]
    if isinstance(source, Subset):
        whole = _tensor(source.dataset)
        return None if whole is None else whole[torch.as_tensor(list(source.indices))]
    if isinstance(source, ConcatDataset):
        parts = [_tensor(part) for part in source.datasets]
        return torch.cat([part for part in parts if part is not None]) if all(part is not None for part in parts) else None
    return None
