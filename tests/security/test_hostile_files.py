"""No file that we read can run code, wait for ever, take all memory, or make us write elsewhere; it can only be refused in words."""

import contextlib
import io
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from nursery import Nursery, slowed
from security.hostile import FOLDERS, NAMES, SENTINEL, save
from small import small_data

import handlens as hl
from handlens.config import make_config
from handlens.errors import HandlensError, RunDamaged, UsageError
from handlens.fit import starting
from handlens.plan import plan
from handlens.runs import checkpoint as checkpoints
from handlens.runs import scan, to_trash

KNOBS = {"epochs": 3, "hidden_sizes": (4,), "batch_size": 64, "threads": 1}
MEMORY_BYTES = 300 << 20
SECONDS = 1.0


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a good run, which was interrupted after two of three epochs."""
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(folder))
        with starting(plan(make_config(KNOBS), data=small_data()), name="good") as training:
            for row in training:
                if row["epoch"] == 2:
                    break
        training.run.evaluate("test")
    return training.run.folder


def use(folder: Path) -> dict[str, str]:
    """All that one does with a run. What comes of each: `good`, or the name of a `HandlensError`; anything else is raised."""
    deeds: dict[str, Callable[[hl.Run], object]] = {
        "show": lambda run: json.dumps(run.to_dict(), allow_nan=False),
        "repr": repr,
        "history": lambda run: [f"{value:.4f}" for values in run.history.values() for value in values],
        "layers": lambda run: run.layers,
        **{which: lambda run, which=which: run.model(which) for which in checkpoints.WHICH},  # type: ignore[misc]
        "evaluate": lambda run: run.evaluate("test"),
        "resume": lambda run: hl.resume(run.folder, data=small_data(), quiet=True),
        "again": lambda run: hl.resume(run.folder, checkpoint="previous", data=small_data(), quiet=True),
        "note": lambda run: run.annotate(note="a remark"),
        "rename": lambda run: run.rename("renamed").rename(folder.name),
    }
    found = {}
    for name, deed in deeds.items():
        start = time.perf_counter()
        try:
            deed(hl.Run(folder).use(dataset=small_data()))
            found[name] = "good"
        except HandlensError as error:
            found[name] = f"{type(error).__name__}: {error.what}"
            str(error).encode(errors="replace")
        taken = time.perf_counter() - start
        assert taken < slowed(SECONDS), f"{name} took {taken:.1f} s"
    return found


def use_hostile(title: str, good: str) -> None:
    """In a child: make a run hostile, use it with little memory, and look for what should not be there."""
    runs = Path("runs")
    folder = runs / "run"
    shutil.copytree(good, folder)
    Path("precious").write_text("precious")
    Path("outside").mkdir()
    FOLDERS[title](folder.absolute())
    inside = {path for path in Path.cwd().iterdir() if path != runs.absolute()}
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES,) * 2)
    list_all()
    print(json.dumps(use(folder)))
    list_all()
    to_trash(runs, "run")  # one must be able to get rid of it
    assert Path("precious").read_text() == "precious"
    assert not any(Path("outside").iterdir()), "something was written outside of the run's folder"
    assert {path for path in Path.cwd().iterdir() if path != runs.absolute()} == inside
    assert not list(Path.cwd().rglob(SENTINEL))


def list_all() -> None:
    """What `handlens runs ls` does, on a terminal and piped."""
    from handlens import cli

    for words in (["runs", "ls"], ["runs", "ls", "--json"], ["runs", "show", "run"]):
        shown, told = io.StringIO(), io.StringIO()
        start = time.perf_counter()
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(told), contextlib.suppress(SystemExit):
            cli.main(words)
        assert time.perf_counter() - start < slowed(SECONDS)
        said = shown.getvalue() + told.getvalue()
        assert "Traceback" not in said
        assert "has a fault" not in said, said
        assert "\x1b" not in said, "the cursor can be moved"


@pytest.mark.parametrize("title", FOLDERS)
def test_a_hostile_run_is_refused_in_words_or_is_a_value(
    title: str, good: Path, nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    environment = {"HANDLENS_RUNS": "runs"}
    child = nursery.start("security.test_hostile_files:use_hostile", title, str(good), log=tmp_path / "child", environment=environment)
    assert child.wait(30) == 0, child.said
    found = json.loads(child.out.read_text())
    print(found)


def test_a_checkpoint_of_very_many_tensors_is_not_taken_apart(good: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(good, tmp_path / "run"))
    notes = {"epoch": 2, "rows": [{"epoch": 1}, {"epoch": 2}]}
    save(folder, {str(number): torch.zeros(0) for number in range(10_001)}, notes)
    with pytest.raises(RunDamaged, match="too many tensors"):
        checkpoints.read_rows(folder, checkpoints.read_pointer(folder).last)


def test_a_good_run_is_good_in_every_use(good: Path, tmp_path: Path, nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(good, tmp_path / "runs" / "run")
    assert set(use(tmp_path / "runs" / "run").values()) == {"good"}


def test_names_that_lead_elsewhere_are_refused(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path / "runs"))
    shutil.copytree(good, tmp_path / "runs" / "run")
    shutil.copytree(good, tmp_path / "outside")
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "runs" / "loop").symlink_to("loop")
    for name in (
        "../outside",
        "..",
        ".",
        "",
        "/",
        str(tmp_path / "outside"),
        "link",
        "loop",
        "a/b",
        "a\\b",
        "a\0b",
        "A",
        "run\n",
        "x" * 65,
    ):
        with pytest.raises(UsageError):
            to_trash(tmp_path / "runs", name)
        with pytest.raises(HandlensError):
            hl.load_run("run").rename(name)
        with pytest.raises(UsageError):
            hl.fit("softmax", small_data(), name=name, epochs=1, quiet=True)
    assert (tmp_path / "outside" / "run.json").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_any_name_can_be_among_the_runs(name: str | bytes, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / os.fsdecode(name)
    shutil.copytree(good, folder)
    list_all()
    assert [run.name for run in scan()[0]] == [folder.name]
    assert hl.load_run(folder).status == "interrupted"
    (folder / "run.json").unlink()
    list_all()
    assert [ruin.name for ruin in scan()[1]] == [folder.name]
    assert not list(tmp_path.rglob(SENTINEL))


def test_the_hostile_runs_are_hostile(good: Path, tmp_path: Path) -> None:
    """The pickle would run if anything unpickled it; a test that cannot fail says nothing."""
    import pickle

    from security.hostile import PICKLE

    with contextlib.chdir(tmp_path):
        pickle.loads(PICKLE)
    assert (tmp_path / SENTINEL).exists()
    assert len(FOLDERS) > 100
    assert sys.getrecursionlimit() < 200_000
