"""The pixels were divided by 255 twice."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import covers, name_of, names_in

SENTENCE = "The images were already 0 to 1; here they are divided by 255 a second time."
CHANGE = "Take one of the two divisions by 255 out."
DEMO = """\
- x = images / 255
+ x = images
  learn(net(), x)
"""
_SCALES = re.compile(r"\b255\b|(/|div_?\()\s*256\b|ToTensor|to_tensor|to_float|to_image")
EXPLAINS = (*NOT_LEARNING, "init_too_large", "wrong_norm_stats")


def look(case: Case) -> Finding | None:
    """What reaches the first layer with weights is tiny; or small, and a line divides the same twice."""
    values = case.input
    if values is None or not values.is_floating_point() or values[0].numel() < 16:
        return None
    largest, deviation = float(values.abs().max()), float(values.double().std())
    divisions = [node for node in case.script.nodes if isinstance(node, ast.BinOp | ast.Call)]
    twice = [node.lineno for node in divisions if (inner := _divided(node)) is not None and _divided(inner) is not None]
    if twice and 0 < largest < 0.5:
        return Finding(twice[0], f"The same numbers are divided twice; those that reach the first layer go up to {largest:.2g} only.")
    again = _scaled_before(case) if deviation < 0.02 else 0
    if again and (span := float(values.max() - values.min())) < 0.05:
        return Finding(again, f"The pixels that reach the first layer differ by {span:.2g} at most.")
    if not 0 < largest < 0.05 or deviation > 0.02:
        return None
    scaling = [number for number, line in enumerate(case.script.lines, start=1) if _SCALES.search(line.split("#")[0])]
    places = [number for number in scaling if "255" in case.script.line(number)] or scaling
    if not places:  # no pixels, but other small numbers, as of sound
        return None
    places = [number for number in places if case.script.line(number).count("255") > 1][:1] or _before_training(case, places) or places
    return Finding(places[-1], f"The pixels that reach the first layer go up to {largest:.4f} only.")


def _scaled_before(case: Case) -> int:
    """Where something is divided that is then handed to a function which divides what it gets; 0 if nothing is."""
    divided = {name_of(target): target.lineno for target, value in case.script.pairs() if any(map(_divided, ast.walk(value)))}
    for function in (node for node in case.script.nodes if isinstance(node, ast.FunctionDef)):
        parameters = {one.arg for one in function.args.args}
        if any(names_in(inner) & parameters for node in ast.walk(function) if (inner := _divided(node)) is not None):
            given = [name_of(one) for call in case.script.calls(function.name) for one in call.args if not covers(function, call.lineno)]
            if found := [divided[name] for name in given if name in divided]:
                return found[0]
    return 0


def _before_training(case: Case, places: list[int]) -> list[int]:
    return [number for number in places if number < case.line_of_training()]


def _divided(node: ast.AST) -> ast.AST | None:
    """What is divided by 255 here; None if it is another operation."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _is_255(node.right):
        return node.left
    if isinstance(node, ast.Call) and name_of(node.func) in ("div", "div_") and node.args and _is_255(node.args[0]):
        return node.func.value if isinstance(node.func, ast.Attribute) else None
    return None


def _is_255(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 255
