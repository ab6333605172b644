"""The training loop: one screen, nothing hidden, and the fast path.

`train` is a generator. Printing, saving, stopping early and drawing are the body of an ordinary `for row in train(...)`; `break` stops.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from handlens import models, seeds
from handlens.errors import TrainingError
from handlens.optim import Optimizer
from handlens.schedules import Schedule

Row = dict[str, float]
Loss = Callable[[Tensor, Tensor], Tensor]

_MOST_WAITING = 1 << 16


def train(state: State, loader: Loader, val: tuple[Tensor, Tensor] | None = None, *, epochs: int = 5, every: int = 0) -> Iterator[Row]:
    """Train the network in place until `epochs` are done, and yield a row of metrics after each.

    Args:
        state: where the training stands; it is moved on.
        loader: gives batches of images N,C,H,W and labels N.
        val: images and labels to watch by; None for none.
        epochs: the number of the last epoch, counted from 1.
        every: also yield a row after so many steps within an epoch (it then has a `step`); 0 for none.

    Yields:
        `epoch`, `train_loss` and `train_accuracy` (both while the weights were changing), `time_s`, `images_per_s`, `lr`, and
        with `val` also `val_loss` and `val_accuracy`.

    Raises:
        TrainingError: the loss is infinite or not a number.
    """
    model, optimizer = state.model, state.optimizer
    device = models.device_of(model)
    for epoch in range(state.epoch, epochs):
        set_epoch(loader, epoch)
        models.training_mode(model)
        meter = Meter(device)
        with seeds.seeded("dropout", state.seed, epoch) as outside:
            for step, batch in enumerate(loader, start=1):
                images, labels = batch[0].to(device), batch[1].to(device)
                set_lr(optimizer, state.schedule((epoch + (step - 1) / len(loader)) / epochs))
                with state.precision():
                    logits = model(images)
                    loss = state.loss(logits, labels)
                if (step - 1) % state.accumulate == 0:
                    optimizer.zero_grad()
                first = step - (step - 1) % state.accumulate
                together = min(state.accumulate, len(loader) - first + 1)
                (loss / together if together > 1 else loss).backward()
                if step % state.accumulate == 0 or step == len(loader):
                    if state.clip:
                        nn.utils.clip_grad_norm_(model.parameters(), state.clip)
                    optimizer.step()
                    if state.average:
                        state.average.update(model, math.ceil((epoch * len(loader) + step) / state.accumulate))
                meter.add(loss, logits, labels)
                if every and step % every == 0:
                    with outside():
                        yield {"epoch": epoch + 1, "step": step, **meter.read(optimizer)}
        row = {"epoch": epoch + 1, **meter.read(optimizer), **measure(state.network, val)}
        state.epoch = epoch + 1
        state.rows.append(row)
        yield row


class Loader(Protocol):
    """What the loop goes through once an epoch: our `Batches`, or any `DataLoader`."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of an epoch."""


@dataclass
class State:
    """What a training carries from epoch to epoch. Kept and put back, it goes on as if nothing had been.

    Attributes:
        model: the network, on the device where it is trained.
        optimizer: it knows each weight's history; its `lr` is what the schedule multiplies.
        schedule: the factor on `lr`, from the share of all steps that is done.
        seed: decides dropout, together with the number of the epoch.
        loss: of logits N,K and labels N (or probabilities N,K); a mean over the batch.
        accumulate: batches whose gradients are added up for one step: a large batch in the memory of a small one.
        clip: the longest that all gradients together may be, as one vector (Pascanu et al. 2013); 0 for any length.
        amp: calculate in `bfloat16` what loses little by it: faster and half the memory where the processor or card can.
        average: the weights averaged over the last steps; None for none.
        epoch: epochs that are done.
        rows: one row of metrics for each of them.
    """

    model: nn.Module
    optimizer: Optimizer
    schedule: Schedule = lambda _done: 1.0
    seed: int = 42
    loss: Loss = cross_entropy
    accumulate: int = 1
    clip: float = 0.0
    amp: bool = False
    average: Average | None = None
    epoch: int = 0
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        for group in self.optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])

    @property
    def network(self) -> nn.Module:
        """What is measured and used: the network with its averaged weights, if there are such."""
        return self.average.model if self.average else self.model

    def precision(self) -> AbstractContextManager[Any]:
        """Where the forward pass is calculated in."""
        return torch.autocast(models.device_of(self.model).type, torch.bfloat16) if self.amp else nullcontext()

    def tensors(self) -> dict[str, Tensor]:
        """All that is needed to go on, by name: `model.*`, `average.*`, `optimizer.*` with the number of the weight it is about."""
        weights = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        history = self.optimizer.state_dict()["state"]
        kept = {f"optimizer.{index}.{name}": value for index, values in history.items() for name, value in values.items()}
        averaged = {f"average.{name}": tensor for name, tensor in self.average.model.state_dict().items()} if self.average else {}
        return {**weights, **averaged, **{name: value for name, value in kept.items() if isinstance(value, Tensor)}}


class Average:
    """Weights averaged over the last steps: what one gets is steadier than any single step (Polyak and Juditsky 1992).

    Attributes:
        model: a copy of the network with the averaged weights; what batch norm has counted is copied, not averaged.
        decay: the share of the average that stays at each step: 0.99 averages over about 100 steps. At first it is lower, so that the
            first weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = models.copied(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move a little towards the network's weights; `step` counts from 1."""
        decay = min(self.decay, step / (step + 9))
        torch._foreach_lerp_([*self.model.parameters()], [*model.parameters()], 1 - decay)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)


class Meter:
    """Loss and accuracy of an epoch, counted on the device in one go for many batches.

    Asking for a number at each step would make the processor wait for a card, and for a small network the counting would cost as much
    as a tenth of the training.
    """

    def __init__(self, device: torch.device) -> None:
        self.start = time.perf_counter()
        self.count = 0
        self.loss = torch.zeros((), device=device)
        self.correct = torch.zeros((), device=device, dtype=torch.int64)
        self._waiting: list[tuple[Tensor, Tensor, Tensor]] = []
        self._size = 0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Take one batch: its mean loss, logits N,K, labels N."""
        self._waiting.append((loss.detach(), logits.detach(), labels))
        self._size += logits.numel()
        if self._size > _MOST_WAITING:
            self._count()

    def _count(self) -> None:
        losses, logits, labels = zip(*self._waiting, strict=True)
        sizes = [len(batch) for batch in labels]
        self.count += sum(sizes)
        self.loss += torch.stack(losses) @ torch.tensor(sizes, dtype=losses[0].dtype, device=losses[0].device)
        self.correct += (torch.cat(logits).argmax(1) == torch.cat([_most_likely(some) for some in labels])).sum()
        self._waiting, self._size = [], 0

    def read(self, optimizer: Optimizer) -> Row:
        """The means so far.

        Raises:
            TrainingError: the loss is infinite or not a number.
        """
        if self._waiting:
            self._count()
        loss, lr = self.loss.item() / max(self.count, 1), optimizer.param_groups[0]["lr"]
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss became {'infinite' if math.isinf(loss) else 'not a number'} at lr = {lr:g}.",
                hint=f"The steps are probably too large: try --lr {lr / 10:g}.",
            )
        time_s = time.perf_counter() - self.start
        speed = self.count / max(time_s, 1e-9)
        return {
            "train_loss": loss,
            "train_accuracy": self.correct.item() / max(self.count, 1),
            "lr": lr,
            "time_s": time_s,
            "images_per_s": speed,
        }


def _most_likely(labels: Tensor) -> Tensor:
    """Labels N, also of probabilities N,K (as mixed images have them)."""
    return labels if labels.ndim == 1 else labels.argmax(1)


def measure(model: nn.Module, val: tuple[Tensor, Tensor] | None) -> Row:
    """Loss and accuracy on images that are not trained on; nothing if there are none.

    Raises:
        TrainingError: the loss, or a weight, is infinite or not a number.
    """
    if not all(bool(weights.isfinite().all()) for weights in model.parameters()):  # after the last step no loss would tell
        raise TrainingError("A weight became infinite or not a number.", hint="The steps are probably too large: try a smaller lr.")
    if val is None or len(val[1]) == 0:
        return {}
    images, labels = val
    logits, labels = models.predict_logits(model, images), labels.cpu()
    loss = cross_entropy(logits, labels).item()
    if not math.isfinite(loss):
        raise TrainingError("The validation loss is infinite or not a number.", hint="The weights have grown too large: try a smaller lr.")
    return {"val_loss": loss, "val_accuracy": (logits.argmax(1) == labels).sum().item() / len(labels)}


def set_epoch(loader: object, epoch: int) -> None:
    """Tell a loader, or its sampler, which epoch comes, if it wants to know (as PyTorch's `DistributedSampler` does)."""
    for listener in (loader, getattr(loader, "sampler", None)):
        if hasattr(listener, "set_epoch"):
            listener.set_epoch(epoch)


def set_lr(optimizer: Optimizer, factor: float) -> None:
    """Set the learning rate to `factor` times the one that the optimizer was made with."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor


def make_loss(label_smoothing: float = 0.0, class_weights: Tensor | None = None) -> Loss:
    """Cross-entropy, with what is wished.

    Args:
        label_smoothing: the share of each label that all classes get alike (Szegedy et al. 2016).
        class_weights: what an image of each class counts, K numbers on the network's device; None if all count alike.
    """
    if not label_smoothing and class_weights is None:
        return cross_entropy
    return functools.partial(cross_entropy, weight=class_weights, label_smoothing=label_smoothing)
