"""Dropout erases scores, or nearly everything."""

from __future__ import annotations

import ast
import contextlib

from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.probes import run

SENTENCE = "Dropout erases the answers themselves, or nearly all that the layers know."
CHANGE = "Put dropout between hidden layers, with p from 0.2 to 0.5."
DEMO = """\
  model = net()
- model.append(nn.Dropout(0.5))
+ model.insert(3, nn.Dropout(0.5))
  learn(model)
"""
EXPLAINS = ("lr_too_low", "lr_too_high", "missing_eval")
_DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "dropout")


def look(case: Case) -> Finding | None:
    """In training scores are exactly 0 that are not in use; or a dropout of 80 % and more."""
    if case.start is None or case.images is None:
        return None
    large = [module for module in case.start.modules() if isinstance(module, nn.Dropout | nn.Dropout2d) and module.p >= 0.8]
    line = max((call.lineno for call in case.script.calls(*_DROPOUTS)), default=0) or case.script.find("Dropout", "dropout")
    with contextlib.suppress(Exception):
        training, using = run(case.start, case.images, training=True), run(case.start, case.images)
        zeros = float(((training == 0) & (using != 0)).double().mean())
        if _are_scores(case, training) and zeros > 0.05 and bool((using < 0).any()):
            return Finding(_last(case) or line, f"{zeros:.0%} of the scores are erased in training.")
    if large:
        number = next(
            (
                node.lineno
                for node in case.script.calls("Dropout", "Dropout2d")
                if any(isinstance(one, ast.Constant) and isinstance(one.value, float) and one.value >= 0.8 for one in ast.walk(node))
            ),
            line,
        )
        return Finding(number, f"{large[0].p:.0%} of the units are silenced at each step.", LIKELY)
    return None


def _are_scores(case: Case, given: Tensor) -> bool:
    """Whether what the network gives goes into the loss, and not into another network, as what an encoder gives does."""
    step = case.first or next(iter(case.steps), None)
    last = step is None or not step.forwards or step.forwards[-1].model is case.model
    return last and given.ndim == 2 and given.shape[1] > 1 and case.outputs in (0, given.shape[1])


def _last(case: Case) -> int:
    """The last line of the network's forward that speaks of dropout."""
    method = case.script.method(type(case.model).__name__, "forward") if case.model else None
    numbers = range(method.lineno, (method.end_lineno or method.lineno) + 1) if method else range(0)
    return next((number for number in reversed(numbers) if "drop" in case.script.line(number).split("#")[0].lower()), 0)
