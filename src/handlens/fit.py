"""From a plan to a run: trained, saved after each epoch, stopped early, continued after any kill."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader

from handlens import data as datasets
from handlens import device, files, memory
from handlens.config import make_config
from handlens.data import Dataset
from handlens.errors import FileError, HandlensError, ModelError, UsageError
from handlens.models import device_of, line_of
from handlens.plan import Model, Plan, assemble, plan
from handlens.runs import About, Run, load_run, new_id, new_name, runs_folder, writing
from handlens.train import Row, State, train


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
            for row in train(state, plan.loader, plan.val, epochs=plan.config.epochs, every=every):
                ended = "step" not in row and (state.epoch >= plan.config.epochs or out_of_patience(state.rows, plan.config.patience))
                if "step" not in row:
                    self._save(finished=ended)
                yield row
                if ended:
                    break
        except HandlensError as error:
            self._remember(error)
            raise
        except Exception as error:
            failure = self._in_words(error)
            if failure is None:
                raise
            self._remember(failure)
            raise failure from error
        if self.unsaved:
            raise self.unsaved

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def _save(self, *, finished: bool) -> None:
        """A full disk does not end a training: the next epoch tries again, and only the last one must succeed."""
        try:
            self.run.save(self.state, finished=finished)
            self.unsaved = None
        except FileError as error:
            self.unsaved = error
            warnings.warn(f"Epoch {self.state.epoch} is not saved. {error}", stacklevel=2)

    def _in_words(self, error: Exception) -> HandlensError | None:
        """What went wrong in the network, if it did there: memory ran out, or a learner's own forward fails in training only."""
        model = self.plan.model
        if memory.ran_out(error):
            return memory.explain(model, self.plan.loader)
        place = line_of(model, error)
        reason = f"{type(error).__name__}: {error}"
        return ModelError(f"{type(model).__name__} fails while it is trained: {reason}", where=place) if place else None

    def _remember(self, error: HandlensError) -> None:
        with contextlib.suppress(HandlensError):
            self.run.annotate(failure=error.what)


def out_of_patience(rows: list[Row], patience: int) -> bool:
    """Whether the validation loss has not been better for `patience` epochs; never if that is 0."""
    losses = [row["val_loss"] for row in rows if "val_loss" in row]
    return 0 < patience <= len(losses) - 1 - losses.index(min(losses)) if losses else False


@contextlib.contextmanager
def starting(plan: Plan, *, name: str | None = None, note: str = "") -> Iterator[Training]:
    """Begin a planned training, in a new folder that no other process can write meanwhile.

    Raises:
        UsageError: there is a run of that name.
        RunBusy: another process is training one of that name.
        FileError: the folder cannot be made, or the disk has too little room.
    """
    with device.settled(device_of(plan.model), plan.config.threads), _new_folder(plan, name) as folder:
        state = plan.state()
        env = {**device.environment(), "device": device.title(device_of(plan.model)), "commit": _commit()}
        about = About(new_id(), time.strftime("%Y-%m-%d %H:%M:%S"), note, **plan.about)
        if about.model_file:
            files.write_atomic(folder / "model.py", files.read_bytes(Path(about.model_file)))
        run = Run.create(folder, plan.config, env, about, state)
        _check_room(run)
        yield Training(run.use(plan.model, plan.dataset), plan, state)


@contextlib.contextmanager
def _new_folder(plan: Plan, name: str | None) -> Iterator[Path]:
    root = files.make_folder(runs_folder())
    if name is not None:
        folder = files.child(root, name)
        files.claim_folder(folder)
    else:
        kind = re.sub(r"[^a-z0-9]+", "-", plan.config.model.rpartition(":")[2].lower()).strip("-") or "net"
        folder = files.child(root, new_name(kind))
        while not files.claim_folder(folder):
            folder = files.child(root, new_name(kind))
    with writing(folder):
        if (folder / "run.json").exists():
            raise UsageError(
                f"There is a run '{folder.name}' already.",
                where=str(folder),
                hint=f"To go on with it: handlens train --resume {folder.name}. Else choose another --name.",
            )
        files.sweep(folder)
        yield folder


def _check_room(run: Run) -> None:
    """Of a checkpoint with the optimizer's history there are at most four at a time."""
    needed, free = 4 * 3 * run.pointer.start.size, files.free_bytes(run.folder)
    if free < needed:
        raise FileError(f"This run needs about {needed:,} bytes for its checkpoints; {free:,} are free.", where=str(run.folder))


def _commit() -> str:
    """The commit of the folder where the user stands, if that is a git checkout."""
    try:
        answer = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


@contextlib.contextmanager
def resuming(run: Run, *, checkpoint: str = "last", data: Dataset | DataLoader[Any] | None = None) -> Iterator[Training]:
    """Go on with a run; see `resume`."""
    with writing(run.folder):
        run.reload()
        run.sweep()
        planned = assemble(run.config, run.model("start"), run.dataset() if data is None else data)
        state = planned.state()
        run.put_back(state, checkpoint)
        run.annotate(failure="")
        with device.settled(device_of(planned.model), run.config.threads):
            yield Training(run.use(planned.model, planned.dataset), planned, state)


def fit(
    model: Model | str = "mlp",
    data: object = "mnist",
    *,
    val: object = None,
    name: str | None = None,
    note: str = "",
    quiet: bool = False,
    **knobs: Any,
) -> Run:
    """Train a network, in place, and keep the run.

    Args:
        model: any `nn.Module`, a function that makes one (it is called under the seed), or a name of `MODELS`.
        data: a name of the catalogue, a `Dataset`, images with labels, a torch `Dataset`, or a `DataLoader`.
        val: the share of the training images to watch by; with a `DataLoader`: another one, or images and labels.
        name: what the run is called; None finds a name.
        note: a remark that is kept with the run.
        quiet: print nothing.
        knobs: fields of `Config`: `epochs=5`, `lr=1e-3`, `seed=42`, ...

    Returns:
        The run; its folder is in `HANDLENS_RUNS`, or in `runs` where you stand.

    Raises:
        HandlensError: something does not fit, or fails; see the errors of `plan` and `Training.rows`.
    """
    if isinstance(model, str):
        knobs["model"] = model
    if isinstance(data, str):
        knobs["data"] = data
    if isinstance(val, int | float):
        knobs["val"], val = val, None
    planned = plan(make_config(knobs), None if isinstance(model, str) else model, None if isinstance(data, str) else data, val=val)
    if planned.remark:
        warnings.warn(planned.remark, stacklevel=2)
    with starting(planned, name=name, note=note) as training:
        return _finish(training, quiet)


def resume(
    reference: str | os.PathLike[str] = "latest",
    *,
    checkpoint: str = "last",
    model: nn.Module | None = None,
    data: object = None,
    quiet: bool = False,
) -> Run:
    """Go on with a run from its checkpoint, bit for bit as if it had not stopped; nothing happens if it is complete.

    With a learner's own `DataLoader` the order of the images is theirs, and equal bits cannot be promised.

    Args:
        reference: see `load_run`.
        checkpoint: `last`, or `previous` if the last one is damaged.
        model: your own network, if no name or file leads back to it.
        data: your own data, likewise.
        quiet: print nothing.

    Raises:
        RunNotFound: there is no such run.
        RunBusy: another process is training it.
        RunDamaged: the checkpoint is damaged.
    """
    run = load_run(reference, model=model)
    pictures = data if data is None or isinstance(data, DataLoader) else datasets.as_dataset(data, val=run.config.val)
    with resuming(run, checkpoint=checkpoint, data=pictures) as training:
        return _finish(training, quiet)


def _finish(training: Training, quiet: bool) -> Run:
    for row in training:
        if not quiet:
            print(in_words(row, training.plan.config.epochs))
    return training.run


def in_words(row: Row, epochs: int) -> str:
    """One line for an epoch."""
    line = f"epoch {int(row['epoch'])}/{epochs}   train loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:7.2%}"
    if "val_loss" in row:
        line += f"   val loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:7.2%}"
    return line + f"   {row['time_s']:.1f} s"
