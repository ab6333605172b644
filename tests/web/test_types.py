"""The types that the lab's scripts declare in their comments hold: checked by TypeScript's compiler, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def test_the_scripts_keep_the_types_that_they_declare() -> None:
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("No TypeScript on this machine: npm install --global typescript")
    command = [compiler, "--project", str(Path(__file__).with_name("tsconfig.json"))]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.stdout == ""
    assert checked.returncode == 0
