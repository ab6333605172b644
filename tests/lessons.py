"""Run lessons in one real kernel, one after the other with all names forgotten between them, and print what each cell gave, as JSON.

A process of its own, so that what the kernel's client keeps open ends with it: python tests/lessons.py LESSON.py ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

LIMIT_S = 120  # for a cell


def main(paths: list[Path]) -> None:
    book, begin = nbformat.v4.new_notebook(), {}
    for path in paths:
        begin[path.stem] = len(book.cells)
        book.cells += [nbformat.v4.new_code_cell("%reset -f\n%reset -f in"), *jupytext.read(path, fmt="py:percent").cells]
    NotebookClient(book, timeout=LIMIT_S, allow_errors=True).execute()
    ends = [*begin.values(), len(book.cells)][1:]
    print(
        json.dumps({name: [given(cell) for cell in book.cells[start:end]] for (name, start), end in zip(begin.items(), ends, strict=True)})
    )


def given(cell: Any) -> dict[str, Any]:
    """A cell, what it printed and showed, and what went wrong."""
    outputs = cell.get("outputs", [])
    shown = ["".join(one.get("text") or one.get("data", {}).get("text/plain", "")) for one in outputs if one.get("name") != "stderr"]
    bad = [one.get("evalue") or one.get("text") for one in outputs if one["output_type"] == "error" or one.get("name") == "stderr"]
    kinds = [kind for one in outputs for kind in one.get("data", {})]
    return {"kind": cell.cell_type, "source": cell.source, "shown": "\n".join(shown), "bad": bad, "kinds": kinds}


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
