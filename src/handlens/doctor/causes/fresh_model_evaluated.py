"""The network that is tested was never trained."""

from __future__ import annotations

import ast

import torch
from torch import nn

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


def look(case: Case) -> Finding | None:
    """Calls outside training of another network of the same class, which got no weights."""
    trained = {id(event.model) for event in case.seen.of("forward") if event.trains}
    loaded = {id(event.model) for event in case.seen.of("load")}
    kinds = {type(event.model) for event in case.training}
    for event in case.evaluations:
        if trained and id(event.model) not in trained | loaded and type(event.model) in kinds and not _copied(case, event.model):
            calls = [node.lineno for node in case.script.calls(type(event.model).__name__)]
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


def _copied(case: Case, model: nn.Module) -> bool:
    """Whether it has the weights of a trained one, or an average of them."""
    if case.script.find("deepcopy", "AveragedModel", "ema", "EMA", "swa"):
        return True
    others = [event.model for event in case.training[:1] + case.training[-1:]]
    return any(
        torch.equal(one, two)
        for other in others
        for one, two in zip(model.parameters(), other.parameters(), strict=False)
        if one.shape == two.shape and one.ndim > 1
    )
