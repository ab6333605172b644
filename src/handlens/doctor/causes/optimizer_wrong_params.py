"""The optimizer holds other weights than those of the network that is trained."""

from __future__ import annotations

import ast

from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, NOT_LEARNING, Finding
from handlens.doctor.script import names_in
from handlens.doctor.seen import Event, held
from handlens.words import counted

SENTENCE = "The optimizer does not hold the weights that this network learns with."
CHANGE = "Make the optimizer after the network, with all of its weights: model.parameters()."
DEMO = """\
  model = net()
- optimizer = torch.optim.SGD(net().parameters(), lr=0.1)
+ optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
  for step in range(2):
      model.zero_grad()
      loss = loss_fn(model(images), labels)
      loss.backward()
      optimizer.step()
      print(f"loss {loss.item():.4f}")
"""
EXPLAINS = (*NOT_LEARNING, "missing_zero_grad", "model_reset_each_epoch")
_SEVERAL = 4
_OFTEN = 2  # calls: of a copy that is made for one step it is not known whether it moves


def look(case: Case) -> Finding | None:
    """Weights that get gradients and are in no optimizer, of the network that is trained most or of another one."""
    return _left_out(case) or _of_another(case)


def _left_out(case: Case) -> Finding | None:
    names = {id(one): name for name, one in (case.model.named_parameters() if case.model else ())} | case.parameters  # a part may be new
    wanted = {name: one for name, one in ((names.get(key), leaf) for key, leaf in case.reached.items()) if name}
    if not wanted or not case.seen.of("step") or not case.optimized or sum(event.model is case.model for event in case.training) < _OFTEN:
        return None
    left = [name for name, leaf in wanted.items() if id(leaf) not in case.optimized]
    if not left or (case.loaded and len(left) < len(wanted)) or _moved(case, [wanted[name] for name in left]):
        return None
    line = _of_step(case, wanted[left[0]]) or case.line_of_optimizer()
    if len(left) == len(wanted):
        return Finding(line, f"None of the {len(wanted)} weights that get gradients is in the optimizer.")
    shown = ", ".join(left[:3])
    return Finding(line, f"{len(left)} of {len(wanted)} weights get gradients and are never moved: {shown}.", sure=LIKELY)


def _of_step(case: Case, leaf: Tensor) -> int:
    """Where the optimizer is made that was used when these weights first got a gradient; 0 without one."""
    reached = next((step for step in case.steps if any(one is leaf for one in step.backward.leaves)), None)
    used = [event.optimizer for event in reached.after if event.kind == "step"] if reached else []
    mine = min(used, key=lambda one: case.parameters.keys().isdisjoint(held(one)), default=None)
    return next((_asked_for(case, event) for event in case.seen.of("optimizer") if mine is not None and event.optimizer is mine), 0)


def _asked_for(case: Case, made: Event) -> int:
    """The line that makes an optimizer; where a function only hands on the weights that it is given, the line that calls that."""
    for line in made.about.get("lines", ()):
        given, function = case.script.enclosing(line, ast.Return), case.script.enclosing(line, ast.FunctionDef)
        signature = function.args if isinstance(function, ast.FunctionDef) else None
        taken = {one.arg for one in (*signature.args, signature.vararg, signature.kwarg) if one} - {"self"} if signature else set()
        if given is None or not taken & names_in(given):
            return int(line)
    return made.line


def _of_another(case: Case) -> Finding | None:
    """Steps to the same weights of a network, none of which is held, and which stayed as they were: its optimizer was not made anew."""
    known = {id(weight) for model in case.seen.models for weight in model.parameters()}
    idle = []
    for step in case.steps:
        reached, ways = {id(leaf) for leaf in step.backward.leaves}, (step.backward.moved or {}).values()
        stayed = bool(ways) and not any(ways) and any(event.kind == "step" for event in step.after)
        if stayed and reached & known and not reached & case.optimized:
            idle.append(step.backward)
    leaves = {id(leaf): leaf for backward in idle for leaf in backward.leaves}
    if len(idle) < _SEVERAL or _moved(case, list(leaves.values())):
        return None
    first = f"In {counted(len(idle), 'step')} at line {case.script.place(idle[0].line)[1]}"
    return Finding(_made(case), f"{first}, none of the {len(idle[0].leaves)} weights that get gradients is in the optimizer.")


def _made(case: Case) -> int:
    """Where the last optimizer is made."""
    return next((_asked_for(case, event) for event in reversed(case.seen.of("optimizer")) if event.line), 0)


def _moved(case: Case, leaves: list[Tensor]) -> bool:
    """Whether the program moves them by itself."""
    ways = [(step.backward.moved or {}).get(id(leaf), 0.0) for step in case.steps for leaf in leaves]
    return any(way > 0 for way in ways)
