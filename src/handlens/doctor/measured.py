"""What was measured of a program, each number with what is usual: the table of `handlens doctor --verbose`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from handlens.doctor.case import Case
from handlens.doctor.cause import Measured
from handlens.doctor.causes.batch_scramble import touched
from handlens.doctor.causes.labels_shuffled import centroid_agreement, labelled
from handlens.doctor.causes.lr_too_low import TINY, longest_step
from handlens.doctor.causes.vanishing_sigmoid import LEAST, gradient_ratio
from handlens.doctor.evaluations import arguments
from handlens.words import counted


def measured(case: Case) -> tuple[Measured, ...]:
    """Every probe that this program allows; one that raises is left out."""
    found = []
    for name, look in _PROBES.items():
        with contextlib.suppress(Exception):  # of a program of an unknown kind
            if answer := look(case):
                found.append(Measured(name, *answer))
    return tuple(found)


Answer = tuple[str, str] | None


def _first_loss(case: Case) -> Answer:
    if case.first_loss is None or case.loss is None or case.loss.name not in ("cross_entropy", "nll_loss"):
        return None
    return f"{case.first_loss:.2f}", f"about {case.chance:.2f}, as by guessing"


def _pixels(case: Case) -> Answer:
    if case.input is None or not case.input.is_floating_point():
        return None
    least, most, mean = float(case.input.min()), float(case.input.max()), float(case.input.mean())
    return f"{least:.2g} to {most:.2g}, mean {mean:.2g}", "0 to 1, or mean 0, spread 1"


def _labels(case: Case) -> Answer:
    pairs = labelled(case)
    if pairs is None:
        return None
    return f"{centroid_agreement(*pairs):.0%} near their own", f"far above {1 / len(pairs[1].unique()):.0%}, as by chance"


def _gradients(case: Case) -> Answer:
    ratio = gradient_ratio(case)
    return None if ratio is None else (f"{ratio:.2g} first layer by last", f"above {LEAST:g}")


def _old_gradients(case: Case) -> Answer:
    if not case.again:
        return None
    stale = sum(step.stale(case.optimized) for step in case.again)
    return f"{stale} of {counted(len(case.again), 'step')}", "0, unless added on purpose"


def _steps(case: Case) -> Answer:
    way = longest_step(case)
    return (f"{way:.2g} of the weights", f"above {TINY:g}") if way >= 0 else None


def _by_heart(case: Case) -> Answer:
    if case.probe is None:
        return None
    tried = case.probe.train()
    return f"loss {tried.first:.2f} to {tried.last:.2f}", f"below {0.6 * tried.first:.2f}, {len(case.probe.images)} images"


def _others(case: Case) -> Answer:
    given = [one[:16] for one in arguments(case.training, case.model)]
    if case.lively is None or len(given) != 1:
        return None
    return f"{touched(case.lively, given, -1)} of {counted(len(given[0]) - 1, 'other changes', 'others change')}", "0"


def _modes(case: Case) -> Answer:
    return (f"{sum(bool(event.live) for event in case.tests)} of {counted(len(case.tests), 'test call')}", "0") if case.tests else None


def _leaks(case: Case) -> Answer:
    asked = [row for event in case.tests for row in event.about.get("rows", [])]
    return (f"{sum(row in case.trained_rows for row in asked)} of {counted(len(asked), 'test image')}", "0") if asked else None


def _hits(case: Case) -> Answer:
    """What was compared since the last step, as a share; and what was printed."""
    events = case.seen.events
    last = max((place for place, event in enumerate(events) if event.kind in ("backward", "step")), default=0)
    compared = [event for event in events[last:] if event.kind == "compare"]
    if not compared or not case.seen.accuracies():
        return None
    share = sum(event.hits for event in compared) / sum(event.count for event in compared)
    return f"{share:.1%} and {case.seen.accuracies()[-1]:.1%} printed", "the same"


_PROBES: dict[str, Callable[[Case], Answer]] = {
    "INIT: the first loss": _first_loss,
    "DATA: the first batch": _pixels,
    "DATA: images of a class": _labels,
    "GRAD: gradients": _gradients,
    "TRACE: old gradients": _old_gradients,
    "STEP: the longest step": _steps,
    "OVERFIT: a few by heart": _by_heart,
    "PERM: one image changed": _others,
    "MODE: training mode on": _modes,
    "LEAK: seen in training": _leaks,
    "REEVAL: the accuracy": _hits,
}
