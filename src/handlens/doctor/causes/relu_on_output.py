"""Scores below zero are cut off."""

from __future__ import annotations

import ast

from torch import nn

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.causes.softmax_before_ce import is_probability
from handlens.doctor.seen import Event

SENTENCE = "The last layer is followed by ReLU: scores below zero are cut off, and some classes are never chosen."
CHANGE = "Leave the last layer without ReLU."
DEMO = """\
  model = net()
- model.append(nn.ReLU())
  learn(model, steps=100)
  print("lowest score", round(model(images).min().item(), 1))
"""
EXPLAINS = NOT_LEARNING
_RAW = ("cross_entropy", "multi_margin_loss", "binary_cross_entropy_with_logits")


def look(case: Case) -> Finding | None:
    """No score is ever negative, many are exactly 0, and the loss is for raw scores."""
    kept = [event for event in case.seen.of("loss") if event.grad and event.name in _RAW and "scores" in event.about]
    first = {event.line: event for event in reversed(kept)}
    return next((finding for event in first.values() if (finding := _cut_off(case, event))), None)


def _cut_off(case: Case, loss: Event) -> Finding | None:
    scores = loss.scores
    if scores.ndim != 2 or bool((scores < 0).any()) or not bool((scores > 0).any()) or is_probability(scores):
        return None
    zeros = float((scores == 0).double().mean())
    if zeros < 0.1:
        return None
    method = case.script.method(type(case.model).__name__, "forward")
    relus = [name for name, module in case.model.named_modules() if isinstance(module, nn.ReLU)] if case.model is not None else []
    words = ("relu", *(f"self.{name}(".lower() for name in relus))
    returns = [node for node in ast.walk(method) if isinstance(node, ast.Return)] if method else []
    written = [
        number
        for number in range(getattr(method, "lineno", 1), getattr(method, "end_lineno", loss.line or len(case.script.lines)) + 1)
        if any(word in case.script.line(number).lower().split("#")[0] for word in words)
    ]
    line = (
        returns[-1].lineno
        if returns and any(word in ast.unparse(returns[-1]).lower() for word in words)
        else written[-1]
        if written
        else _made(case, relus) or case.script.find("relu", "ReLU")
    )
    return Finding(line or case.line_of_forward(), f"{zeros:.0%} of the first scores are exactly 0, and none is below.")


def _made(case: Case, relus: list[str]) -> int:
    """Where the part of the network is made that holds its last ReLU."""
    made = case.script.assignments(relus[-1].split(".")[0]) if relus else []
    lines = [number for node in made for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)]
    written = [number for number in lines if "relu" in case.script.line(number).lower()]
    return (written or [node.lineno for node in made] or [0])[-1]
