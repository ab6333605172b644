"""The words of `handlens sweep`: where they may stand, and what a dry run makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from terminal import Terminal

from handlens.config import Config
from handlens.errors import RunDamaged
from handlens.runs import runs_folder
from handlens.sweep import begin, make_spec


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
    Path("space.toml").write_text("[base]\nepoch = 1\n[axes]\nlr = [0.1]\n", encoding="utf-8")
    terminal("sweep", "space.toml", code=2)
    assert "space.toml" in terminal.err
    terminal("sweep", "missing.toml", code=5)
    assert "missing.toml" in terminal.err


@pytest.mark.parametrize("content", ["", "[", "{", "3", '["lr"]', '[{"width": 3}]', "[" * 100_000, '[{"lr": NaN}]', "[null]"])
def test_a_damaged_sweep_is_said_and_hides_no_other(content: str, terminal: Terminal) -> None:
    for name in ("damaged", "whole"):
        begin(make_spec(Config(epochs=1), {"lr": "0.0001..0.1"}, "tpe 2", 1, False), name)
    points = runs_folder() / "sweeps" / "damaged" / "points.json"
    points.write_text(content, encoding="utf-8")
    terminal("sweeps", "show", "damaged", code=RunDamaged.exit_code)
    assert "'points.json' does not say which points were tried." in terminal.err
    listed: Any = terminal.json("sweeps", "ls")
    ruin, whole = listed  # by name
    assert (whole["name"], whole["points"]) == ("whole", 0)
    assert ruin == {"name": "damaged", "status": "broken", "reason": "'points.json' does not say which points were tried."}
    assert "damaged\t\t\t\tbroken: 'points.json'" in terminal("sweeps", "ls")
