"""Numbers in PyTorch's messages about shapes, and what they are made of."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlens.doctor.case import Case


def product(case: Case) -> tuple[int, int, int, int] | None:
    """Rows and columns of the two matrices that could not be multiplied."""
    match = case.raised(r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)")
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]), int(match[4]))


def image_sizes(case: Case) -> set[tuple[int, ...]]:
    """Shapes of single images as the loaders gave them, or as the network got them."""
    found = {tuple(event.images.shape[1:]) for event in case.seen.of("batch", "forward", "call") if "images" in event.about}
    return {shape for shape in found if shape}


def batch_sizes(case: Case) -> set[int]:
    """Numbers of images in a batch."""
    return {len(event.images) for event in case.seen.of("batch", "forward", "call") if "images" in event.about and event.images.ndim}


def asked(case: Case) -> int:
    """How many images the network was asked about last; 0 if that is not known."""
    given = [event.images for event in case.seen.of("batch", "forward", "call") if "images" in event.about and event.images.ndim]
    return len(given[-1]) if given else 0


def layer_line(case: Case, *numbers: int) -> int:
    """The line that makes a layer with these numbers for its first arguments, as far as they can be computed."""
    for node in case.script.calls("Linear", "Conv2d", "Conv1d"):
        values = [value_of(argument, case) for argument in node.args[: len(numbers)]]
        if values == list(numbers):
            return node.lineno
    return 0


def value_of(node: ast.expr, case: Case) -> int | None:
    """The number that an expression of numbers, names and `*`, `+`, `-`, `//` gives."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        known = _default(node, case) or case.names.get(node.id)
        return known if isinstance(known, int) else None
    if isinstance(node, ast.BinOp):
        left, right = value_of(node.left, case), value_of(node.right, case)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.FloorDiv) and right:
            return left // right
        if isinstance(node.op, ast.Pow) and 0 <= right < 8:
            return int(left**right)
    return None


def _default(name: ast.Name, case: Case) -> int | None:
    """What a parameter of the function around it is if nobody hands it over."""
    function = case.script.enclosing(name.lineno, ast.FunctionDef)
    if not isinstance(function, ast.FunctionDef):
        return None
    given = zip(reversed(function.args.args), reversed(function.args.defaults), strict=False)
    values = [value.value for parameter, value in given if parameter.arg == name.id and isinstance(value, ast.Constant)]
    return next((value for value in values if isinstance(value, int)), None)


def factors(count: int, case: Case) -> str:
    """`1568 = 32*7*7`: the filters of one of the program's convolutions times a square, as feature maps are; else the number alone."""
    filters = [value_of(node.args[1], case) for node in case.script.calls("Conv2d") if len(node.args) > 1]
    for channels in reversed(filters):
        side = math.isqrt(count // channels) if channels else 0
        if channels and side > 1 and channels * side * side == count:
            return f"{count} = {channels}*{side}*{side}"
    return str(count)
