"""The network that is tested was never trained."""

from __future__ import annotations

import ast
import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of
from handlens.doctor.seen import Event

SENTENCE = "The network that is tested is a brand-new one: it was neither trained nor loaded."
CHANGE = "Test the network that was trained, or load the saved weights first."
DEMO = """\
  model = net()
  learn(model)
- model = net()
  print("test accuracy", round(accuracy(model), 2))
"""
EXPLAINS = ("missing_eval",)
_ALIKE = 0.2  # two that begin from random numbers are at 0
_TRAINED = "best|final|load|saved|restor|(?<!un)trained"  # names of what should have been trained


def look(case: Case) -> Finding | None:
    """Calls outside training of another network of the same class, which got no weights."""
    trained = {id(event.model) for event in case.seen.of("forward") if event.trains}
    loaded = {id(event.model) for event in case.seen.of("load")}
    kinds = {type(event.model) for event in case.training}
    for event in case.evaluations:
        if trained and id(event.model) not in trained | loaded and type(event.model) in kinds and not _related(case, event.model):
            if _compared(case, event.model):
                continue
            calls = [node.lineno for node in case.script.calls(*case.script.makers(type(event.model).__name__))]
            line = next((number for number in reversed(calls) if number <= event.line), event.line)
            return Finding(
                _made(case, event) or (calls[-1] if len(calls) > 1 else line),
                "The network of the test has none of the weights that were trained.",
            )
    return None


def _made(case: Case, event: Event) -> int:
    """Where, in the function that asks the network, its name gets a new one: `net = build()`."""
    function = case.script.enclosing(event.line, ast.FunctionDef)
    inside = list(ast.walk(function)) if function else []
    names = {name_of(node.func) for node in inside if isinstance(node, ast.Call) and node.lineno == event.line}
    given = [node.lineno for node in inside if isinstance(node, ast.Assign) and name_of(node.targets[0]) in names]
    return max((line for line in given if line < event.line), default=0)


def _related(case: Case, model: nn.Module) -> bool:
    """Whether weights of it come from a trained network: some are the same, or all point the same way, as those of an average."""
    trained = [event.model for event in case.training[:1] + case.training[-1:]]
    return any(_alike(_matrices(model), _matrices(other)) for other in trained)


def _alike(mine: list[Tensor], theirs: list[Tensor]) -> bool:
    if not mine or [one.shape for one in mine] != [one.shape for one in theirs]:
        return False
    if any(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True)):
        return True
    whole, other = (torch.cat([one.flatten() for one in matrices]) for matrices in (mine, theirs))
    return float(F.cosine_similarity(whole, other, dim=0)) > _ALIKE


def _matrices(model: nn.Module) -> list[Tensor]:
    return [one.detach() for one in model.parameters() if one.ndim > 1]


def _compared(case: Case, model: nn.Module) -> bool:
    """Whether it stands beside the trained one on purpose: both are asked about the same images, and each has its own name."""
    asked = [(event.model, event.about.get("rows", [])) for event in case.evaluations]
    mine = {row for one, rows in asked if one is model for row in rows}
    theirs = {row for one, rows in asked if one is not model for row in rows}
    makers = case.script.makers(type(model).__name__)
    made = [node for node in case.script.nodes if isinstance(node, ast.Assign) and _calls(node.value, makers)]
    names = [name_of(target) for node in made for target in node.targets]
    return bool(mine & theirs) and 1 < len(names) == len(set(names)) and not any(re.search(_TRAINED, name.lower()) for name in names)


def _calls(value: ast.expr, names: list[str]) -> bool:
    return any(isinstance(one, ast.Call) and name_of(one.func) in names for one in ast.walk(value))
