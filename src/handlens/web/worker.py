"""What trains for the lab, in a process that `work` begins. Between two batches it looks what the page wants."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from handlens import data, explain, models
from handlens.config import make_config
from handlens.data.offline import offline
from handlens.errors import HandlensError, UsageError
from handlens.fit import resuming, starting
from handlens.own_network import plan_seen, seen
from handlens.plan import Plan
from handlens.runs import load_run
from handlens.train import Loader, Row, set_epoch
from handlens.training import Training
from handlens.web.jobs import Control, Job, Order
from handlens.web.pictures import as_pixels

_TELL_S = 0.3
_LOOK_S = 0.05
_POINTS_OF_AN_EPOCH = 40
_MOST_PICTURES = 32


class Desk:
    """Where the page's wishes meet the loop: asked before each batch, it waits, changes lr, or says that it is enough.

    Args:
        job: the training's files.
        plan: what it does.
    """

    def __init__(self, job: Job, plan: Plan) -> None:
        self.job = job
        self.plan = plan
        self.training: Training | None = None
        self.control = Control()
        self.singles = 0  # done of those that were asked for
        self.told = 0.0
        self.single: tuple[Any, float] | None = None
        self.start = time.monotonic()
        self.waited = 0.0
        self.live: dict[str, Any] = {
            "points": [],
            "changes": [],
            "epochs": plan.config.epochs,
            "steps": len(plan.loader),
            "epoch": 0,
            "step": 0,
        }
        self.live |= {"knobs": plan.config.model_dump(), "lr": plan.config.lr, "samples": _samples(plan), "remark": plan.remark}

    def look(self) -> Control:
        """Read what the page wants, and do what can be done at once."""
        control = self.job.control()
        if control.lr is not None and control.lr != self.live["lr"] and self.training:
            self.live["changes"].append({"epoch": self.live["epoch"], "step": self.live["step"], "lr": control.lr})
            self.live["lr"] = control.lr
            for group in self.training.state.optimizer.param_groups:
                group["initial_lr"] = control.lr
        self.control = control
        return control

    def goes_on(self, step: int, batch: Any) -> bool:
        """Whether the loop may have this batch, the one of number `step`; first it waits while the page has paused.

        An epoch has one batch at least, so that its row means something.
        """
        self._finish_single()
        self.live["step"] = step - 1
        since, control = time.monotonic(), self._wait()
        self.waited += time.monotonic() - since
        if control.paused and control.singles > self.singles:
            self.singles += 1
            self.single = (batch, self._loss(batch))
        self.tell("paused" if control.paused else "running")
        return step == 1 or not self.stopping

    def _wait(self) -> Control:
        """Wait as long as the page has paused; what it wants then. Nothing is told anew until it wants something else."""
        told, control = None, self.look()
        while control.paused and not control.stop and control.singles <= self.singles:
            if control != told:
                self.tell("paused", at_once=True)
                told = control
            time.sleep(_LOOK_S)
            control = self.look()
        return control

    @property
    def stopping(self) -> bool:
        """Whether the page wants an end."""
        return self.control.stop

    def _finish_single(self) -> None:
        """Of a batch that was taken alone: its loss before the step, and after."""
        if self.single:
            batch, before = self.single
            after = self._loss(batch)
            if math.isfinite(before) and math.isfinite(after):
                self.live["single"] = {"before": before, "after": after, "number": self.singles}
            self.single = None
            self.tell("paused", at_once=True)

    def _loss(self, batch: Any) -> float:
        return cross_entropy(models.predict_logits(self.plan.model, batch[0]).float(), batch[1].cpu()).item()

    def take(self, row: Row) -> None:
        """Note a row of the training."""
        done = row["epoch"] - 1 + row["step"] / self.live["steps"] if "step" in row else row["epoch"]
        if "step" in row:
            self.live["points"].append([round(done, 4), round(row["train_loss"], 5), round(row["train_accuracy"], 5)])
            self.live["images_per_s"] = row["images_per_s"]
        elif self.training:
            self.live["rows"] = self.training.state.rows
        self.live["epoch"] = int(done)
        spent = time.monotonic() - self.start - self.waited
        self.live["left_s"] = round(spent / max(done - self.live.get("begun", 0), 1e-9) * (self.live["epochs"] - done), 1)

    def tell(self, phase: str, *, at_once: bool = False, **more: Any) -> None:
        """Write how far it is, a few times a second."""
        if at_once or more or time.monotonic() - self.told > _TELL_S:
            self.live |= {"phase": phase, "pictures": _pictures(self.plan), "guesses": self._guesses(), **more}
            self.job.tell(self.live)
            self.told = time.monotonic()

    def _guesses(self) -> list[dict[str, Any]]:
        if self.plan.val is None or not self.live["samples"]:
            return []
        places = [sample["place"] for sample in self.live["samples"]]
        shares = models.predict_logits(self.plan.model, self.plan.val[0][places]).softmax(1)
        if not bool(shares.isfinite().all()):
            return []  # JSON has no NaN; the loop says so at its next look
        classes = self.plan.about["classes"]
        return [{"label": classes[int(row.argmax())], "probability": round(float(row.max()), 4)} for row in shares]


class Paced:
    """A loader that asks the desk before each batch; the loop itself is the one of every training."""

    def __init__(self, loader: Loader, desk: Desk) -> None:
        self.loader = loader
        self.desk = desk

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        for step, batch in enumerate(self.loader, start=1):
            if not self.desk.goes_on(step, batch):
                return
            yield batch

    def set_epoch(self, epoch: int) -> None:
        """Tell the loader which epoch comes."""
        set_epoch(self.loader, epoch)


def work(job: Job) -> None:
    """Train what a job orders, and tell how it ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _train(job)
    except HandlensError as error:
        _end(job, phase="failed", error=error.what, where=error.where, hint=error.hint)
    except KeyboardInterrupt:
        _end(job, phase="interrupted", error="The training was interrupted; what was saved is there.")
    except Exception as error:
        _end(job, phase="failed", error=f"handlens has a fault here: {type(error).__name__}: {error}", hint="Please report it.")
        raise


def _end(job: Job, **how: str) -> None:
    with contextlib.suppress(HandlensError, ValueError):
        last = json.loads((job.folder / "live.json").read_text()) if (job.folder / "live.json").exists() else {}
        job.tell({**last, **how})


def _train(job: Job) -> None:
    order = job.order()
    with contextlib.nullcontext() if order.fetch else offline():
        _go_on(job) if order.resume else _begin(job, order)


def _go_on(job: Job) -> None:
    run = load_run(job.name)
    with resuming(run) as training:
        desk = Desk(job, seen(training.plan, run.about.model_file))
        desk.live |= {"begun": training.state.epoch, "rows": training.state.rows, "epoch": training.state.epoch}
        training.plan = dataclasses.replace(training.plan, loader=Paced(training.plan.loader, desk))
        _go(training, desk)


def _begin(job: Job, order: Order) -> None:
    config = make_config(order.knobs)
    said = _Said(job, config.model_dump())
    said(f"Loading {config.data}")
    dataset = data.with_added(data.load(config.data, val=config.val, say=said), config.with_data, said)
    planned = plan_seen(config, dataset)
    desk = Desk(job, planned)
    with starting(dataclasses.replace(planned, loader=Paced(planned.loader, desk)), name=job.name) as training:
        _go(training, desk)


class _Said:
    """Tells the page what is done before the first batch: a download may take minutes."""

    def __init__(self, job: Job, knobs: dict[str, Any]) -> None:
        self.job = job
        self.knobs = knobs
        self.told = 0.0

    def __call__(self, sentence: str, done: float | None = None) -> None:
        """See `handlens.data.say.Say`."""
        if done is None or time.monotonic() - self.told > _TELL_S:
            message = sentence if done is None else f"{sentence}: {100 * done:.0f} %"
            self.job.tell({"phase": "starting", "message": message, "knobs": self.knobs})
            self.told = time.monotonic()


def _go(training: Training, desk: Desk) -> None:
    """The training from here to its end, or to where the page stops it."""
    desk.training = training
    every = max(1, len(training.plan.loader) // _POINTS_OF_AN_EPOCH)
    epochs = training.plan.config.epochs
    try:
        for row in training.rows(every):
            desk.take(row)
            if "step" in row:
                continue
            desk.look()
            if desk.stopping and training.state.epoch < epochs:
                training.run.save(training.state, finished=True)
                break
    finally:
        _note_changes(training, desk)
    desk.tell("stopped" if desk.stopping and training.state.epoch < epochs else "finished", at_once=True)


def _note_changes(training: Training, desk: Desk) -> None:
    """What was done by hand is no part of the config, so it stands in the run's note: a repetition would be another training."""
    done = [f"lr {change['lr']:g} from epoch {change['epoch'] + 1}, batch {change['step'] + 1}" for change in desk.live["changes"]]
    if desk.stopping and desk.live["step"] < desk.live["steps"]:
        done.append(f"stopped in epoch {training.state.epoch} after batch {desk.live['step']} of {desk.live['steps']}")
    if done:
        training.run.annotate(note="; ".join(filter(None, [training.run.about.note, f"By hand in the lab: {', '.join(done)}"])))


def _pictures(plan: Plan) -> dict[str, Any]:
    """The first layer as pictures: filters of a convolution, or what each unit of a linear layer looks for."""
    try:
        found = explain.filters(plan.model) if _has_convolution(plan.model) else explain.weights(plan.model, plan.about["image_shape"])
    except UsageError:
        return {"layer": "", "tiles": []}
    values = found.values[:_MOST_PICTURES].mean(axis=1)
    limit = max(float(np.abs(np.nan_to_num(values)).max()), 1e-9)
    return {"layer": found.layer, "limit": round(limit, 4), "tiles": [_pixels(np.nan_to_num(tile) / limit * 127 + 128) for tile in values]}


def _has_convolution(model: nn.Module) -> bool:
    return any(isinstance(module, nn.Conv2d) for module in model.modules())


def _samples(plan: Plan) -> list[dict[str, Any]]:
    """One image of each of the first ten classes, to watch."""
    if plan.val is None:
        return []
    (images, labels), classes = plan.val, plan.about["classes"]
    places = [int(found[0]) for label in range(10) if len(found := (labels == label).nonzero().flatten())]
    return [{"place": place, "true": classes[int(labels[place])], "image": _pixels(_grey(images[place]))} for place in places]


def _grey(image: torch.Tensor) -> NDArray[Any]:
    return np.asarray(models.to_float(image[None].cpu())[0].mean(0) * 255)


def _pixels(values: NDArray[Any]) -> dict[str, Any]:
    return as_pixels(np.rint(values).clip(0, 255).astype(np.uint8))
