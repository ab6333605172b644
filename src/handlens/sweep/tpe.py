"""The points that optuna's TPE would try next.

Source: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlens.sweep.folder import MOST_EPOCHS, Trials
from handlens.sweep.space import Axis, Point
from handlens.sweep.spec import check_optuna

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_MOST_AT_RANDOM = 10  # what optuna itself takes
_SHARE_AT_RANDOM = 3


class Asking:
    """Asks optuna for points. What it says depends on the points that are done and on nothing else, so nothing else is kept.

    Attributes:
        trials: of the sweep.
    """

    def __init__(self, trials: Trials) -> None:
        """Make ready.

        Raises:
            UsageError: optuna is not installed.
        """
        check_optuna()
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.trials = trials
        self._axes = {axis.name: _distribution(axis) for axis in trials.spec.axes}
        self._study = optuna.create_study(direction="maximize")
        self._told: set[int] = set()

    def point(self) -> Point:
        """The point that is to be tried next. The first ones are drawn at random, see `at_random`."""
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        self._tell()
        spec = self.trials.spec
        self._study.sampler = TPESampler(seed=spec.base.seed + len(self.trials.points), n_startup_trials=at_random(spec.count))
        asked = self._study.ask(self._axes)
        self._study.tell(asked, state=TrialState.FAIL)  # it is told anew, as it was rounded, when it is done
        return {axis.name: _decoded(axis, asked.params[axis.name]) for axis in spec.axes}

    def _tell(self) -> None:
        """Tell the study of the points that are done now and were not before."""
        from optuna.trial import create_trial

        for number, point in enumerate(self.trials.points, start=1):
            outcomes = () if number in self._told else self.trials.outcomes(number)
            if outcomes and all(outcome.finished or outcome.failure for outcome in outcomes):
                self._told.add(number)
                params = {axis.name: _coded(axis, point[axis.name]) for axis in self.trials.spec.axes}
                score = self.trials.score(number, MOST_EPOCHS)
                self._study.add_trial(create_trial(params=params, distributions=self._axes, value=score))


def at_random(count: int) -> int:
    """How many of so many points are drawn at random before TPE chooses: a third, but not more than ten."""
    return min(_MOST_AT_RANDOM, max(1, count // _SHARE_AT_RANDOM))


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


def _decoded(axis: Axis, value: Any) -> Any:
    return axis.values[value] if axis.values else axis.rounded(value)
