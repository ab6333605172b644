"""The gradients shrink at each sigmoid."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import parents

SENTENCE = "Through this many sigmoids hardly any gradient reaches the first layers."
CHANGE = "Use ReLU between the layers."
DEMO = """\
- between = nn.Sigmoid
+ between = nn.ReLU
  model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), *[one for _ in range(6) for one in (between(), nn.Linear(32, 32))])
  loss_fn(model(images), labels).backward()
  print(f"gradient of the first layer by the last one's: {model[1].weight.grad.norm() / model[-1].weight.grad.norm():.0e}")
"""
EXPLAINS = ("lr_too_low", "lr_too_high")
LEAST = 2e-3  # less of it does not reach the first layer
_LITTLE = 1e-2  # where nothing is learned
_LAYERS = 4  # through fewer, gradients come back whatever is between them


def look(case: Case) -> Finding | None:
    """The gradient of the first layer is a thousandth of the last one's, or a hundredth and nothing is learned."""
    ratio = gradient_ratio(case, _LAYERS) if case.script.find("igmoid", "anh") else None
    if ratio is None or ratio > (_LITTLE if case.rose else LEAST):
        return None
    return Finding(
        _chosen(case) or case.script.find("igmoid", "anh"),
        f"Relative to its weights the gradient of the first layer is {ratio:.0e} of the last one's.",
    )


def gradient_ratio(case: Case, layers: int = 2) -> float | None:
    """The gradient of the first layer by that of the last one, each relative to its weights; None if there are not so many layers."""
    norms = [(event.leaves, event.norms) for event in case.seen.of("backward") if "norms" in event.about]
    if not norms:
        return None
    leaves, sizes = norms[min(1, len(norms) - 1)]
    by_name = {
        case.parameters.get(id(leaf), ""): size / max(1e-12, float(leaf.detach().norm()))
        for leaf, size in zip(leaves, sizes, strict=True)
        if leaf.ndim >= 2
    }
    ordered = [by_name[name] for name in case.parameters.values() if name in by_name]
    return ordered[0] / max(ordered[-1], 1e-30) if len(ordered) >= layers else None


def _chosen(case: Case) -> int:
    """Where it is chosen by its name: `Dense(64, "sigmoid")`; not where the names stand from which one can choose."""
    named = [node for node in case.script.nodes if isinstance(node, ast.Constant) and node.value in ("sigmoid", "tanh")]
    return next((node.lineno for node in named if not isinstance(next(parents(node)), ast.Dict | ast.List | ast.Tuple)), 0)
