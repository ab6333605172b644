"""`docs/session.md` says what answers each task of the session: each command and call is run, on a few images, and gives what is said."""

from __future__ import annotations

import functools
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus import ROOT
from paper import photographed, written
from PIL import Image

import handlens as hl
from handlens.cli import main

FEW = {"examples": 300, "epochs": 1, "batch_size": 50, "quiet": True}
QUICK = ("--examples", "300", "--epochs", "1", "--batch-size", "50")


SHARED = os.environ.get("HANDLENS_SHARED")
SESSION = Path(SHARED or "nowhere").parent / "session" / "session_2.md"


@dataclass(frozen=True)
class Task:
    """One row of the tables."""

    title: str
    command: str
    found: tuple[str, ...]
    call: str


PAGE = (ROOT / "docs" / "session.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \| `(handlens .+?)` \| (.+?) \| `(.+)` \|$", re.MULTILINE)
QUESTION = re.compile(r"^\| (.+?) \| \[\d+\]\((.+?)\) \| `([\w-]+)` \| .+ \|$", re.MULTILINE)
TASKS = [Task(title, command, tuple(re.findall("`(.+?)`", found)), call) for title, command, found, call in ROW.findall(PAGE)]


def run_command(task: Task, capsys: pytest.CaptureFixture[str]) -> str:
    words = shlex.split(task.command)[1:]
    with pytest.raises(SystemExit) as ended:
        main([*words, *(QUICK if words[0] == "train" else ("--examples", "300") if words[0] == "lr-find" else ())])
    said = "".join(capsys.readouterr())
    assert ended.value.code == 0, f"{task.command}\n{said}"
    return said


def quick_fit(*things: Any, **knobs: Any) -> hl.Run:
    return hl.fit(*things, **{**knobs, **FEW})


def write_own_digits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photographed sheet and a folder of pictures, as one has them who does the homework; and a data folder where none is kept."""
    here = folder / "data"
    here.mkdir()
    for name in ("mnist", "fashion-mnist"):
        (here / name).symlink_to(Path(os.environ["HANDLENS_DATA"], name))
    monkeypatch.setenv("HANDLENS_DATA", str(here))
    test = hl.load("mnist").test
    images, labels = test.images[:, 0].numpy(), test.labels.numpy()
    (folder / "photo.jpg").write_bytes(photographed(written(images, labels, 1).page, 1))
    for place in range(30):
        path = folder / "digits" / str(labels[place]) / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - images[place]).save(path)


class Quick:
    """`hl`, whose trainings are short."""

    def __getattr__(self, name: str) -> Any:
        return {"fit": quick_fit, "find_lr": functools.partial(hl.find_lr, examples=300)}.get(name) or getattr(hl, name)


@pytest.mark.usefixtures("mnist")
def test_the_table_is_walked(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    monkeypatch.setenv("HANDLENS_RUNS", str(runs))
    hl.load("fashion-mnist")  # where it is not in the cache yet, it is found now, and not told of below
    write_own_digits(tmp_path, monkeypatch)
    names: dict[str, Any] = {"hl": Quick()}
    missing: dict[str, str] = {}
    for task in TASKS:
        said = run_command(task, capsys)
        missing |= {f"{task.command}: {words}": said for words in task.found if not (words in said or (runs / words).is_file())}
        exec(task.call, names)  # names that it makes are there for the rows below
        capsys.readouterr()
    assert [*missing] == [], "\n".join(missing.values())


def test_every_row_of_the_page_is_walked_and_every_task_of_the_session_is_in_one() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(("| In the session", "| Question", "| ---"))]
    assert len(rows) - len(QUESTION.findall(PAGE)) == len(TASKS) > 30
    titles = " ".join(task.title for task in TASKS)
    assert [task for task in ("Task 1", "Task 2", "Task 3", "Task 4", "Task 5", "Bonus") if task not in titles] == []


def test_every_question_of_the_session_is_answered_in_the_lesson_that_the_page_names() -> None:
    questions = QUESTION.findall(PAGE)
    for title, lesson, name in questions:
        notebook = (ROOT / "docs" / lesson).read_text(encoding="utf-8")
        assert f'<details id=\\"{name}\\"><summary>' in notebook, title
    kinds = {"Recap": 5, "Discussion": 6, "Task": 6, "Challenge": 2, "Bonus": 1, "Reflection": 4, "Homework": 5}
    assert {kind: sum(title.startswith(kind) for title, *_ in questions) for kind in kinds} == kinds


@pytest.mark.skipif(not SESSION.is_file(), reason="HANDLENS_SHARED: session_2.md beside it")
def test_the_page_has_each_task_question_and_homework_of_the_text_of_the_session() -> None:
    text = SESSION.read_text(encoding="utf-8")
    questions = [title for title, *_ in QUESTION.findall(PAGE)]
    asked = {kind: sum(title.startswith(f"{kind}:") for title in questions) for kind in ("Recap", "Discussion", "Reflection")}
    homework_of_before = len(re.findall(r"^\* How your homework projects went", text, re.MULTILINE))
    assert asked == {
        "Recap": bullets(text, "### Quick Recap Questions") + homework_of_before,
        "Discussion": bullets(text, "### **Discussion & Questions**"),
        "Reflection": bullets(text, "### Questions for Reflection"),
    }
    tasks, homework = re.findall(r"^### (Task \d+):", text, re.MULTILINE), re.findall(r"^#### (\d+)\. ", text, re.MULTILINE)
    assert len(tasks) + len(homework) == 10
    assert {task.title.partition(":")[0] for task in tasks_of("Guided tasks")} == {*tasks}
    assert {task.title.partition(":")[0] for task in tasks_of("Homework")} == {*homework}
    bonus = [title for title in [*(task.title for task in tasks_of("The challenge")), *questions] if title.startswith("Bonus:")]
    assert len(bonus) == bullets(text, "### Bonus Tasks")


def bullets(text: str, heading: str) -> int:
    """How many lines of a list stand below a heading."""
    below = text.partition(f"{heading}\n")[2]
    return len(re.findall(r"^\* ", re.split(r"^#", below, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE))


def tasks_of(section: str) -> list[Task]:
    """The rows of a section of the page."""
    rows = PAGE.partition(f"\n## {section}")[2].partition("\n## ")[0]
    return [task for task in TASKS if f"| {task.title} | `{task.command}` |" in rows]
