"""`Training`: a training that is under way, saved after each epoch, stopped early, and what goes wrong in it said in words."""

from __future__ import annotations

import contextlib
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from handlens import device, memory, ranks
from handlens.errors import FileError, HandlensError, ModelError
from handlens.models import device_of, line_of
from handlens.plan import Plan
from handlens.runs import Run
from handlens.train import Row, State


class Training:
    """A training that is under way. Go through it, and each epoch is a row; it saves, and stops early, as it goes.

    Attributes:
        run: where it is kept.
        plan: what it does.
        state: where it stands.
        unsaved: why the last epoch could not be saved; None if it was.
    """

    def __init__(self, run: Run, plan: Plan, state: State) -> None:
        self.run = run
        self.plan = plan
        self.state = state
        self.unsaved: FileError | None = None

    def rows(self, every: int = 0) -> Iterator[Row]:
        """Train on, and give a row for each epoch, and for each `every` steps within it; what was done is saved before it is told.

        Raises:
            TrainingError: the loss is no number, or memory ran out; the last good checkpoint counts.
            FileError: the last epoch could not be saved.
        """
        plan, state = self.plan, self.state
        if self.run.pointer.finished and state.epoch == self.run.pointer.last.epoch:
            return
        try:
            with trying(plan):
                for row in ranks.train(state, plan.loader, plan.val, epochs=plan.config.epochs, every=every):
                    ended = "step" not in row and (state.epoch >= plan.config.epochs or out_of_patience(state.rows, plan.config.patience))
                    if "step" not in row:
                        self._save(finished=ended)
                    yield row
                    if ended:
                        break
        except HandlensError as error:
            self._remember(error)
            raise
        if self.unsaved:
            raise self.unsaved

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def _save(self, *, finished: bool) -> None:
        """A full disk does not end a training: the next epoch tries again, and only the last one must succeed."""
        if not ranks.is_first():
            return
        try:
            self.run.save(self.state, finished=finished)
            self.unsaved = None
        except FileError as error:
            self.unsaved = error
            warnings.warn(f"Epoch {self.state.epoch} is not saved. {error}", stacklevel=2)

    def _remember(self, error: HandlensError) -> None:
        with contextlib.suppress(HandlensError):
            if ranks.is_first():
                self.run.annotate(failure=error.what)


@contextlib.contextmanager
def following(plan_of: Callable[[Run], Plan], checkpoint: str = "last") -> Iterator[Training]:
    """A training on a rank that is not the first: that one has made the run, and alone writes it."""
    run = Run(Path(ranks.tell()))
    planned = plan_of(run)
    state = planned.state()
    run.put_back(state, checkpoint)
    yield Training(run.use(planned.model, planned.dataset), planned, state)


def explain(plan: Plan, error: Exception) -> HandlensError | None:
    """What went wrong in a step, if it did in the network or in what a learner's loader gave; None if it is a fault of ours."""
    if memory.ran_out(error):
        traceback.clear_frames(error.__traceback__)  # they hold the tensors of the step that failed
        return memory.explain(plan.model, plan.loader)
    place = line_of(plan.model, error)
    if not place and plan.dataset is not None:
        return None
    return ModelError(f"{type(plan.model).__name__} fails while it is trained: {type(error).__name__}: {error}", where=place)


@contextlib.contextmanager
def trying(plan: Plan) -> Iterator[None]:
    """Take steps of a planned training, under its settings; what goes wrong in them is said in words."""
    with device.settled(device_of(plan.model), plan.config.threads):
        try:
            yield
        except HandlensError:
            raise
        except Exception as error:
            failure = explain(plan, error)
            if failure is None:
                raise
            raise failure from error


def out_of_patience(rows: list[Row], patience: int) -> bool:
    """Whether the validation loss has not been better for `patience` epochs; never if that is 0."""
    losses = [row["val_loss"] for row in rows if "val_loss" in row]
    return 0 < patience <= len(losses) - 1 - losses.index(min(losses)) if losses else False
