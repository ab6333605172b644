"""Which jobs come next: all trials rung by rung, or one by one, as TPE or asynchronous halving ask for them."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from handlens.sweep.folder import MOST_EPOCHS, Trials
from handlens.sweep.halving import Halving
from handlens.sweep.pool import Take
from handlens.sweep.spec import TrialName
from handlens.sweep.tpe import Asking
from handlens.sweep.trial import Job


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
    asking = Asking(trials)
    while len(trials.points) < trials.spec.count:
        trials.add(asking.point())
        yield from _jobs(trials, [len(trials.points)], MOST_EPOCHS)
