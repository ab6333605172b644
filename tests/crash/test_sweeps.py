"""Workers and drivers of a sweep killed at random times: the same table, bit for bit, and no trial lost, doubled or trained again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from corpus import amount, commit

from handlens.runs import runs_folder
from handlens.sweep import load_sweep

WORDS = ["lr=0.1,0.01", "hidden_sizes=8,16", "--seeds", "2", "--epochs", "6", "--examples", "3000", "--batch-size", "20", "--prune"]

pytestmark = [pytest.mark.usefixtures("mnist"), pytest.mark.skipif(os.name == "nt", reason="it kills by signal")]


def start(*words: str) -> subprocess.Popen[bytes]:
    """A driver with two workers; what it says is not looked at."""
    command = [sys.executable, "-m", "handlens", "sweep", *words, "--workers", "2"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def table(name: str) -> list[dict[str, Any]]:
    """What the sweep found, without how long it took; and the weights of every trial."""
    trials = load_sweep(name).trials
    weights = [(str(trial), (trials.folder / str(trial) / "checkpoint.json").read_text(encoding="utf-8")) for trial in trials.names]
    rows = [{key: value for key, value in row.items() if key != "time_s"} for row in load_sweep(name).table]
    return [*rows, dict(weights)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A sweep that nothing disturbed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(tmp_path_factory.mktemp("whole")))
        assert start(*WORDS, "--name", "whole").wait(300) == 0
        return table("whole")


def workers(driver: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(driver).children(recursive=True) if "handlens.sweep.worker" in " ".join(child.cmdline())]


def moments(kills: int) -> Iterator[float]:
    """Seconds between kills, chosen by the commit."""
    chance = random.Random(commit())
    return (chance.uniform(0.2, 2.5) for _ in range(kills))


def check(name: str, whole: list[dict[str, Any]], ids: dict[str, str]) -> None:
    assert table(name) == whole
    folder = load_sweep(name).trials.folder
    assert {path.parent.name for path in folder.glob("*/run.json")} == {str(trial) for trial in load_sweep(name).trials.names}
    assert ids.items() <= run_ids(folder).items(), "a trial was begun again"


def run_ids(folder: Path) -> dict[str, str]:
    return {path.parent.name: path.read_text(encoding="utf-8").split('"id": "')[1][:22] for path in folder.glob("*/run.json")}


def test_killed_workers_change_nothing(whole: list[dict[str, Any]], record_property: Callable[[str, object], None]) -> None:
    kills, done, sweeps = amount("worker_kills", 4), 0, 0
    while done < kills:
        sweeps += 1
        name, ids = f"workers-{sweeps}", dict[str, str]()
        driver = start(*WORDS, "--name", name)
        for pause_s in moments(min(4, kills - done)):
            time.sleep(pause_s + 1.5)
            if driver.poll() is not None:
                break
            for worker in workers(driver.pid)[:1]:
                ids |= run_ids(runs_folder() / "sweeps" / name)
                worker.kill()
                done += 1
        assert driver.wait(300) == 0
        check(name, whole, ids)
    record_property("cases", done)


def test_killed_drivers_change_nothing(whole: list[dict[str, Any]], record_property: Callable[[str, object], None]) -> None:
    kills, done, sweeps = amount("driver_kills", 3), 0, 0
    while done < kills:
        sweeps += 1
        name, ids = f"drivers-{sweeps}", dict[str, str]()
        driver = start(*WORDS, "--name", name)
        for pause_s in moments(min(3, kills - done)):
            time.sleep(pause_s + 2.5)
            if driver.poll() is not None:
                break
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            done += 1
            ids |= run_ids(runs_folder() / "sweeps" / name)
            driver = start(*WORDS, "--name", name)  # the same command goes on
        assert driver.wait(300) == 0
        check(name, whole, ids)
    record_property("cases", done)
