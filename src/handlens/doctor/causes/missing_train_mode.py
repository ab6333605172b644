"""After the first test the network is never switched back."""

from __future__ import annotations

import ast
import re

from torch import nn

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.words import counted

SENTENCE = "After the test the network stays in eval mode: dropout and batch norm no longer train."
CHANGE = "Write model.train() at the start of each epoch, before the batch loop."
DEMO = """\
  model = net().insert(3, nn.Dropout(0.5))
  for epoch in range(2):
+     model.train()
      print("epoch", epoch, "trains with dropout:", model.training)
      model.eval()
"""
_PARTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def look(case: Case) -> Finding | None:
    """The network has parts that differ in training, and steps are made while they do not."""
    parts = [
        module for module in (case.model.modules() if case.model else []) if isinstance(module, _PARTS) and getattr(module, "p", 1) > 0
    ]
    training = [event for event in case.training if event.model is case.model]
    asleep = [event for event in training if not event.live]
    if not parts or len(asleep) < max(2, 0.1 * len(training)):
        return None
    awake = len(training) - len(asleep)
    if not awake and case.model and (case.loaded or any(parameter.requires_grad is False for parameter in case.model.parameters())):
        return None
    kind = type(parts[0]).__name__
    after = f"after {awake} with it" if awake else "from the first on"
    off = next((event.line for event in case.seen.of("mode") if not event.training), 0) if not awake else 0
    return Finding(
        _line(case, (off,) if off else asleep[0].lines),
        f"{counted(len(asleep), 'training batch was', 'training batches were')} seen with {kind} switched off, {after}.",
        LIKELY if not awake else 0.95,
    )


def _line(case: Case, lines: tuple[int, ...]) -> int:
    """The innermost loop around the lines that are under way, as far as each calls the next by its name; else the innermost line."""
    for line, caller in zip(lines, (*lines[1:], 0), strict=False):
        if loops := case.script.loops_around(line):
            return loops[0].lineno
        function = case.script.enclosing(line, ast.FunctionDef)
        if not isinstance(function, ast.FunctionDef) or not re.search(rf"\b{function.name}\b", case.script.line(caller)):
            break
    return next(iter(lines), 0)
