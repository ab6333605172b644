"""The loss gets probabilities and takes their softmax once more."""

from __future__ import annotations

import ast
import math

import torch
from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import parents

SENTENCE = "CrossEntropyLoss already contains softmax; here it gets softmax a second time."
CHANGE = "Give it the raw scores: take the softmax out."
DEMO = """\
  model = net()
- model.append(nn.Softmax(dim=1))
  learn(model, lr=0.5, steps=60)
"""
EXPLAINS = (*NOT_LEARNING, "init_too_large", "softmax_wrong_dim", "relu_on_output")


def look(case: Case) -> Finding | None:
    """What reaches cross entropy in training is never negative, and each row sums to 1."""
    kept = [event for event in case.seen.of("loss") if event.name == "cross_entropy" and event.grad and "scores" in event.about]
    if not kept or not all(is_probability(event.scores) for event in kept):
        return None
    return Finding(
        _line(case) or kept[0].line,
        f"Each row that reaches the loss sums to 1; so it cannot fall below {_floor(kept[0].scores.shape[1]):.2f}.",
    )


def _line(case: Case) -> int:
    """Where the layer is made; else where the function is called."""
    layers = any(isinstance(module, nn.Softmax) for model in case.seen.models for module in model.modules())
    made = [_chosen(case, node) or node.lineno for node in case.script.calls("Softmax")] if layers else []
    softmax = [event.line for event in case.seen.of("softmax") if event.grad and event.name == "softmax" and event.line]
    return next(iter(made or softmax), 0) or case.script.find("Softmax(", "softmax(")


def _chosen(case: Case, call: ast.Call) -> int:
    """Where the program asks for one of a table of layers by its key, if it does so once; 0 if it does not."""
    for table in (above for above in parents(call) if isinstance(above, ast.Dict)):
        names = [
            key.value
            for key, value in zip(table.keys, table.values, strict=True)
            if _stands_in(call, value) and isinstance(key, ast.Constant)
        ]
        asked = [node for node in case.script.nodes if isinstance(node, ast.Constant) and node.value in names and node not in table.keys]
        if len(asked) == 1:
            return asked[0].lineno
    return 0


def _stands_in(call: ast.Call, value: ast.expr) -> bool:
    return value is call or (isinstance(value, ast.Lambda) and value.body is call)


def is_probability(scores: Tensor) -> bool:
    """Whether each row is a softmax already."""
    return scores.ndim == 2 and scores.shape[1] > 1 and bool((scores >= 0).all()) and sums_to_one(scores, 1)


def sums_to_one(shares: Tensor, dim: int, within: float = 1e-3) -> bool:
    """Whether all rows (1) or all columns (0) sum to 1, as far as numbers of that kind can; they may lie on any device."""
    sums = shares.float().sum(dim)
    return torch.allclose(sums, torch.ones_like(sums), atol=max(within, torch.finfo(shares.dtype).eps))


def _floor(classes: int) -> float:
    """The loss of a perfect answer: a 1 among zeros, and softmax of that."""
    return math.log(math.e + classes - 1) - 1
