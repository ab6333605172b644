"""Probabilities that can be believed, and a threshold below which the network says "I don't know"."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from handlens import metrics
from handlens.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WANTED = (0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)


@dataclass(frozen=True)
class Answering:
    """What comes of answering only where the network is sure enough; the threshold is chosen on the validation images.

    Attributes:
        wanted: the share of the answers that is to be right.
        threshold: answer where the probability of the prediction is at least this.
        answered: the share of the test images that is then answered.
        accuracy: the share of these answers that is right; None if there are none.
        interval: where that lies with 95 % confidence; None likewise.
    """

    wanted: float
    threshold: float
    answered: float
    accuracy: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A network's probabilities before and after temperature scaling.

    Attributes:
        temperature: what the logits are divided by; above 1 the network was too sure.
        before: the test images as the network sees them.
        after: the same with the temperature.
        answering: what comes of saying "I don't know", for a few accuracies that one may want.
    """

    temperature: float
    before: Evaluation
    after: Evaluation
    answering: tuple[Answering, ...]

    @property
    def warning(self) -> str:
        """Why the temperature is better not used; empty if nothing speaks against it."""
        if not metrics.COLDEST * 1.01 < self.temperature < metrics.HOTTEST / 1.01:
            return "The temperature is at the end of its range, as where all validation images are right: it says nothing. Do not use it."
        if self.after.loss > self.before.loss:
            return "With the temperature the loss on these images is higher than without: better use the probabilities as they are."
        return ""

    def plot(self) -> Figure:
        """Reliability before and after, and accuracy against the share of images answered."""
        from handlens import plots

        found = self.after.coverage
        return plots.plot_temperature(self.before.calibration, self.after.calibration, self.temperature, (found.share, found.accuracy))

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        scores = {
            when: {"ece": one.ece, "nll": one.loss, "accuracy": one.accuracy, "aurc": one.coverage.aurc}
            for when, one in (("before", self.before), ("after", self.after))
        }
        return {
            "temperature": self.temperature,
            "warning": self.warning,
            "n": self.after.n,
            **scores,
            "answering": [asdict(one) for one in self.answering],
        }


def calibrate(val: Evaluation, test: Evaluation) -> Calibrated:
    """Find the temperature and the thresholds on validation images, and measure on test images what they do.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks"; see `metrics.fit_temperature` and `metrics.coverage`.

    Args:
        val: of images that were not learned from.
        test: of others.
    """
    temperature = metrics.fit_temperature(val.logits, val.labels)
    watched, after = val.scaled(temperature), test.scaled(temperature)
    wanted = [share for share in _WANTED if share > val.accuracy][:3]
    thresholds = [(share, watched.coverage.threshold_for(share)) for share in wanted]
    answering = tuple(_answering(after, share, threshold) for share, threshold in thresholds if threshold is not None)
    return Calibrated(temperature, test, after, answering)


def _answering(test: Evaluation, wanted: float, threshold: float) -> Answering:
    answered = test.probabilities.max(axis=1) >= threshold
    number, right = int(answered.sum()), int(test.correct[answered].sum())
    if number == 0:
        return Answering(wanted, threshold, 0.0, None, None)
    return Answering(wanted, threshold, number / test.n, right / number, metrics.accuracy_interval(right, number))
