"""What "show code" shows does what it says: each snippet is run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from handlens.web.code import SNIPPETS
from handlens.web.pages import STATIC


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_code_that_is_shown_runs(name: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist").symlink_to(home / "data" / "mnist")
    (tmp_path / "runs").mkdir()
    for run in ("reader", "second", "sweeps"):
        shutil.copytree(home / "runs" / run, tmp_path / "runs" / run)
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path / "runs"))
    meant = {"RUN": "reader", "OTHER": "second", "SWEEP": "grid", "KNOBS": '"mlp", "mnist", hidden_sizes="32", epochs=1, examples=1000'}
    exec(re.sub("|".join(meant), lambda word: meant[word[0]], SNIPPETS[name]), {"__name__": name})


def test_each_snippet_is_shown_and_each_that_is_shown_is_there() -> None:
    scripts = "".join(path.read_text() for path in STATIC.glob("*.js"))
    assert set(re.findall(r'code: "(\w+)"', scripts)) == set(SNIPPETS)
