"""Layer upon layer with nothing between them."""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Sequence

import torch
from torch import nn

from handlens.doctor.case import LEARNING, Case
from handlens.doctor.cause import Finding
from handlens.doctor.probes import run
from handlens.doctor.script import name_of

SENTENCE = "Without an activation such as ReLU between them, several layers can do no more than one."
CHANGE = "Put a ReLU between the layers."
DEMO = """\
- model = nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 2))
+ model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
  points = torch.rand(200, 2) * 2 - 1
  learn(model, points, (points.prod(1) > 0).long(), lr=0.5, steps=300)
"""
EXPLAINS = ("defined_but_unused",)


def look(case: Case) -> Finding | None:
    """The network is linear: f(a) + f(b) = f(a + b) + f(0), though it has several layers."""
    if case.lively is None or case.images is None or not case.images.is_floating_point():
        return None
    layers = [module for module in case.lively.modules() if isinstance(module, LEARNING)]
    with contextlib.suppress(Exception):
        network = copy.deepcopy(case.lively).double()
        one = case.images[:8].double()
        other = one.roll(1, 0) * 0.7 + 0.05
        nothing = torch.zeros_like(one)
        a, b, both, zero = (run(network, images) for images in (one, other, one + other, nothing))
        reach = float((a - zero).abs().max())
        off = float((a + b - both - zero).abs().max()) / max(reach, 1e-12)
        count = len(layers) or sum(parameter.ndim >= 2 for parameter in case.lively.parameters())
        if count >= 2 and not _low_rank(layers) and off < 1e-6 and reach > 1e-9:
            return Finding(_line(case), f"{count} layers, and f(a) + f(b) - f(0) equals f(a + b) up to {off:.0e}.")
    return None


def _low_rank(layers: Sequence[nn.Module]) -> bool:
    """Whether two layers stand for one matrix of fewer numbers on purpose: less goes between them than comes in or goes out."""
    pairs = (layers, layers[::-1]) if len(layers) == 2 and all(isinstance(one, nn.Linear) for one in layers) else ()
    return any(a.out_features == b.in_features < min(a.in_features, b.out_features) for a, b in pairs)  # type: ignore[operator, type-var]


def _line(case: Case) -> int:
    """Where forward calls the first of several layers by name; else where it begins."""
    method = case.script.method(type(case.model).__name__, "forward")
    layers = {name for name, module in case.model.named_children() if isinstance(module, LEARNING)} if case.model is not None else set()
    calls = [node.lineno for node in ast.walk(method) if isinstance(node, ast.Call) and name_of(node.func) in layers] if method else []
    return min(calls) if len(calls) > 1 else case.line_of_forward()
