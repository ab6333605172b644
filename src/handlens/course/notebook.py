"""What an object in a notebook or a program is made of: the lines that define it, without those that train."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from handlens import files
from handlens.errors import FileError, UsageError


@dataclass(frozen=True)
class Found:
    """What was found of the objects to be checked.

    Attributes:
        text: a program that defines them.
        needs: the names that are in it of those that the check wants.
        of_lesson: whether all of them stand just so in a lesson.
    """

    text: str
    needs: tuple[str, ...]
    of_lesson: bool


def find(objects: Iterable[Any], wanted: Iterable[str], names: dict[str, Any]) -> Found:
    """A program that defines these objects, under the names that a check wants.

    Args:
        objects: classes, functions or networks of the caller's, in the order of `wanted` where their own names are others.
        wanted: the names that the check asks for.
        names: the caller's global variables.

    Raises:
        UsageError: an object's definition is not found.
    """
    known, free = list(wanted), [name for name in wanted if name not in {_name(one, names) for one in objects}]
    pairs = [(own, own if own in known else free.pop(0)) for own in (_name(one, names) for one in objects) if own in known or free]
    tree = ast.parse("\n\n".join(_sources(names)))
    needed = _needed(tree, {own for own, _ in pairs})
    missing = [own for own, _ in pairs if not any(own in _binds(node) for node in needed)]
    if missing:
        raise UsageError(f"The lines that define {missing[0]} are not found.", hint="Run the cell that defines it, and check again.")
    renamed = [f"{asked} = {own}" for own, asked in pairs if own != asked]
    defining = {ast.unparse(node) for own, _ in pairs for node in needed if own in _binds(node)}
    text = "\n\n".join([*map(ast.unparse, needed), *renamed]) + "\n"
    return Found(text, tuple(asked for _, asked in pairs), of_lesson=defining <= _of_lessons())


def _name(value: Any, names: dict[str, Any]) -> str:
    """The variable that holds an object; else the name that it was defined with."""
    held = [name for name, one in names.items() if one is value and not name.startswith("_")]
    own = getattr(value, "__name__", "")
    return own if own in held or not held else held[0]


def _sources(names: dict[str, Any]) -> list[str]:
    """The cells that were run, or the file; what is no Python is left out."""
    if isinstance(names.get("In"), list):
        texts = [text for text in names["In"] if isinstance(text, str)]
    else:
        file = names.get("__file__") or getattr(sys.modules.get("__main__"), "__file__", "") or ""
        try:
            texts = [files.read_source(Path(file))]
        except (FileError, SyntaxError):
            texts = []
    return [text for text in texts if _readable(text)]


def _readable(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _needed(tree: ast.Module, names: set[str]) -> list[ast.stmt]:
    """What defines these names, and the names in that, in the order of the text."""
    found: dict[int, ast.stmt] = {}
    open_, known = [*names], set[str]()
    while open_:
        name = open_.pop()
        if name in known:
            continue
        known.add(name)
        for node in _definition(tree, name):
            found[id(node)] = node
            open_ += _asks_for(node)
    return sorted(found.values(), key=lambda node: node.lineno)


def _definition(tree: ast.Module, name: str) -> Iterator[ast.stmt]:
    """The newest line, or block, that makes a name anew, and before it all that changed it since."""
    for node in reversed(tree.body):
        if name in _binds(node):
            yield node
            if name in _makes(node):
                return


def _asks_for(node: ast.stmt) -> set[str]:
    """The names that lines take from elsewhere: not the parameters and local variables of a function."""
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    own = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)} | {one.id for one in names if isinstance(one.ctx, ast.Store)}
    return {one.id for one in names} - own


def _binds(node: ast.AST) -> set[str]:
    """The names that a line makes or changes, also `net.fc = ...` and `table[0] = ...`; of blocks those in which nothing is repeated."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(one.asname or one.name).split(".")[0] for one in node.names}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if node.value else []
        return {name for target in targets for name in _roots(target)}
    if isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
        return {name for one in ast.iter_child_nodes(node) for name in _binds(one)}
    if isinstance(node, ast.withitem) and node.optional_vars:
        return _roots(node.optional_vars)
    return set()


def _makes(node: ast.AST) -> set[str]:
    """Those of them that are made anew, whatever they were before."""
    if isinstance(node, ast.If):
        return _of_all(node.body) & _of_all(node.orelse)
    if isinstance(node, ast.Try):
        return set.intersection(_of_all([*node.body, *node.orelse]), *(_of_all(one.body) for one in node.handlers))
    if isinstance(node, ast.With):
        return _of_all(node.body)
    if isinstance(node, ast.AugAssign):
        return set()
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return _binds(node) - {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    return _binds(node)


def _of_all(nodes: Iterable[ast.AST]) -> set[str]:
    return {name for node in nodes for name in _makes(node)}


def _roots(target: ast.expr) -> set[str]:
    """The variables that a target is, or is a part of: `net` of `net.fc[0]`, both of `a, b`."""
    if isinstance(target, ast.Tuple | ast.List):
        return {name for one in target.elts for name in _roots(one)}
    if isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
        return _roots(target.value)
    return {target.id} if isinstance(target, ast.Name) else set()


@functools.cache
def _of_lessons() -> frozenset[str]:
    """The definitions that stand in the lessons, without comments and spaces, as they are here."""
    lessons = [one for one in resources.files("handlens.course").joinpath("lessons").iterdir() if one.name.endswith(".py")]
    trees = [ast.parse(one.read_text(encoding="utf-8")) for one in lessons]
    return frozenset(ast.unparse(node) for tree in trees for node in tree.body if _binds(node))
