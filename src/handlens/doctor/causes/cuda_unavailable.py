"""There is no GPU here."""

from __future__ import annotations

import ast

import torch

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "There is no graphics card for PyTorch here."
CHANGE = 'Use device = torch.device("cuda" if torch.cuda.is_available() else "cpu").'
_SAID = r"Torch not compiled with CUDA enabled|No CUDA GPUs are available|Found no NVIDIA driver|Cannot access accelerator device"
DEMO = """\
- device = "cuda"
+ device = "cuda" if torch.cuda.is_available() else "cpu"
  print(net().to(device)(images.to(device)).shape)
"""


def look(case: Case) -> Finding | None:
    """PyTorch says so; or the program ends where it asks whether there is one."""
    if case.failure is None or not (case.raised(_SAID) or _asks(case, case.failure.line)):
        return None
    return Finding(case.failure.line, (case.failure.text.splitlines() or [case.failure.kind])[0][:100])


def _asks(case: Case, line: int) -> bool:
    """Whether a line is an `assert torch.cuda.is_available()`, or ends the program under `if not torch.cuda.is_available():`."""
    ends = case.script.line(line).startswith(("raise", "sys.exit", "exit(", "quit("))
    around = [case.script.enclosing(line, kind) for kind in ((ast.Assert, ast.If) if ends else (ast.Assert,))]
    asked = [ast.unparse(node.test) for node in around if isinstance(node, ast.Assert | ast.If)]
    return not torch.cuda.is_available() and any("cuda.is_available" in test for test in asked)
