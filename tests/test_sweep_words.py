"""The words of `handlens sweep`: where they may stand, and what a dry run makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terminal import Terminal

from handlens.runs import runs_folder


def test_a_dry_run_lists_the_points_and_begins_nothing(terminal: Terminal) -> None:
    said = terminal("sweep", "lr=0.1,0.01", "hidden_sizes=8,16-8", "--seeds", "3", "--dry-run")
    assert "4\t0.01\t16-8" in said
    assert "4 points with 3 seeds each, 12 trainings. Nothing was started." in terminal.err
    assert not (runs_folder() / "sweeps").exists()
    terminal("sweep", "--resume", "gone", "--dry-run", code=2)
    assert "handlens sweeps show gone" in terminal.err


@pytest.mark.parametrize("words", [("--prune", "lr=0.1,0.01"), ("--prune", "rungs", "lr=0.1,0.01"), ("lr=0.1,0.01", "--prune")])
def test_prune_may_stand_anywhere(words: tuple[str, ...], terminal: Terminal) -> None:
    listed = terminal.json("sweep", *words, "--epochs", "3", "--dry-run")
    assert listed == {"points": [{"lr": 0.1}, {"lr": 0.01}], "seeds": [42], "trainings": 2, "rungs": [1]}


def test_a_file_of_a_space_may_stand_where_a_preset_does(terminal: Terminal) -> None:
    Path("space.toml").write_text("[base]\nepochs = 1\n[axes]\nlr = [0.1, 0.01]\n", encoding="utf-8")
    listed = terminal("sweep", "space.toml", "width=4,8", "--dry-run", "--json")
    assert listed == terminal("sweep", "--space", "space.toml", "width=4,8", "--dry-run", "--json")
    assert json.loads(listed)["trainings"] == 4
    terminal("sweep", "space.toml", "--space", "space.toml", code=2)
    assert "one file of a space" in terminal.err
    terminal("sweep", "missing.toml", code=5)
    assert "missing.toml" in terminal.err
