"""What an object in a notebook or a program is made of: the lines that define it, without those that train."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from handlens import files
from handlens.errors import FileError, UsageError

_MOST_BYTES = 1 << 20
_DEFINING = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)


def text_of(objects: Iterable[Any], wanted: Iterable[str], names: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """A program that defines these objects, under the names that a check wants.

    Args:
        objects: classes, functions or networks of the caller's, in the order of `wanted` where their own names are others.
        wanted: the names that the check asks for.
        names: the caller's global variables.

    Returns:
        The program, and the wanted names that are in it.

    Raises:
        UsageError: an object's definition is not found.
    """
    known, free = list(wanted), [name for name in wanted if name not in {_name(one, names) for one in objects}]
    pairs = [(own, own if own in known else free.pop(0)) for own in (_name(one, names) for one in objects) if own in known or free]
    tree = ast.parse("\n\n".join(_sources(names)))
    needed = _needed(tree, {own for own, _ in pairs})
    missing = [own for own, _ in pairs if not any(own in _defines(node) for node in needed)]
    if missing:
        raise UsageError(f"The lines that define {missing[0]} are not found.", hint="Run the cell that defines it, and check again.")
    renamed = [f"{asked} = {own}" for own, asked in pairs if own != asked]
    return "\n\n".join([*map(ast.unparse, needed), *renamed]) + "\n", tuple(asked for _, asked in pairs)


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
            texts = [files.read_bytes(Path(file), _MOST_BYTES).decode()]
        except (FileError, UnicodeDecodeError):
            texts = []
    return [text for text in texts if _readable(text)]


def _readable(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _needed(tree: ast.Module, names: set[str]) -> list[ast.stmt]:
    """The newest definition of each name, and of the names in them, in the order of the text."""
    newest = {name: node for node in tree.body if isinstance(node, _DEFINING) for name in _defines(node)}
    found: dict[int, ast.stmt] = {}
    open_ = list(names)
    while open_:
        node = newest.get(open_.pop())
        if node is not None and id(node) not in found:
            found[id(node)] = node
            open_ += _asks_for(node)
    return sorted(found.values(), key=lambda node: node.lineno)


def _asks_for(node: ast.stmt) -> set[str]:
    """The names that lines take from elsewhere: not the parameters and local variables of a function."""
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    own = {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)} | {one.id for one in names if isinstance(one.ctx, ast.Store)}
    return {one.id for one in names} - own


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(one.asname or one.name).split(".")[0] for one in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
