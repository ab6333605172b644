"""A terminal for tests of the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handlens import cli


class Terminal:
    """Runs command lines in this process, and keeps what came out."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        self.out, self.err = self.capsys.readouterr()
        assert ended.value.code == code, f"{words}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err
        return self.out

    def json(self, *words: str) -> object:
        return json.loads(self(*words, "--json"))
