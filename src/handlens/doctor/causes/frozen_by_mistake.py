"""Weights are frozen that were never trained."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.evaluations import to_learn

SENTENCE = "Some layers are frozen although they were never trained: they stay random."
CHANGE = "Take the line with requires_grad = False out."
DEMO = """\
  model = net()
- model[1].requires_grad_(False)
  before = model[1].weight.clone()
  learn(model)
  print("the first layer changed:", not torch.equal(before, model[1].weight))
"""
EXPLAINS = ("optimizer_wrong_params", "broken_graph")


def look(case: Case) -> Finding | None:
    """Weights that cannot learn, in a network that began at random; or the flag's name is written otherwise."""
    for node in case.script.nodes:
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and node.attr in ("require_grad", "required_grad", "requires_grads")
        ):
            return Finding(
                node.lineno,
                f"`{node.attr}` is no flag of a tensor.",
                sentence="The flag has another name, so nothing is frozen or freed.",
                change="It is called requires_grad.",
            )
    if case.model is None or not case.steps:
        return None
    known = set(case.reached) | case.loaded
    fixed = {name: one for name, one in case.model.named_parameters() if not one.requires_grad}
    random = [name for name, one in fixed.items() if id(one) not in known and name not in to_learn(case.training, case.model)]
    frozen = [name for name in random if not _born_frozen(case, name)]
    if not frozen:
        return None
    line = case.script.find("requires_grad = False", "requires_grad=False", "requires_grad_(False)")
    return (
        Finding(line, f"{len(frozen)} of {len(case.parameters)} weights cannot learn: {', '.join(frozen[:3])}.", LIKELY) if line else None
    )


def _born_frozen(case: Case, name: str) -> bool:
    """Whether a weight is made as one that never learns: `nn.Parameter(places, requires_grad=False)`."""
    made = [ast.unparse(node.value) for node in case.script.assignments(name.rpartition(".")[2])]
    return any("Parameter(" in value and "requires_grad=False" in value for value in made)
