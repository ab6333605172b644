"""The steps are so small that nothing happens."""

from __future__ import annotations

import ast
import math

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding

SENTENCE = "The steps are tiny: at this rate learning takes forever."
CHANGE = "Try a learning rate 10 times larger, and again."
DEMO = """\
- learn(net(), lr=1e-7)
+ learn(net(), lr=0.1)
"""
_RATES = (" lr =", "lr=", "learning_rate", "rate =", "eta =", "alpha =", "step_size")
_TIMES = (1e2, 1e3, 1e4, 1e5, 1e6, 1e7)
TINY = 1e-4  # of the size of the weights
_USUAL = 1e-2  # of a step that learns a few images in no time


def look(case: Case) -> Finding | None:
    """A few images are not learned by heart with this rate, and are with one 100 times larger."""
    if case.probe is None:
        return _by_hand(case)
    if case.learned or case.rate_grows or len(case.steps) < 4:
        return None
    longest = longest_step(case)
    if not 0 <= longest <= TINY or _warms_up(case):
        return None
    as_it_is = case.probe.train()
    if as_it_is.last < 0.9 * as_it_is.first:
        return None
    likely = sorted(_TIMES, key=lambda times: abs(math.log10(times * max(longest, 1e-12) / _USUAL)))
    times = next((times for times in likely if case.probe.train(lr=times).fell), 0)
    if not times:
        return None
    lr = float(case.probe.knobs["lr"])
    evidence = f"A step moves no weight by more than {longest:.1g} of its size; with lr={lr * times:g} the same images are learned."
    return Finding(case.line_of_optimizer(), evidence, LIKELY, change=f"Try lr={lr * times:g}.")


def _warms_up(case: Case) -> bool:
    """Whether the rate was still growing when it was last seen."""
    rates = [event.lr for event in case.seen.of("step")]
    return bool(rates) and rates[-1] == max(rates) > 1.5 * rates[0]


def longest_step(case: Case) -> float:
    """How far an optimizer moved a matrix of weights in one step at most, by its size; -1 if that was not seen."""
    return max((way for event in case.seen.of("step") for way in event.moved or []), default=-1.0)


def _by_hand(case: Case) -> Finding | None:
    """Weights that the program moves by itself: it moves them by next to nothing, and the loss stays what guessing would give."""
    if len(case.steps) < 6 or not case.moves or case.moves[-1] > 3e-5 or case.learned or case.losses[-1] < 0.8 * case.chance:
        return None
    evidence = f"No step moves a weight by more than {case.moves[-1]:.1g} of its size, and the loss stays at {case.losses[-1]:.3g}."
    own = line_of_rate(case) or _smallest(case) or case.line_of_training()
    return Finding(case.line_of_optimizer() if case.seen.of("step") else own, evidence, LIKELY)


def line_of_rate(case: Case) -> int:
    """Where the program's own rate gets its number, which is not an optimizer's; 0 if no line says so."""
    codes = enumerate((line.split("#")[0] for line in case.script.lines), start=1)
    return next((number for number, code in codes if any(word in code for word in _RATES) and "optim." not in code), 0)


def _smallest(case: Case) -> int:
    """Where the smallest number of the program gets a name."""
    made = [node for node in case.script.nodes if isinstance(node, ast.Assign)]
    given = [(one, node.lineno) for node in made for one in (node.value, *getattr(node.value, "elts", []))]
    small = [(value.value, line) for value, line in given if isinstance(value, ast.Constant) and isinstance(value.value, float)]
    return min([(value, line) for value, line in small if 0 < value < 1e-3], default=(0.0, 0))[1]
