"""The loops of the watched program: which of them trains, and when enough of it was seen."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from handlens.doctor.clock import worked_s

FOR, WHILE = "__handlens_for__", "__handlens_while__"
_ALL_S = 3.5  # of training, in all
_FIRST_S, _NEXT_S = 1.6, 0.4  # of one turn through the batches: the first one, and each later one
_FIRST_STEPS, _NEXT_STEPS = 100, 25
_FEW_STEPS = 6
_EPOCHS = 12
_EVALUATION_S = 1.5


def instrument(tree: ast.Module, begin: int = 0) -> ast.Module:
    """The program with each `for` and `while` passed through `Loops`; every other line is as it was.

    Args:
        tree: a file of it.
        begin: how many lines stand before that file in the whole text.
    """
    _Instrument(begin).visit(tree)
    return ast.fix_missing_locations(tree)


class _Instrument(ast.NodeTransformer):
    def __init__(self, begin: int) -> None:
        self.begin = begin

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._call(FOR, node.iter, node)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.test = self._call(WHILE, node.test, node)
        return node

    def _call(self, name: str, argument: ast.expr, node: ast.stmt) -> ast.Call:
        call = ast.Call(ast.Name(name, ast.Load()), [argument, ast.Constant(self.begin + node.lineno)], [])
        for part in ast.walk(call):
            if not hasattr(part, "lineno"):
                ast.copy_location(part, argument)
        return call


@dataclass
class Loop:
    """One pass through a loop: its line, and what happened in it.

    Attributes:
        turns: how many times its body was begun.
        direct: backward passes in it that were in no loop inside it.
        backwards: those, and the ones of the loops inside it.
        forwards: calls of a network, with those of the loops inside it.
    """

    line: int
    began: float = field(default_factory=worked_s)
    turns: int = 0
    direct: int = 0
    backwards: int = 0
    forwards: int = 0


class Loops:
    """All loops that are under way, the innermost last."""

    def __init__(self) -> None:
        self.active: list[Loop] = []
        self.turn = 0
        self.shortened = False
        self._ended = False
        self._passes: dict[int, int] = {}
        self._trained_s = 0.0
        self._began: float | None = None

    def end(self) -> None:
        """No loop goes on from now."""
        self._ended = True

    def count_forward(self) -> None:
        """A network was called."""
        for loop in self.active:
            loop.forwards += 1

    def count_backward(self) -> None:
        """Gradients were asked for."""
        self._began = self._began or worked_s()
        for loop in self.active:
            loop.backwards += 1
        if self.active:
            self.active[-1].direct += 1

    def through(self, items: Iterable[Any], line: int) -> Iterator[Any]:
        """The items of a `for`, until enough was seen."""
        loop = self._enter(line)
        try:
            for item in items:
                if self._enough(loop):
                    return
                self._next(loop)
                yield item
        finally:
            self._leave(loop)

    def going(self, condition: Any, line: int) -> Any:
        """The condition of a `while`, or False when enough was seen."""
        loop = next((one for one in reversed(self.active) if one.line == line), None) or (self._enter(line) if condition else None)
        if loop is None:
            return condition
        if not condition or self._enough(loop):
            self._leave(loop)
            return condition and False
        self._next(loop)
        return condition

    def _enter(self, line: int) -> Loop:
        loop = Loop(line)
        self.active.append(loop)
        return loop

    def _next(self, loop: Loop) -> None:
        with contextlib.suppress(ValueError):
            del self.active[self.active.index(loop) + 1 :]  # loops that were left by break
        loop.turns += 1
        self.turn += 1

    def _leave(self, loop: Loop) -> None:
        if loop in self.active:
            del self.active[self.active.index(loop) :]
        if loop.direct:
            self._passes[loop.line] = self._passes.get(loop.line, 0) + 1
        self.turn += 1

    def _enough(self, loop: Loop) -> bool:
        enough = self._ended or self._seen_enough(loop)
        self.shortened |= enough
        return enough

    def _seen_enough(self, loop: Loop) -> bool:
        spent, all_spent = worked_s() - loop.began, worked_s() - (self._began or worked_s())
        if loop.direct:
            first = not self._passes.get(loop.line)
            steps, seconds = (_FIRST_STEPS, _FIRST_S) if first else (_NEXT_STEPS, _NEXT_S)
            return loop.direct >= steps or (loop.direct >= _FEW_STEPS and spent > seconds)
        if loop.backwards:
            return loop.turns >= _EPOCHS or (loop.turns >= 2 and all_spent > _ALL_S) or (loop.turns >= 3 and all_spent > _ALL_S / 2)
        return loop.forwards > _FEW_STEPS and spent > _EVALUATION_S
