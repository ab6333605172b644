"""How fast this machine trains: products of matrices, images a second by each way to calculate, whole presets, and each trick off."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from handlens import device, models
from handlens.config import FIELDS, make_config
from handlens.data import Dataset
from handlens.errors import UsageError
from handlens.plan import Plan
from handlens.presets import preset_knobs
from handlens.train import train
from handlens.transfer import plan_new

JOBS = ("session", "fast-cnn")
GOALS = {"session": 0.97, "fast-mlp": 0.98, "fast-cnn": 0.99}
_SHAPE = ("model", "channels", "kernel_size", "hidden_sizes", "epochs", "epoch_part")
_PASSES = 3  # of a step: forward, and backward to the weights and to the layer before
_STEPS, _TURNS = 20, 3
_LARGE = 1024
_PEAK_S = 0.3


@dataclass(frozen=True)
class Way:
    """A way to calculate, and what it gives here.

    Attributes:
        device, threads, precision: the knobs of that name.
        peak: floating-point operations a second in products of large matrices, the most there is to have.
        images_per_s: of a training, for each of `JOBS`.
    """

    device: str
    threads: int
    precision: str
    peak: float
    images_per_s: Mapping[str, float]


@dataclass(frozen=True)
class Trained:
    """A training from beginning to end, as its preset has it.

    Attributes:
        accuracy: on the images kept apart, a mean over the seeds.
        lowest: of the seeds.
        time_s: of training and watching, a mean.
        images_per_s: that it learned from.
        flops_per_s: floating-point operations a second of the linear and convolutional layers, three times those of the way forward.
    """

    accuracy: float
    lowest: float
    time_s: float
    images_per_s: float
    flops_per_s: float


def ways() -> Iterator[tuple[str, int, str]]:
    """The ways to calculate that there are here: device, threads, precision."""
    threads = sorted({1, min(torch.get_num_threads(), 4)})
    yield from itertools.product(["cpu"], threads, ["float32", "bfloat16"])
    for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
        if there:
            yield from itertools.product([name], [1], ["float32", "bfloat16"])


def measure_way(name: str, threads: int, precision: str, data: Dataset) -> Way:
    """What one way to calculate gives here, in about a second."""
    knobs = {"device": name, "threads": threads, "precision": precision}
    with device.settled(device.choose(name), threads):
        peak = _peak(torch.device(name), torch.bfloat16 if precision == "bfloat16" else torch.float32)
    return Way(
        name, threads, precision, peak, {job: _speed(plan_new(make_config({**preset_knobs(job), **knobs}), images=data)) for job in JOBS}
    )


def _peak(place: torch.device, kind: torch.dtype) -> float:
    one, other = (torch.ones(_LARGE, _LARGE, device=place, dtype=kind) for _ in range(2))
    times, begin = list[float](), time.perf_counter()
    while len(times) < 2 or time.perf_counter() - begin < _PEAK_S:
        start = time.perf_counter()
        _wait(one @ other)
        times.append(time.perf_counter() - start)
    return float(2 * _LARGE**3 / min(times))


def _wait(result: Tensor) -> None:
    """Until a card has done what it was given."""
    result.sum().item()


def _speed(planned: Plan) -> float:
    """Images a second in the fastest of a few stretches, as something else may have run beside the others."""
    state, speeds = planned.state(), []
    with device.settled(models.device_of(planned.model), planned.config.threads):
        rows = train(state, planned.loader, epochs=1, every=_STEPS)
        previous = 0.0
        for row in itertools.islice(rows, 1 + _TURNS):
            speeds.append(_STEPS * planned.config.batch_size / (row["time_s"] - previous))
            previous = row["time_s"]
        rows.close()  # type: ignore[attr-defined]
    return max(speeds)


def trained(knobs: Mapping[str, Any], data: Dataset, seeds: int) -> Trained:
    """Train to the end with seeds 1, 2, ..., and measure on the images kept apart.

    Raises:
        UsageError: none are kept apart.
    """
    if not len(data.val):
        raise UsageError("There are no images kept apart to measure by.", hint="The test images are for the end. Use val=0.1.")
    accuracies, times = zip(
        *(_train(plan_new(make_config({**knobs, "seed": seed}), images=data)) for seed in range(1, seeds + 1)), strict=True
    )
    planned = plan_new(make_config(dict(knobs)), images=data)
    speed = planned.loader.size * planned.config.epochs / mean(times)  # type: ignore[attr-defined]
    work = 2 * _PASSES * models.count_multiplications(planned.model, data.image_shape)
    return Trained(mean(accuracies), min(accuracies), mean(times), speed, work * speed)


def _train(planned: Plan) -> tuple[float, float]:
    start = time.perf_counter()
    with device.settled(models.device_of(planned.model), planned.config.threads):
        (*_, row) = train(planned.state(), planned.loader, planned.val, epochs=planned.config.epochs)
    return row["val_accuracy"], time.perf_counter() - start


def tricks(preset: str) -> dict[str, dict[str, Any]]:
    """The knobs of a preset without one of its tricks, for each in turn, by what is there instead: `lr 0.001`, `no batch_norm`.

    A trick is a knob that is not at its default, and no size.
    """
    knobs = preset_knobs(preset)
    usual = {name: FIELDS[name].default for name in knobs if name not in _SHAPE and knobs[name] != FIELDS[name].default}
    return {_without(name, value): {**knobs, name: value} for name, value in usual.items()}


def _without(name: str, value: object) -> str:
    """A trick that is off, in words."""
    if value is False or value in (0, "none"):
        return f"no {name}"
    return f"{name} {','.join(map(str, value)) if isinstance(value, tuple) else value}"
