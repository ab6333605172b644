"""Which jobs come next: all trials rung by rung, or one by one, as TPE or asynchronous halving ask for them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handlens.errors import UsageError
from handlens.sweep.folder import MOST_EPOCHS, Trials
from handlens.sweep.halving import Halving
from handlens.sweep.pool import Take
from handlens.sweep.space import Axis, Point
from handlens.sweep.spec import TrialName
from handlens.sweep.trial import Job

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def stages(trials: Trials) -> Iterator[Take]:
    """Jobs that may be done at the same time, and after all of those the next ones. What the folder says is done, is not asked for."""
    if trials.spec.asynchronous:
        yield Halving(trials).take
    elif trials.spec.method == "tpe":
        yield functools.partial(next, _asked_for(trials), None)
    else:
        before = None
        while (jobs := _next_jobs(trials)) and jobs != before:
            before = jobs
            yield functools.partial(next, iter(jobs), None)


def _next_jobs(trials: Trials) -> list[Job]:
    """Of the first rung that is not done: where a point failed later, another one takes its place and has to catch up."""
    rungs = (_jobs(trials, trials.alive(upto), upto) for upto in (*trials.spec.rungs, MOST_EPOCHS))
    return next(filter(None, rungs), [])


def _jobs(trials: Trials, numbers: list[int], upto: int) -> list[Job]:
    names = [TrialName(number, seed) for number in numbers for seed in trials.spec.seeds]
    jobs = [(trials.job(name, upto), trials.outcome(name)) for name in names]
    return [job for job, outcome in jobs if not outcome.has_reached(job.upto)]


def _asked_for(trials: Trials) -> Iterator[Job]:
    """First what was asked for before and is not done; then a new point whenever a worker is free."""
    yield from _jobs(trials, list(range(1, len(trials.points) + 1)), MOST_EPOCHS)
    while len(trials.points) < trials.spec.count:
        trials.add(_ask(trials))
        yield from _jobs(trials, [len(trials.points)], MOST_EPOCHS)


def _ask(trials: Trials) -> Point:
    """The point that optuna's TPE would try next, told all points that are done: a pure function of those, so nothing else is kept.

    Source: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization".

    Raises:
        UsageError: optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise UsageError("--tpe needs optuna, which is not installed.", hint='pip install "handlens[sweep]"') from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    axes = {axis.name: _distribution(axis) for axis in trials.spec.axes}
    sampler = optuna.samplers.TPESampler(seed=trials.spec.base.seed + len(trials.points))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for number, point in enumerate(trials.points, start=1):
        if all(outcome.finished or outcome.failure for outcome in trials.outcomes(number)):
            told = {axis.name: _coded(axis, point[axis.name]) for axis in trials.spec.axes}
            study.add_trial(optuna.trial.create_trial(params=told, distributions=axes, value=trials.score(number, MOST_EPOCHS)))
    asked = study.ask(axes).params
    return {axis.name: axis.values[asked[axis.name]] if axis.values else axis.rounded(asked[axis.name]) for axis in trials.spec.axes}


def _distribution(axis: Axis) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if axis.values:
        return CategoricalDistribution(range(len(axis.values)))
    if axis.whole:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)


def _coded(axis: Axis, value: Any) -> Any:
    """A choice by its place: optuna takes no lists as choices."""
    return axis.values.index(value) if axis.values else value
