"""The same sweep on Ray gives the same table, also when its workers are killed; Ray listens on this machine only, and wants a token."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

import handlens as hl
from handlens.runs import runs_folder
from handlens.sweep import load_sweep

pytestmark = [pytest.mark.usefixtures("mnist"), pytest.mark.skipif(os.name == "nt", reason="it kills by signal")]
WORDS = ["lr=0.1,0.01", "hidden_sizes=8,16", "--seeds", "2", "--epochs", "6", "--examples", "3000", "--batch-size", "20", "--prune"]


def facts(sweep: hl.Sweep) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "time_s"} for row in sweep.table]


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "handlens", "sweep", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def title(process: psutil.Process) -> str:
    """What a process calls itself; nothing of one that has just ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def test_ray_with_a_killed_worker_gives_the_local_table_on_loopback_only() -> None:
    driver = start(*WORDS, "--name", "on-ray", "--backend", "ray")
    deadline = time.monotonic() + 120
    while not list(runs_folder().glob("sweeps/on-ray/*/run.json")):
        assert driver.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    family = [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)]
    listening = {one.laddr.ip for process in family for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    assert listening
    assert {address.removeprefix("::ffff:") for address in listening} <= {"127.0.0.1", "::1"}
    raylet = next(process for process in family if process.name() == "raylet")
    assert raylet.environ()["RAY_AUTH_MODE"] == "token"
    while not (busy := [process for process in psutil.Process(driver.pid).children(recursive=True) if "ray::_do" in title(process)]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    busy[0].send_signal(signal.SIGKILL)
    assert driver.wait(300) == 0
    local = start(*WORDS, "--name", "local", "--workers", "2")
    assert local.wait(300) == 0
    assert facts(load_sweep("on-ray")) == facts(load_sweep("local"))
    for ended in (driver, local):
        ended.communicate()
    psutil.wait_procs(family, timeout=20)


@pytest.mark.parametrize(
    "words, said",
    [
        (("--backend", "ray", "--threads", "900"), "No trial fits: each takes 900 processors"),
        (("--backend", "ray", "--address", "127.0.0.1:9"), "No Ray cluster answers"),
        (("--backend", "ray", "--workers", "3"), "as many trials run at a time as fit"),
        (("--address", "auto"), "that of a Ray cluster"),
    ],
    ids=["no room", "no cluster", "workers", "address alone"],
)
def test_what_ray_cannot_do_is_said(words: tuple[str, ...], said: str) -> None:
    driver = start("lr=0.1", "--epochs", "1", "--examples", "100", *words)
    _, told = driver.communicate(timeout=120)
    assert driver.returncode in (2, 5)
    assert said in told
