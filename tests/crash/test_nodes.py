"""A sweep on several Ray nodes, of which one is lost, with a driver that is killed: the local table, bit for bit."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from corpus import amount
from drivers import Driver, driver, running, wait_until

import handlens as hl
from handlens.runs import runs_folder
from handlens.sweep import load_sweep

pytestmark = [
    pytest.mark.usefixtures("mnist"),
    pytest.mark.skipif(os.name == "nt", reason="it kills by signal"),
    pytest.mark.skipif(not amount("nodes", 0), reason="minutes: it is a part of make test-full"),
]
WORDS = ["lr=0.1,0.01", "hidden_sizes=8,16", "--epochs", "6", "--examples", "3000", "--batch-size", "20"]
LONGER = [*WORDS, "--epochs", "40"]


def facts(name: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "time_s"} for row in load_sweep(name).table]


def begun(least: int) -> bool:
    return len([*runs_folder().glob("sweeps/nodes/*/epoch-0001.safetensors")]) >= least


def raylets(cluster: Driver) -> list[psutil.Process]:
    found = [process for process in cluster.family("raylet") if process.name() == "raylet"]
    return sorted(found, key=lambda process: process.create_time())


TOGETHER = """
import os
import ray
import handlens as hl
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

here = os.getcwd()

def part(_config):
    os.chdir(here)
    hl.fit("mlp", name="both", quiet=True, examples=2000, epochs=2, hidden_sizes=(16,))

ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
TorchTrainer(part, scaling_config=ScalingConfig(num_workers=2), run_config=RunConfig(storage_path=here)).fit()
"""


def test_one_training_under_ray_train_gives_the_curve_of_one_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }.items():
        monkeypatch.setenv(name, value)
    Path("together.py").write_text(TOGETHER, encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="r-", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        with running("together.py") as both:
            assert both.wait() == 0, both.said
    one, two = hl.fit("mlp", quiet=True, examples=2000, epochs=2, hidden_sizes=(16,)), hl.load_run("both")
    assert "waited_s" in two.rows[0]
    for name in ("train_loss", "val_loss", "val_accuracy"):
        assert two.history[name] == pytest.approx(one.history[name], rel=2e-3, abs=1e-3), name


@contextlib.contextmanager
def cluster_of(count: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Driver, str]]:
    """A cluster of so many nodes, and its address; what the test starts has its token."""
    for name, value in {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_worker_niceness": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # as joining.py does: it keeps Ray on the loopback address
    }.items():
        monkeypatch.setenv(name, value)
    folder = tempfile.mkdtemp(prefix="r-")
    monkeypatch.setenv("RAY_TMPDIR", folder)
    Path(folder, "ray").mkdir()
    try:
        with running(str(Path(__file__).parents[1] / "nodes.py"), str(count)) as cluster:
            wait_until(lambda: "cluster at" in cluster.said or not cluster.is_running, "a cluster")
            address = re.findall(r"cluster at (\S+:\d+)", cluster.said)
            assert address, cluster.said
            yield cluster, address[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_lost_node_and_a_killed_driver_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster_of(amount("nodes", 2), monkeypatch) as (cluster, address):
        on_cluster = (*LONGER, "--name", "nodes", "--backend", "ray", "--address", address, "--gpus", "0.5")
        with driver(*on_cluster) as first:
            wait_until(lambda: begun(2) or not first.is_running, "two trials")
            assert first.is_running, first.said
            cluster.orphans += cluster.family()  # what the lost node leaves behind
            raylets(cluster)[-1].kill()
            wait_until(lambda: begun(3) or not first.is_running, "a third trial, on the node that is left")
            first.kill()
        with driver(*on_cluster) as second:
            assert second.wait() == 0, second.said
    with driver(*LONGER, "--name", "local", "--workers", "2") as local:
        assert local.wait() == 0, local.said
    assert facts("nodes") == facts("local")
    assert load_sweep("nodes").is_complete


def test_what_a_cluster_refuses_or_cannot_do_is_said_and_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster_of(2, monkeypatch) as (cluster, address):
        there = ("--backend", "ray", "--address", address)
        long = (*WORDS, "--epochs", "2000", *there, "--gpus", "1")
        with pytest.MonkeyPatch.context() as other:
            other.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
            with driver("lr=0.1", "--epochs", "1", "--name", "stranger", *there) as stranger:
                assert stranger.wait() == 5
                assert "lets us in" in stranger.said
                assert "RAY_AUTH_TOKEN" in stranger.said
                assert f"handlens sweep --resume stranger --backend ray --address {address}" in stranger.said.replace("\n", " ")
        with driver(*long, "--name", "first") as first:
            wait_until(lambda: [*runs_folder().glob("sweeps/first/*/epoch-0001.safetensors")] or not first.is_running, "a trial")
            assert first.is_running, first.said
            with driver(*long, "--name", "second") as second:
                wait_until(lambda: "Waiting for a place" in second.said or not second.is_running, "a word")
                assert "trials are asked for, and too little is free of the processors" in second.said.replace("\n", " ")
                cluster.orphans += cluster.family()
                next(process for process in cluster.family() if "gcs_server" in process.name()).kill()
                assert second.wait() == 5, second.said
                said = second.said.replace("\n", " ")
                assert f"The head of the Ray cluster, {address}, does not answer any more" in said
                assert f"handlens sweep --resume second --backend ray --address {address} --gpus 1" in said
            assert first.wait() == 5, first.said
    assert not load_sweep("second").is_complete
