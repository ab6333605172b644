"""Workers and drivers of a sweep killed at random times: the same table, bit for bit, and no trial lost, doubled or trained again."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from corpus import amount, commit
from drivers import Driver, driver, wait_until

from handlens.runs import runs_folder
from handlens.sweep import load_sweep

KNOBS = ["--seeds", "2", "--epochs", "6", "--examples", "3000", "--batch-size", "20"]
WORDS = ["lr=0.1,0.01", "hidden_sizes=8,16", *KNOBS, "--prune", "--workers", "2"]

pytestmark = [pytest.mark.usefixtures("mnist"), pytest.mark.skipif(os.name == "nt", reason="it kills by signal")]


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
        with driver(*WORDS, "--name", "whole") as undisturbed:
            assert undisturbed.wait() == 0, undisturbed.said
        return table("whole")


def moments(kills: int) -> Iterator[float]:
    """Seconds from the start of a worker to the kill, chosen by the commit: some fall into its beginning, some into its trainings."""
    chance = random.Random(commit())
    return (chance.uniform(0, 5) for _ in range(kills))


def wait_for_workers(running: Driver) -> None:
    wait_until(lambda: running.workers() or not running.is_running, "a worker")


def check(name: str, whole: list[dict[str, Any]], ids: dict[str, str]) -> None:
    assert table(name) == whole
    folder = load_sweep(name).trials.folder
    assert {path.parent.name for path in folder.glob("*/run.json")} == {str(trial) for trial in load_sweep(name).trials.names}
    assert ids.items() <= run_ids(folder).items(), "a trial was begun again"


def run_ids(folder: Path) -> dict[str, str]:
    return {path.parent.name: path.read_text(encoding="utf-8").split('"id": "')[1][:22] for path in folder.glob("*/run.json")}


def test_killed_workers_change_nothing(whole: list[dict[str, Any]], record_property: Callable[[str, object], None]) -> None:
    kills, done, sweeps = amount("worker_kills", 3), 0, 0
    while done < kills:
        sweeps += 1
        name, ids = f"workers-{sweeps}", dict[str, str]()
        with driver(*WORDS, "--name", name) as running:
            for pause_s in moments(min(4, kills - done)):
                wait_for_workers(running)
                time.sleep(pause_s)
                ids |= run_ids(runs_folder() / "sweeps" / name)
                done += kill_one(running)
            assert running.wait() == 0, running.said
        check(name, whole, ids)
    record_property("cases", done)


def kill_one(running: Driver) -> bool:
    """Kill a worker, if there is one just now."""
    for worker in running.workers()[:1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()
            return True
    return False


def test_killed_drivers_change_nothing(whole: list[dict[str, Any]], record_property: Callable[[str, object], None]) -> None:
    kills, done, sweeps = amount("driver_kills", 2), 0, 0
    while done < kills:
        sweeps += 1
        name, ids = f"drivers-{sweeps}", dict[str, str]()
        with contextlib.ExitStack() as stack:  # the workers of one that was killed may still be there when the next begins
            for pause_s in moments(min(3, kills - done)):
                running = stack.enter_context(driver(*WORDS, "--name", name))
                wait_for_workers(running)
                time.sleep(pause_s)
                done += running.is_running
                running.kill()
                ids |= run_ids(runs_folder() / "sweeps" / name)
            last = stack.enter_context(driver(*WORDS, "--name", name))  # the same command goes on
            assert last.wait() == 0, last.said
        check(name, whole, ids)
    record_property("cases", done)
