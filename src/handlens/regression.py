"""The first session once more: a straight line learned from points, with the same five steps as any network.

One feature gives a line in the plane; several give a plane in space. Everything is plain PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from handlens import seeds
from handlens.errors import TrainingError, UsageError


@dataclass(frozen=True)
class Points:
    """Points on a line (or plane), and off it by a little.

    Attributes:
        features: `float32` N,D, each from 0 to 10.
        targets: `float32` N,1.
        weights: the D slopes that made them.
        bias: the height at 0 that made them.
    """

    features: Tensor
    targets: Tensor
    weights: tuple[float, ...]
    bias: float


def make_points(weights: Sequence[float] = (2.0,), bias: float = 10.0, *, count: int = 100, noise: float = 1.0, seed: int = 42) -> Points:
    """Points `y = weights · x + bias`, with normal noise.

    Args:
        weights: one slope a feature: `(2,)` is the first session's line.
        bias: what y is where all features are 0.
        count: how many points.
        noise: standard deviation of what they are off.
        seed: decides where they are.

    Raises:
        UsageError: no slope, or no point.
    """
    if not weights or count < 1:
        raise UsageError("A line needs a slope and a point.", hint="Such as weights=(2,) and count=100.")
    generator = seeds.generator("points", seed)
    features = 10 * torch.rand(count, len(weights), generator=generator)
    off = noise * torch.randn(count, 1, generator=generator)
    return Points(features, features @ torch.tensor([[float(weight)] for weight in weights]) + bias + off, tuple(weights), bias)


@dataclass(frozen=True)
class Fit:
    """The line after an epoch.

    Attributes:
        epoch: 0 before the first step.
        loss: mean squared error over all points.
        weights: the slopes that were learned.
        bias: the height at 0.
    """

    epoch: int
    loss: float
    weights: tuple[float, ...]
    bias: float


def fit_line(points: Points, *, epochs: int = 100, lr: float = 0.01, batch_size: int = 10, seed: int = 42) -> Iterator[Fit]:
    """Learn the line by stochastic gradient descent on the mean squared error, and give it before the first and after each epoch.

    Args:
        points: see `make_points`.
        epochs: how often each point is seen.
        lr: the size of a step.
        batch_size: points a step; as many as there are makes it plain gradient descent.
        seed: decides the first line and the order.

    Raises:
        UsageError: a batch size below 1.
        TrainingError: the steps are so large that the line flies away.
    """
    if batch_size < 1:
        raise UsageError(f"The batch size is {batch_size}.", hint="It must be 1 or more.")
    with seeds.seeded("weights", seed):
        model = nn.Linear(points.features.shape[1], 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loss_of = nn.MSELoss()
    for epoch in range(epochs + 1):
        if epoch:
            order = torch.randperm(len(points.targets), generator=seeds.generator("order", seed, epoch))
            for some in order.split(batch_size):
                loss = loss_of(model(points.features[some]), points.targets[some])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        yield _look(model, points, epoch, lr)


@torch.no_grad()
def _look(model: nn.Linear, points: Points, epoch: int, lr: float) -> Fit:
    loss = nn.functional.mse_loss(model(points.features), points.targets).item()
    if not loss < 1e12:
        raise TrainingError(f"The line flew away in epoch {epoch}.", hint=f"The steps are too large: try an lr of {lr / 10:g}.")
    return Fit(epoch, loss, tuple(model.weight[0].tolist()), model.bias.item())
