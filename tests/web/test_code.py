"""What "show code" shows does what it says: each snippet is run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from handlens.course import folder
from handlens.web.board import Board
from handlens.web.classroom import Classroom, class_folder, kept_class
from handlens.web.code import SNIPPETS
from handlens.web.pages import STATIC
from handlens.web.projector import overview

TOLD: list[dict[str, Any]] = [
    {"what": "check", "task": "scaling", "passed": False, "cause": "not_scaled", "sentence": "The pixels still go from 0 to 255."},
    {"what": "check", "task": "linear-fit", "passed": True, "cause": "", "sentence": ""},
    {"what": "stuck", "text": "where?"},
    {"what": "answer", "question": "parameter", "letter": "b"},
]


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Board:
    """A class that one learner has joined, and the files of the course."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    class_folder().mkdir(parents=True)
    room = Classroom(class_folder(), b"s")
    key = room.admit(room.code, "here")
    room.name(key, "Ada", "here")
    room.take(key, [{"id": f"event-{number}", "at": float(number), **told} for number, told in enumerate(TOLD)])
    folder.start(Path("course"))
    board = kept_class()
    assert board
    return board


@pytest.mark.usefixtures("taught")
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


def test_the_code_of_a_class_finds_what_its_board_shows(taught: Board) -> None:
    shown, found = overview(taught), dict[str, Any]()
    for name in ("hands", "same", "tasks", "votes"):
        exec(SNIPPETS[name], found)
    assert [hand[1] for hand in found["hands"]] == [one["number"] for one in shown["help"]] == [1]
    assert dict(found["mistakes"]) == {(group["task"], group["cause"]): len(group["who"]) for group in shown["mistakes"]}
    assert dict(found["passed"]) == {"linear-fit": 1}
    assert dict(found["votes"]) == {"b": 1}


def test_the_code_of_the_lessons_lists_them(taught: Board, capsys: pytest.CaptureFixture[str]) -> None:
    exec(SNIPPETS["lessons"], {})
    assert "9 · The challenge: a convolutional network" in capsys.readouterr().out


def test_each_snippet_is_shown_and_each_that_is_shown_is_there() -> None:
    scripts = "".join(path.read_text() for path in STATIC.glob("*.js"))
    assert set(re.findall(r'code: "(\w+)"', scripts)) == set(SNIPPETS)
