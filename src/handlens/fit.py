"""From a plan to a run: trained, saved after each epoch, stopped early, continued after any kill."""

from __future__ import annotations

import contextlib
import os
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import DataLoader

from handlens import data as datasets
from handlens import device, files, ranks
from handlens.config import OWN, Config, check_given, make_config
from handlens.data import Dataset
from handlens.errors import FileError, HandlensError, ModelError, UsageError
from handlens.models import MODELS, device_of
from handlens.plan import Model, Plan, assemble
from handlens.presets import PRESETS
from handlens.runs import About, Run, is_free, load_run, new_id, new_name, new_place, runs_folder, strangers, writing
from handlens.train import Row
from handlens.training import Training, following
from handlens.transfer import network_of, plan_new
from handlens.words import counted


@contextlib.contextmanager
def starting(plan: Plan, *, name: str | None = None, note: str = "", root: Path | None = None) -> Iterator[Training]:
    """Begin a planned training, in a new folder (in `root`, else where runs are kept) that no other process can write meanwhile.

    Raises:
        UsageError: there is a run of that name.
        RunBusy: another process is training one of that name.
        FileError: the folder cannot be made, or the disk has too little room.
    """
    if not ranks.is_first():
        with following(lambda _run: plan) as training:
            yield training
        return
    with _new_folder(plan, name, root) as folder, _telling_how_to_go_on(folder), device.settled(device_of(plan.model), plan.config.threads):
        state = plan.state()
        env = {**device.environment(), "device": plan.place, "commit": device.commit()}
        about = About(new_id(), time.strftime("%Y-%m-%d %H:%M:%S"), note, **plan.about)
        if about.model_file:
            files.write_atomic(folder / "model.py", files.read_bytes(Path(about.model_file)))
        run = Run.create(folder, plan.config, env, about, state)
        _check_room(run)
        ranks.tell(str(folder.absolute()))
        yield Training(run.use(plan.model, plan.dataset), plan, state)


@contextlib.contextmanager
def _new_folder(plan: Plan, name: str | None, root: Path | None) -> Iterator[Path]:
    try:
        folder = _claim(files.make_folder(root or runs_folder()), plan.config.model, name)
    except FileError as error:
        hint = error.hint or "The runs' folder is HANDLENS_RUNS, else `runs` where you stand: set it to a folder in which you may write."
        raise FileError(error.what, where=error.where, hint=hint) from error
    _check_unheld(folder)
    with writing(folder):
        _check_new(folder)
        files.sweep(folder)
        yield folder


def _claim(root: Path, model: str, name: str | None) -> Path:
    """The folder of that name, or a new one of a name that nobody has."""
    if name is not None:
        folder = new_place(root, name)
        files.claim_folder(folder)
        return folder
    kind = re.sub(r"[^a-z0-9]+", "-", model.rpartition(":")[2].lower()).strip("-") or "net"
    folder = files.child(root, new_name(kind))
    while not files.claim_folder(folder):
        folder = files.child(root, new_name(kind))
    return folder


@contextlib.contextmanager
def _telling_how_to_go_on(folder: Path) -> Iterator[None]:
    """Ctrl-C may come at any moment, so the disk is asked what is saved; the exception carries the answer to whoever shows it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        with contextlib.suppress(HandlensError):
            run = Run(folder)
            done = f"{run.pointer.last.epoch} of {counted(run.config.epochs, 'epoch is', 'epochs are')} saved"
            stop.add_note(f"{done}; to go on: handlens train --resume {run.name}")
        raise


def check_name(name: str | None) -> None:
    """Whether a new run can have that name; None, for one that is found, always can.

    Raises:
        UsageError: it cannot be a name, or there is a run or another folder of that name.
    """
    if name is not None:
        _check_unheld(new_place(runs_folder(), name))


def _check_unheld(folder: Path) -> None:
    """As `_check_new`, without the lock. Of a run that is being trained nothing is said here: the lock knows by whom."""
    try:
        _check_new(folder)
    except UsageError:
        if is_free(folder):
            raise


def _check_new(folder: Path) -> None:
    """A folder in which a training was about to begin may be taken over; one with anything else in it may not."""
    if (folder / "run.json").exists():
        raise UsageError(
            f"There is a run '{folder.name}' already.",
            where=str(folder),
            hint=f"To go on with it: handlens train --resume {folder.name}. Else choose another --name.",
        )
    if others := strangers(folder):
        found = ", ".join(files.printable(other) for other in others[:3])
        raise UsageError(
            f"There is a folder '{folder.name}' already, with {found} in it.", where=str(folder), hint="Choose another --name."
        )


def _check_room(run: Run) -> None:
    """Of a checkpoint with the optimizer's history there are at most four at a time."""
    needed, free = 4 * 3 * (run.pointer.start or run.pointer.last).size, files.free_bytes(run.folder)
    if free < needed:
        raise FileError(f"This run needs about {needed:,} bytes for its checkpoints; {free:,} are free.", where=str(run.folder))


@contextlib.contextmanager
def resuming(
    run: Run, *, checkpoint: str = "last", data: Dataset | DataLoader[Any] | None = None, val: object = None
) -> Iterator[Training]:
    """Go on with a run; see `resume`."""
    if not ranks.is_first():
        with following(lambda run: _plan_on(run, data, val), checkpoint) as training:
            yield training
        return
    with writing(run.folder), _telling_how_to_go_on(run.folder):
        run.reload()
        run.sweep()
        planned = _plan_on(run, data, val)
        if planned.about.get("data_fingerprint", "") != run.about.data_fingerprint:
            raise UsageError(f"Run '{run.name}' was trained on other images than these.", hint="Give it those: hl.resume(..., data=...).")
        if planned.val is None and "val_loss" in run.history:
            raise UsageError(f"Run '{run.name}' was watched by validation images.", hint="Give those too: hl.resume(..., val=...).")
        state = planned.state()
        run.put_back(state, checkpoint)
        run.annotate(failure="")
        ranks.tell(str(run.folder.absolute()))
        yield Training(run.use(planned.model, planned.dataset), planned, state)


def _plan_on(run: Run, data: Dataset | DataLoader[Any] | None, val: object) -> Plan:
    about = {"frozen": run.about.frozen}
    return assemble(run.config, run.model("start"), run.dataset() if data is None else data, about=about, val=val)


def fit(
    model: Model | str | None = None,
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
        model: any `nn.Module`, a function that makes one (it is called under the seed), or a name of `MODELS`; None for the MLP, or with
            `init_from="RUN"` for a network like that run's.
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
    learning = [weights for weights in model.parameters() if weights.requires_grad] if isinstance(model, nn.Module) else []
    try:
        with ranks.joined():
            planned = plan_for(model, data, val=val, **knobs)
            if planned.remark:
                warnings.warn(planned.remark, stacklevel=2)
            if planned.origin and not quiet:
                print(planned.origin)
            with starting(planned, name=name, note=note) as training:
                return _finish(training, quiet)
    finally:
        for weights in learning:  # what was frozen for this training is its owner's again
            weights.requires_grad_()


def plan_for(model: Model | str | None, data: object, *, val: object = None, **knobs: Any) -> Plan:
    """The training that `fit` would begin, from the same arguments.

    Raises:
        ModelError, ConfigError: a knob was given that the network or optimizer has not, with another value than its default.
        HandlensError: something does not fit.
    """
    own = None if isinstance(model, str) else model
    if model is not None:
        knobs["model"] = model if own is None else OWN
    if isinstance(data, str):
        knobs["data"] = data
    if isinstance(val, int | float) and not isinstance(data, DataLoader):
        knobs["val"], val = val, None
    if isinstance(origin := knobs.get("init_from"), Run | os.PathLike):
        knobs["init_from"] = str(origin.folder.absolute() if isinstance(origin, Run) else origin)
    if isinstance(model, str) and model in PRESETS and model not in MODELS:
        hint = f"Its knobs: hl.fit(**handlens.presets.preset_knobs('{model}'))."
        raise ModelError(f"'{model}' is a preset, which names several knobs, and no model.", hint=hint)
    given = make_config(knobs).model_dump(include={*knobs})
    config = make_config({**network_of(given), **given})
    check_given(config, given)
    return plan_new(config, own, None if isinstance(data, str) else data, val=val)


def resume(
    reference: str | os.PathLike[str] = "latest",
    *,
    checkpoint: str = "last",
    model: nn.Module | None = None,
    data: object = None,
    val: object = None,
    quiet: bool = False,
) -> Run:
    """Go on with a run from its checkpoint, bit for bit as if it had not stopped; nothing happens if it is complete.

    With a learner's own `DataLoader` the order of the images is theirs, and equal bits cannot be promised.

    Args:
        reference: see `load_run`.
        checkpoint: `last`, or `previous` if the last one is damaged.
        model: your own network, if no name or file leads back to it.
        data: your own data, likewise.
        val: with a `DataLoader`: another one, or images and labels, to watch by, as at the beginning.
        quiet: print nothing.

    Raises:
        UsageError: the images are others than at the beginning, or those to watch by are missing.
        RunNotFound: there is no such run.
        RunBusy: another process is training it.
        RunDamaged: the checkpoint is damaged.
    """
    with ranks.joined():
        run = load_run(reference, model=model)
        pictures = data if data is None or isinstance(data, DataLoader) else _pictures(data, run.config)
        with resuming(run, checkpoint=checkpoint, data=pictures, val=val) as training:
            return _finish(training, quiet)


def _pictures(data: object, config: Config) -> Dataset:
    """The user's own data as a config has them split, with those that it adds."""
    return datasets.with_added(datasets.as_dataset(data, val=config.val), config.with_data)


def _finish(training: Training, quiet: bool) -> Run:
    for row in training:
        if not quiet and ranks.is_first():
            print(in_words(row, training.plan.config.epochs))
    ranks.tell()
    training.run.reload()
    return training.run


def in_words(row: Row, epochs: int) -> str:
    """One line for an epoch, which fits a terminal of 80 columns."""
    place = f"epoch {int(row['epoch'])}/{epochs}".ljust(len(f"epoch {epochs}/{epochs}"))
    splits = [split for split in ("train", "val") if f"{split}_loss" in row]
    scores = [f"{split} loss {_loss(row[f'{split}_loss'])} acc {row[f'{split}_accuracy']:7.2%}" for split in splits]
    return "  ".join([place, *scores, f"{row['time_s']:.1f} s"])


def _loss(loss: float) -> str:
    """Six letters wide, unless it is huge."""
    return f"{loss:6.4f}" if loss < 10 else f"{loss:6.4g}"
