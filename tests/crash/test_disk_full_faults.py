"""A disk that is full, or reports errors, during a training loses nothing: the last good checkpoint counts, the next epoch tries again."""

import itertools
import os
import random
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from corpus import FULL, commit
from crash.faults import ERRORS, Disk, Fault, needs_room
from crash.test_kill_and_resume import epochs_told, wait_for
from nursery import Nursery
from small import small_data

import handlens as hl
from handlens import files
from handlens.errors import FileError, HandlensError
from handlens.runs import checkpoint as checkpoints

Record = Callable[[str, object], None]
KNOBS: dict[str, Any] = {"hidden_sizes": (4,), "epochs": 3, "lr": 0.01, "batch_size": 64}
NAMES = {"config.json", "env.json", "run.json", "checkpoint.json", "rows.jsonl", "run.lock"}


def fit(name: str) -> list[str]:
    """Train; give what was remarked on the way."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        hl.fit("mlp", small_data(), name=name, quiet=True, **KNOBS)
    return [str(remark.message) for remark in remarks]


def go_on(folder: Path) -> hl.Run:
    """What a user does when there is room again."""
    if (folder / "run.json").exists():
        return hl.resume(folder, data=small_data(), quiet=True)
    return hl.fit("mlp", small_data(), name=folder.name, quiet=True, **KNOBS)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
def test_a_failure_at_any_write_of_a_training_loses_nothing(
    lasting: bool, quick_disk: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    runs = quick_disk / "runs"
    monkeypatch.setenv("HANDLENS_RUNS", str(runs))
    fit("first")  # makes the folder of all runs
    with Disk(runs) as disk:
        fit("whole")
    whole = hl.load_run("whole").checkpoint["sha256"]
    writes = [at for at, call in enumerate(disk.log, start=1) if needs_room(call.name, call.arguments) or call.name in ("fsync", "close")]
    errors = itertools.cycle(ERRORS)
    cases = [(at, error, torn) for at in writes for error in (ERRORS if FULL else [next(errors)]) for torn in (False, True)]
    ended_well = 0
    # The last ones strike after the last commit, when all that matters is on disk.
    some = {*random.Random(commit()).sample(cases, len(cases) // 2), *cases[-4:]}
    for number, (at, error, torn) in enumerate(cases if FULL else [case for case in cases if case in some]):
        folder, refused = runs / f"run-{number}", None
        remarks: list[str] = []
        with Disk(runs, Fault(at, error, lasting=lasting, torn=torn)) as disk:
            try:
                remarks = fit(folder.name)
            except FileError as told:
                refused = told
        assert disk.struck
        if refused is None:
            ended_well += 1
            assert hl.load_run(folder.name).checkpoint["sha256"] == whole, remarks
        elif (folder / "run.json").exists():
            check_opens(folder)
            assert "needs" in refused.hint or refused.where.endswith("run.json")
        assert go_on(folder).checkpoint["sha256"] == whole
        assert {entry.name for entry in folder.iterdir()} - {entry.file for entry in hl.Run(folder).pointer.entries} - {
            "run.json.lock"
        } == NAMES
        files.remove(folder)
    record_property("cases", number + 1)
    assert ended_well > 0


def check_opens(folder: Path) -> None:
    """The run is there, with a whole checkpoint; complete only if the error came when all was written."""
    run = hl.Run(folder)
    assert run.status in ("interrupted", "failed", "complete")
    assert (run.status == "complete") == (run.pointer.last.epoch == KNOBS["epochs"])
    run.model("last")
    checkpoints.read_rows(folder, run.pointer.last)


def test_an_epoch_that_cannot_be_saved_is_remarked_and_the_next_one_is_saved(quick_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(quick_disk))
    with Disk(quick_disk) as disk:
        fit("whole")
    at = next(at for at, call in enumerate(disk.log, start=1) if call.name == "open" and "epoch-0002" in str(call.arguments[0]))
    with Disk(quick_disk, Fault(at, 28)):
        remarks = fit("again")
    assert len(remarks) == 1
    assert re.search(r"Epoch 2 is not saved. The disk is full.", remarks[0])
    assert re.search(r"needs [\d,]+ bytes. Free there: [\d,]+ bytes", remarks[0])
    again = hl.load_run("again")
    assert again.checkpoint["epoch"] == 3
    assert again.checkpoint["sha256"] == hl.load_run("whole").checkpoint["sha256"]
    assert again.checkpoint["previous"]["epoch"] == 1


def test_a_training_that_could_never_be_saved_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "free_bytes", lambda path: 10_000)
    with pytest.raises(FileError, match=r"needs about [\d,]+ bytes for its checkpoints; 10,000 are free"):
        fit("large")


def test_a_limit_on_the_size_of_files_ends_it_with_what_was_needed(nursery: Nursery, tmp_path: Path) -> None:
    knobs = {**KNOBS, "hidden_sizes": (64,), "optimizer": "adam"}
    nursery.run("jobs:fit", "whole", knobs, log=tmp_path / "child")
    whole = hl.load_run("whole").pointer
    assert whole.start
    limit = (whole.start.size + whole.last.size) // 2
    child = nursery.start("jobs:fit_in_little_files", "limited", knobs, limit, log=tmp_path / "child")
    assert child.wait() == 1
    assert "The file would be larger than the system allows" in child.said
    assert f"The checkpoint of epoch 3 needs {whole.last.size:,} bytes" in child.said
    limited = hl.load_run("limited")
    assert limited.pointer.last.epoch == 0
    limited.model()
    nursery.run("jobs:resume", "limited", log=tmp_path / "child")
    assert hl.load_run("limited").checkpoint["sha256"] == whole.last.sha256
    assert not list(limited.folder.glob(".*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 4 MB, which only root can have."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("Only root can mount a disk of 4 MB.")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"This root may not mount a disk of 4 MB: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


WORDS = ["train", "softmax", "--data", "tiny", "--epochs", "100", "--batch-size", "20", "--threads", "1", "--name", "one"]


@pytest.fixture(scope="module")
def undisturbed(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checkpoint of the same command where nothing is full."""
    folder = tmp_path_factory.mktemp("undisturbed")
    nursery.run("jobs:cli", *WORDS, log=folder / "child", environment={"HANDLENS_RUNS": str(folder), "HANDLENS_DATA": str(folder / "data")})
    return str(hl.Run(folder / "one").checkpoint["sha256"])


@pytest.mark.parametrize("room_comes_back", [True, False])
def test_a_real_full_disk_during_the_command(
    room_comes_back: bool, undisturbed: str, small_disk: Path, nursery: Nursery, tmp_path: Path
) -> None:
    runs = small_disk / "runs"
    environment = {"HANDLENS_RUNS": str(runs), "HANDLENS_DATA": str(tmp_path / "data")}
    child = nursery.start("jobs:cli", *WORDS, log=tmp_path / "one", environment=environment)
    wait_for(lambda: epochs_told(child.said) >= 2)
    filler = small_disk / "filler"
    fill(filler)
    wait_for(lambda: child.said.count("is not saved") >= 3)
    assert hl.Run(runs / "one").status == "running"
    saved = hl.Run(runs / "one").pointer.last.epoch
    hl.Run(runs / "one").model()
    assert "The disk is full" in child.said
    assert re.search(r"needs [\d,]+ bytes. Free there: 0 bytes. Make room", child.said)
    if room_comes_back:
        filler.unlink()
        assert child.wait() == 0, child.said
    else:
        assert child.wait() == 5, child.said
        assert "Traceback" not in child.said
        assert hl.Run(runs / "one").pointer.last.epoch == saved
        assert nursery.start("jobs:cli", "runs", "ls", log=tmp_path / "ls", environment=environment).wait() == 0
        assert nursery.start("jobs:cli", "runs", "show", "one", log=tmp_path / "ls", environment=environment).wait() == 0
        filler.unlink()
        nursery.run("jobs:cli", "train", "--resume", "one", log=tmp_path / "again", environment=environment)
    run = hl.Run(runs / "one")
    assert run.status == "complete"
    assert not list(run.folder.glob(".*"))
    assert run.checkpoint["sha256"] == undisturbed


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def test_a_run_can_be_removed_and_renamed_on_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(small_disk))
    fit("one")
    fit("two")
    fill(small_disk / "filler")
    with pytest.raises(HandlensError):
        hl.load_run("one").annotate(note="x" * 100_000)
    hl.load_run("one").rename("uno")
    assert hl.load_run("uno").status == "complete"
