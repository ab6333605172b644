"""Several processes at once: one name is one run, the dead hold nothing, and looking disturbs nobody."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from corpus import FULL
from crash.test_kill_and_resume import epochs_told, wait_for
from nursery import Nursery, slowed
from small import small_data

import handlens as hl
from handlens import files
from handlens.errors import RunBusy
from handlens.runs import runs_folder, scan, writing

WORDS = ("train", "mlp", "--data", "tiny", "--epochs", "3000", "--batch-size", "10", "--hidden-sizes", "8", "--threads", "1")


def test_of_eight_processes_that_train_into_one_name_one_wins_and_seven_say_who(nursery: Nursery, tmp_path: Path) -> None:
    environment = {"HANDLENS_DATA": str(tmp_path / "data")}
    nursery.run("jobs:cli", "data", "ls", log=tmp_path / "ls", environment=environment)
    children = [
        nursery.start("jobs:cli", *WORDS, "--name", "same", log=tmp_path / f"child-{number}", environment=environment)
        for number in range(8)
    ]
    wait_for(lambda: sum(not child.is_alive for child in children) == 7, 60)
    winner = next(child for child in children if child.is_alive)
    for child in children:
        if child is not winner:
            assert child.wait() == 5, child.said
            assert "Run 'same' is being trained." in child.said
            assert f"process {winner.pid}, since " in child.said
    wait_for(lambda: epochs_told(winner.said) >= 1)
    for words in (("train", "--resume", "same"), (*WORDS, "--name", "same")):
        late = nursery.start("jobs:cli", *words, log=tmp_path / "-".join(words[-2:]), environment=environment)
        assert late.wait() == 5, late.said
        assert f"process {winner.pid}, since " in late.said
    winner.send(signal.SIGINT)
    assert winner.wait() == 130
    assert [run.name for run in hl.list_runs()] == ["same"]
    hl.load_run("same").model()


def test_what_a_killed_process_held_is_taken_over_within_a_second(nursery: Nursery, tmp_path: Path) -> None:
    child = nursery.start("jobs:fit", "one", {"epochs": 10_000}, log=tmp_path / "child")
    wait_for(lambda: epochs_told(child.said) >= 1)
    with pytest.raises(RunBusy, match=f"process {child.pid}"), writing(hl.load_run("one").folder):
        pass
    child.kill()
    start = time.monotonic()
    with writing(hl.load_run("one").folder):
        assert time.monotonic() - start < slowed(1)


def test_a_run_that_was_renamed_or_deleted_says_of_nobody_that_they_hold_it() -> None:
    run = hl.fit("softmax", small_data(), name="one", epochs=1, quiet=True).rename("two")
    assert not list(run.folder.glob("*.holder"))
    assert not list(run.delete().glob("*.holder"))


def test_the_workers_of_a_killed_training_do_not_hold_its_run(nursery: Nursery, tmp_path: Path) -> None:
    temporary = tmp_path / "t"  # where multiprocessing leaves its socket when it is killed
    temporary.mkdir()
    child = nursery.start("jobs:fit_with_workers", "one", log=tmp_path / "child", environment={"TMPDIR": str(temporary)})
    wait_for(lambda: "'epoch': 1" in child.said)
    child.kill()
    start = time.monotonic()
    with writing(hl.load_run("one").folder):
        assert time.monotonic() - start < slowed(1)


def test_listing_while_runs_are_written_renamed_and_deleted_meets_no_error(nursery: Nursery, tmp_path: Path) -> None:
    seconds, many = (60.0, 20) if FULL else (3.0, 4)
    waiting = hl.fit("softmax", small_data(), name="waiting", epochs=2, quiet=True)
    pointer = waiting.folder / "checkpoint.json"
    pointer.write_text(pointer.read_text().replace('"finished": true', '"finished": false'))
    children = [
        nursery.start("jobs:write_rename_delete", f"writer-{number}", seconds, log=tmp_path / f"child-{number}") for number in range(many)
    ]
    looks, seen = 0, set[str]()
    while any(child.is_alive for child in children):
        runs, _broken = scan()
        looks += 1
        statuses = {run.name: run.to_dict()["status"] for run in runs}
        seen |= set(statuses.values())
        assert statuses["waiting"] == "interrupted"
        assert [run.name for run in runs if run.rows and not run.history] == []
    for child in children:
        assert child.wait() == 0, child.said
    assert looks > 10
    assert seen >= {"running", "complete", "interrupted"}
    left = {entry.name for entry in runs_folder().iterdir()}
    assert left == {"waiting", ".trash"}, "looking has made folders again that were renamed"


def test_looking_at_a_lock_makes_nothing_and_disturbs_nobody_who_looks(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not files.is_locked(lock)
    assert not lock.exists(), "looking makes nothing"
    with files.lock(lock):
        assert files.is_locked(lock)
    assert not files.is_locked(lock)
    looking = os.open(lock, os.O_RDONLY)
    try:
        import fcntl

        fcntl.flock(looking, fcntl.LOCK_SH)  # somebody else is looking
        assert not files.is_locked(lock)
    finally:
        os.close(looking)
    with files.lock(lock):
        pass


def test_many_who_look_are_not_in_the_way_of_one_who_resumes(nursery: Nursery, tmp_path: Path) -> None:
    hl.fit("softmax", small_data(), name="one", epochs=1, quiet=True)
    children = [nursery.start("jobs:look", "one", 2.0, log=tmp_path / f"child-{number}") for number in range(2)]
    wait_for(lambda: all("looking" in child.said for child in children))
    times = 0
    while any(child.is_alive for child in children):
        with writing(runs_folder() / "one"):
            times += 1
            time.sleep(0.001)
    assert times > 20
    for child in children:
        assert child.wait() == 0, child.said
    assert all(int(re.findall(r"looked (\d+) times", child.said)[0]) > 100 for child in children)
