"""Ctrl-C at any time: an end within two seconds, exit code 130, a whole checkpoint, the command to go on, and no child left."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from corpus import amount, commit
from crash.test_kill_and_resume import epochs_told, wait_for
from nursery import Child, Nursery, slowed

import handlens as hl

Record = Callable[[str, object], None]
WORDS = ("train", "mlp", "--data", "tiny", "--epochs", "300", "--batch-size", "10", "--hidden-sizes", "8", "--threads", "1")


def check_interrupted(child: Child, name: str, start: float) -> str:
    """What must be true of a training that was interrupted a moment ago; says where it was."""
    assert child.wait() == 130, child.said
    assert time.monotonic() - start < slowed(2)
    assert "Traceback" not in child.said
    assert "Interrupted." in child.said
    if not (Path(os.environ["HANDLENS_RUNS"]) / name / "run.json").exists():
        return "before the run was there"
    run = hl.load_run(name)
    run.model()
    saved = run.pointer.last.epoch
    assert saved >= epochs_told(child.said)
    if run.status == "complete":
        return "after the last epoch"
    assert run.status == "interrupted"
    assert f"{saved} of 300 epochs are saved; to go on: handlens train --resume {name}" in child.said
    return "in training"


def test_a_signal_at_random_times_ends_it_with_a_whole_checkpoint(nursery: Nursery, tmp_path: Path, record_property: Record) -> None:
    draw, count, places = random.Random(commit()), amount("signals", 5), Counter[str]()
    environment = {"HANDLENS_DATA": str(tmp_path / "data")}
    nursery.run("jobs:cli", "data", "ls", log=tmp_path / "data-ls", environment=environment)
    for number in range(count):
        name = f"run-{number}"
        child = nursery.start("jobs:cli", *WORDS, "--name", name, log=tmp_path / name, environment=environment)
        time.sleep(draw.uniform(0.1, 1.5))
        start = time.monotonic()
        child.send(signal.SIGINT)
        places[check_interrupted(child, name, start)] += 1
    record_property("cases", count)
    record_property("places", dict(places))
    assert places["in training"] > 0, places


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_signal_interrupted_goes_on_by_the_command_that_it_told(number: int, nursery: Nursery, tmp_path: Path) -> None:
    environment = {"HANDLENS_DATA": str(tmp_path / "data")}
    words = [*WORDS, "--epochs", "30"]
    child = nursery.start("jobs:cli", *words, "--name", "one", log=tmp_path / "one", environment=environment)
    wait_for(lambda: epochs_told(child.said) >= 3)
    child.send(number)
    assert child.wait() == 130
    command = re.findall(r"to go on: handlens (.*)", child.said)[0].split()
    nursery.run("jobs:cli", *command, log=tmp_path / "one", environment=environment)
    run = hl.load_run("one")
    assert run.status == "complete"
    assert [row["epoch"] for row in run.rows] == [*range(1, 31)]


def test_a_second_signal_does_no_harm(nursery: Nursery, tmp_path: Path) -> None:
    child = nursery.start("jobs:cli", *WORDS, "--name", "one", log=tmp_path / "one", environment={"HANDLENS_DATA": str(tmp_path / "data")})
    wait_for(lambda: epochs_told(child.said) >= 1)
    for _ in range(3):
        child.send(signal.SIGINT)
        time.sleep(0.01)
    child.wait()
    run = hl.load_run("one")
    run.model()
    assert run.status == "interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process group")
def test_a_signal_to_the_real_command_leaves_no_child(mnist: hl.Dataset, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "handlens", "train", "softmax", "--epochs", "50", "--name", "one"]
    told = tmp_path / "told"
    with told.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True) as process:
        wait_for(lambda: "epoch 1/50" in told.read_text(), 60)
        start = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(10) == 130
        assert time.monotonic() - start < slowed(2)
    assert "to go on: handlens train --resume one" in told.read_text()
    assert "Traceback" not in told.read_text()
    assert not [other for other in psutil.process_iter() if _group(other) == process.pid]
    hl.load_run("one").model()


def _group(process: psutil.Process) -> int:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return 0
