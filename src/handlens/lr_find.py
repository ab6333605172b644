"""Which learning rate: one short training with steps that grow from tiny to huge (Smith 2017)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import nn

from handlens import models
from handlens.errors import TrainingError
from handlens.fit import plan_for
from handlens.plan import Model, Plan
from handlens.train import Loader, train
from handlens.training import trying

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOWEST, _HIGHEST = 1e-6, 10.0
_SMOOTH = 0.9  # of the loss: each step sees other images
_RUINED = 4.0  # how many times the best loss ends the search
_STEADY = 0.05  # below this share of the loss nothing was learned that could not be noise


@dataclass(frozen=True)
class LearningRates:
    """What was found.

    Attributes:
        lrs: the learning rate of each step, growing.
        losses: the loss after each, smoothed.
        suggestion: where the loss fell fastest, or a tenth of where it was lowest if that is less; None where it hardly fell.
        said: the same in a sentence.
    """

    lrs: list[float]
    losses: list[float]
    suggestion: float | None
    said: str

    def show(self) -> Figure:
        """The curve."""
        from handlens import plots

        return plots.plot_learning_rates(self.lrs, self.losses, self.suggestion)


def find_lr(model: Model | str | None = None, data: object = "mnist", **knobs: Any) -> LearningRates:
    """Which learning rate to take for a training; the arguments are those of `fit`. Nothing is kept.

    A network that is given stays as it is.

    Raises:
        HandlensError: network and data do not fit each other.
    """
    planned = plan_for(models.copied(model) if isinstance(model, nn.Module) else model, data, **knobs)
    with trying(planned):
        return search(planned)


def search(plan: Plan, steps: int = 150) -> LearningRates:
    """Take steps that grow from 1e-6 to 10 with a copy of the planned network, until the loss is ruined; nothing of it is kept.

    A loss that becomes infinite ends the search, as it should; it is no error.

    Args:
        plan: data, network and optimizer as they would be trained.
        steps: how many, if the loss is not ruined before.
    """
    growth = (_HIGHEST / _LOWEST) ** (1 / (steps - 1))
    lrs = [_LOWEST * growth**step for step in range(steps)]
    losses = smooth(_losses(plan, lrs))
    return judge(lrs[: len(losses)], losses)


def _losses(plan: Plan, lrs: list[float]) -> Iterator[float]:
    """The loss of each step, up to the one at which it is ruined. Each step is an epoch of one batch: there the loop gives a row."""
    tried = replace(plan, model=models.copied(plan.model))
    state = tried.state()
    base = state.optimizer.param_groups[0]["initial_lr"]
    state = replace(state, accumulate=1, schedule=lambda done: lrs[min(len(lrs) - 1, round(done * len(lrs)))] / base)
    best = math.inf
    try:
        for row in train(state, _OneBatch(plan.loader), epochs=len(lrs)):
            yield row["train_loss"]
            best = min(best, row["train_loss"])
            if row["train_loss"] > _RUINED * best:
                return
    except TrainingError:
        return


class _OneBatch:
    """A loader whose epochs have one batch each: the next one of another loader."""

    def __init__(self, loader: Loader) -> None:
        self.batches = itertools.chain.from_iterable(itertools.repeat(loader))

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[object]:
        return itertools.islice(self.batches, 1)


def smooth(losses: Iterator[float]) -> list[float]:
    """Each loss averaged with those before it, the recent ones counting most."""
    average, smoothed = 0.0, []
    for step, loss in enumerate(losses, start=1):
        average = _SMOOTH * average + (1 - _SMOOTH) * loss
        smoothed.append(average / (1 - _SMOOTH**step))
        if smoothed[-1] > _RUINED * min(smoothed):
            break
    return smoothed


def judge(lrs: list[float], losses: list[float]) -> LearningRates:
    """Which rate to take, from the loss at each."""
    lowest = min(range(len(losses)), key=losses.__getitem__, default=0)
    if lowest < 2 or losses[0] - losses[lowest] < _STEADY * losses[0]:
        return LearningRates(lrs, losses, None, "The loss falls at no learning rate: look at network, data and labels.")
    steepest = min(range(1, lowest + 1), key=lambda step: losses[step] - losses[step - 1])
    # With momentum the steepest place can be close to the cliff; a tenth of the lowest place never is.
    suggestion = float(f"{min(lrs[steepest], lrs[lowest] / 10):.1e}")
    beyond = "and larger steps ruin it" if lowest < len(losses) - 1 else "where the search ends"
    said = f"Try lr = {suggestion:g}: there the loss falls fast. It is lowest at {lrs[lowest]:.1g}, {beyond}."
    return LearningRates(lrs, losses, suggestion, said)
