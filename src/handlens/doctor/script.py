"""`Script`: the program as its author wrote it, for the line at which something stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path


class Script:
    """A program's text.

    Args:
        text: the text; it must be Python.
        file: its path, for messages.
        parts: what its parts are called, by the number of lines before each; one part if there are none.
    """

    def __init__(self, text: str, file: str, parts: Mapping[int, str] | None = None) -> None:
        self.text = text
        self.file = file
        self._parts = parts or {0: Path(file).name}
        self.lines = text.splitlines()
        self.tree = ast.parse(text, file)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node, each with its `parent`."""
        found = list(ast.walk(self.tree))
        for node in found:
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]
        return found

    def line(self, number: int) -> str:
        """The text of a line, without its indentation."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    def place(self, number: int) -> tuple[str, int]:
        """In which part a line stands, and as the how manieth there."""
        begin = max(begin for begin in self._parts if begin < max(number, 1))
        return self._parts[begin], max(number - begin, 0)

    def calls(self, *names: str) -> list[ast.Call]:
        """The calls of functions or methods of these names: `view` of `x.view(-1)`, `Linear` of `nn.Linear(3, 4)`."""
        found = [node for node in self.nodes if isinstance(node, ast.Call) and name_of(node.func) in names]
        return sorted(found, key=lambda node: node.lineno)

    def classes(self) -> list[ast.ClassDef]:
        """All classes."""
        return [node for node in self.nodes if isinstance(node, ast.ClassDef)]

    def method(self, owner: str, name: str) -> ast.FunctionDef | None:
        """A method of a class."""
        for node in self.classes():
            if node.name == owner:
                return next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == name), None)
        return None

    def assignments(self, name: str) -> list[ast.Assign]:
        """Where a name, or an attribute of that name, gets a value."""
        found = [node for node in self.nodes if isinstance(node, ast.Assign) and any(name_of(target) == name for target in node.targets)]
        return sorted(found, key=lambda node: node.lineno)

    def pairs(self) -> list[tuple[ast.expr, ast.expr]]:
        """What is assigned: a target and its value; of `a, b = c, d` two such pairs."""
        found: list[tuple[ast.expr, ast.expr]] = []
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                several = [one.elts for one in (node.targets[0], node.value) if isinstance(one, ast.Tuple | ast.List)]
                alike = len(several) == 2 and len(several[0]) == len(several[1])
                found += zip(several[0], several[1], strict=True) if alike else [(node.targets[0], node.value)]
        return sorted(found, key=lambda pair: pair[0].lineno)

    def makers(self, kind: str) -> list[str]:
        """What gives a new object of a class when it is called: the class, and functions that return what it gives."""
        returns = [node for node in self.nodes if isinstance(node, ast.Return) and node.value is not None]
        made = [node.lineno for node in returns if any(isinstance(one, ast.Call) and name_of(one.func) == kind for one in ast.walk(node))]
        functions = [self.enclosing(line, ast.FunctionDef) for line in made]
        return [kind, *(one.name for one in functions if isinstance(one, ast.FunctionDef))]

    def enclosing(self, line: int, *kinds: type[ast.AST]) -> ast.AST | None:
        """The innermost node of these kinds around a line."""
        around = [node for node in self.nodes if isinstance(node, kinds) and covers(node, line)]
        return max(around, key=lambda node: getattr(node, "lineno", 0), default=None)

    def in_forward(self, line: int) -> bool:
        """Whether a line stands in a network's `forward`."""
        function = self.enclosing(line, ast.FunctionDef)
        return isinstance(function, ast.FunctionDef) and function.name == "forward"

    def loops_around(self, line: int) -> list[ast.For | ast.While]:
        """The loops around a line, the innermost first."""
        around = [node for node in self.nodes if isinstance(node, ast.For | ast.While) and covers(node, line)]
        return sorted(around, key=lambda node: -node.lineno)

    def find(self, *words: str, within: ast.AST | None = None) -> int:
        """The first line, of a node if given, in which one of these words stands; 0 if there is none."""
        first, last = (getattr(within, "lineno", 1), getattr(within, "end_lineno", len(self.lines))) if within else (1, len(self.lines))
        return next((number for number in range(first, last + 1) if any(word in _code(self.lines[number - 1]) for word in words)), 0)


def _code(line: str) -> str:
    code = line.split("#", 1)[0]
    return "" if code.lstrip().startswith(("import ", "from ")) else code


def covers(node: ast.AST, line: int) -> bool:
    """Whether a line is one of a node's."""
    return getattr(node, "lineno", 0) <= line <= (getattr(node, "end_lineno", None) or 0)


def name_of(node: ast.AST) -> str:
    """The last part of a dotted name; empty for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def names_in(node: ast.AST) -> set[str]:
    """The variables that stand in a node."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def parents(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes around a node, the innermost first; `Script.nodes` must have been asked for."""
    while (above := getattr(node, "parent", None)) is not None:
        yield above
        node = above


def always(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body that each turn comes to, those under `with` too."""
    for one in body:
        yield one
        if isinstance(one, ast.With):
            yield from always(one.body)
