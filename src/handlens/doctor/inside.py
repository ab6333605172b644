"""The doctor in a notebook or a program: around a training, or asked about its parts."""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import Diagnosis, conclude
from handlens.doctor.generators import random_state_kept
from handlens.doctor.program import Program
from handlens.doctor.rehearsal import Rehearsal
from handlens.doctor.seen import Seen
from handlens.doctor.watch import Watcher
from handlens.errors import UsageError

_STEPS, _SECONDS = 100, 3.0


def doctor() -> Visit:
    """Look on while a training runs, and say at its end what is wrong with it: `with hl.doctor():` stands around its loop.

    The training is the same, bit for bit, as without; an exception in it is explained and goes on. Loops are not cut short.

    Returns:
        What `with` takes; its `diagnosis` is there after the end, and is printed then.
    """
    return Visit(sys._getframe(1))


def diagnose(
    model: nn.Module,
    loss_fn: Callable[[Any, Any], Tensor],
    optimizer: torch.optim.Optimizer,
    train_loader: Iterable[Any],
    test_loader: Iterable[Any] | None = None,
) -> Diagnosis:
    """Say what is wrong with the parts of a training: copies of them are trained for up to 100 steps or 3 s, in a loop that is right.

    Network, optimizer and random state stay as they are.

    Args:
        model: any network.
        loss_fn: takes scores and labels, and gives one number.
        optimizer: that of the network.
        train_loader: gives images and labels, batch by batch: a DataLoader, or a list of such pairs.
        test_loader: the same, to test on; None looks at the training alone.

    Raises:
        UsageError: the network or the optimizer cannot be copied; a loader gives no batches, or none of images and labels, or only once.
    """
    frame = sys._getframe(1)
    try:
        network, loss, steps = copy.deepcopy((model, loss_fn, optimizer))
    except (RuntimeError, TypeError) as error:
        raise UsageError(f"The network cannot be copied: {error}", hint="Put the training itself under: with hl.doctor():") from error
    program = Program.around(frame, *Rehearsal.code())
    if isinstance(steps, torch.optim.LBFGS):  # it is copied without them
        steps._params, steps._numel_cache = steps.param_groups[0]["params"], None
    rehearsal = Rehearsal(network, _looked_up(loss), steps, train_loader, test_loader)
    began = time.perf_counter()
    with random_state_kept(train_loader, test_loader), Watcher(program).watching() as seen:
        try:
            rehearsal.run(_STEPS, _SECONDS)
        except UsageError:
            raise
        except Exception as error:  # whatever a learner's network may raise
            seen.failure = program.failure(error)
    return _conclude(program, seen, frame, began)


class Visit:
    """The doctor beside a training: `with hl.doctor() as visit:`.

    Attributes:
        diagnosis: what was found; None until the training has ended.
    """

    def __init__(self, frame: FrameType) -> None:
        self.diagnosis: Diagnosis | None = None
        self._frame = frame

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        self._program = Program.around(self._frame)
        self._watching = Watcher(self._program).watching()
        self._seen = self._watching.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._watching.__exit__(None, None, None)
        if isinstance(error, Exception):
            self._seen.failure = self._program.failure(error)
        if error is None or isinstance(error, Exception):
            self.diagnosis = _conclude(self._program, self._seen, self._frame, self._began)
            print(self.diagnosis)

    def __repr__(self) -> str:
        return str(self.diagnosis or "The training has not ended.")


def _looked_up(loss_fn: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    """A function of `torch.nn.functional` is taken from there when it is called: the doctor stands in its place then."""
    name = getattr(loss_fn, "__name__", "")

    def ask(scores: Any, labels: Any) -> Tensor:
        value: Tensor = getattr(F, name)(scores, labels)
        return value

    return ask if getattr(F, name, None) is loss_fn else loss_fn


def _conclude(program: Program, seen: Seen, frame: FrameType, began: float) -> Diagnosis:
    names = {**frame.f_globals, **frame.f_locals}
    loaders = [event.loader for event in seen.of("made", "loader")]  # causes look into their data sets
    with random_state_kept(*loaders), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = conclude(Case(program.script(), seen, names))
    return replace(found, seconds=round(time.perf_counter() - began, 2))
