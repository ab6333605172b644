"""The measures that the code holds itself to (CONTRIBUTING.md): printed, and asserted."""

from __future__ import annotations

import ast
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "handlens"
LESSONS = PACKAGE / "course" / "lessons"  # programs as learners write them
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != LESSONS)


@dataclass(frozen=True)
class Function:
    """A function or method, and what is counted of it."""

    place: str
    lines: int  # from `def` to its end, without the docstring
    parameters: int  # without self, cls, *args, **kwargs
    public: bool
    documented: bool


def functions() -> list[Function]:
    found = []
    for path in FILES:
        for owner, node in walk(ast.parse(path.read_text(encoding="utf-8"))):
            found.append(measure(node, f"{path.relative_to(PACKAGE)}:{node.lineno} {'.'.join([*owner, node.name])}", [*owner, node.name]))
    return found


def walk(tree: ast.AST, owner: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], ast.FunctionDef]]:
    """Every function in a tree with the names of what it stands in; one inside a function is private to it."""
    found: list[tuple[tuple[str, ...], ast.FunctionDef]] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            found += [(owner, node), *walk(node, (*owner, f"_{node.name}"))]
        else:
            found += walk(node, (*owner, node.name) if isinstance(node, ast.ClassDef) else owner)
    return found


def measure(node: ast.FunctionDef, place: str, names: list[str]) -> Function:
    text = ast.get_docstring(node) is not None
    documentation = node.body[0].end_lineno - node.body[0].lineno + 1 if text and node.body[0].end_lineno else 0
    named = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return Function(
        place=place,
        lines=(node.end_lineno or 0) - node.lineno + 1 - documentation,
        parameters=len([name for name in named if name not in ("self", "cls")]),
        public=not any(name.startswith("_") for name in names) and not is_overload(node),
        documented=text,
    )


def is_overload(node: ast.FunctionDef) -> bool:
    return any(isinstance(decorator, ast.Name) and decorator.id == "overload" for decorator in node.decorator_list)


def test_functions_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = sorted(function.lines for function in functions())
    median, tenth = statistics.median(lengths), lengths[math.ceil(len(lengths) * 0.9) - 1]
    with capsys.disabled():
        print(f"\n{len(lengths)} functions: median {median:g} lines, 90 % at most {tenth}, longest {lengths[-1]}")
    assert median <= 8
    assert tenth <= 25
    assert [function for function in functions() if function.lines > 50] == []


def test_functions_have_few_parameters() -> None:
    # A network's constructor is its config: the knobs that it has, by name.
    networks = {"models/cnn.py", "models/networks.py"}
    many = [function for function in functions() if function.parameters > 6]
    assert [function for function in many if function.place.split(":")[0] not in networks or "__init__" not in function.place] == []


def test_files_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    lines = {path.relative_to(PACKAGE): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    with capsys.disabled():
        print(f"\n{len(lines)} files, {sum(lines.values())} lines, longest {max(lines.values())}")
    assert {path: number for path, number in lines.items() if number > 300} == {}


def test_public_functions_have_a_docstring() -> None:
    assert [function.place for function in functions() if function.public and not function.documented] == []
