"""Modules that a program has beside it: their text is read with its own, and their loops are cut like its own."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import decode_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import handlens
from handlens.doctor.loops import instrument
from handlens.doctor.program import Program

_MOST_LINES = 20_000  # of all together; of more, the rest runs as it is
_INSTALLED = {"site-packages", "dist-packages"}


class Modules(MetaPathFinder):
    """Imports them.

    Args:
        folder: where the program stands.
        program: gets their text.
        loops: what stands in them for `for` and `while`, by the names that `instrument` uses.
    """

    def __init__(self, folder: Path, program: Program, loops: Mapping[str, Any]) -> None:
        self.folder = folder
        self.program = program
        self.loops = loops

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """How a module is imported; None if that is not ours to say."""
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or not self.owns(spec.origin):
            return None
        spec.loader = _Loader(fullname, str(spec.origin), self)
        return spec

    def owns(self, file: str | None) -> bool:
        """Whether a file is one of the program's."""
        path = Path(file or "")
        installed = _INSTALLED.intersection(path.parts) or path.is_relative_to(Path(handlens.__file__).parent)
        return path.is_relative_to(self.folder) and not installed and self.program.length < _MOST_LINES

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """They are imported by this for as long as it takes."""
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)

    def compiled(self, file: str, text: str, *, imported: bool = True) -> CodeType:
        """What is run of a file.

        Raises:
            SyntaxError: the file is no Python.
        """
        tree = ast.parse(text, file)
        begin = self.program.read(file, _without_main(text, tree) if imported else text)
        return compile(instrument(tree, begin), file, "exec")

    def names(self) -> dict[str, Any]:
        """The variables of all that were imported."""
        files = [module for module in list(sys.modules.values()) if self.program.has(getattr(module, "__file__", None) or "")]
        return {name: value for module in files for name, value in vars(module).items()}


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, modules: Modules) -> None:
        super().__init__(fullname, path)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType:
        return self._modules.compiled(self.path, decode_source(self.get_data(self.path)))

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(self._modules.loops)
        super().exec_module(module)


def _without_main(text: str, tree: ast.Module) -> str:
    """The text without what a module does only when it is run by itself."""
    lines = text.split("\n")
    for node in tree.body:
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test) and not node.orelse:
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    return "\n".join(lines)
