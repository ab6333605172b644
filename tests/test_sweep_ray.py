"""The same sweep on Ray gives the same table, also when its workers are killed; Ray listens on this machine only, and wants a token."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml  # type: ignore[import-untyped]  # Ray brings it
from drivers import Driver, driver, running, wait_until

import handlens as hl
from handlens.errors import FailedError
from handlens.runs import runs_folder
from handlens.sweep import joining, load_sweep
from handlens.sweep.joining import import_ray, is_same_place

pytestmark = [pytest.mark.usefixtures("mnist"), pytest.mark.skipif(os.name == "nt", reason="it kills by signal")]
WORDS = ["lr=0.1,0.01", "hidden_sizes=8,16", "--seeds", "2", "--epochs", "6", "--examples", "3000", "--batch-size", "20", "--prune"]


def facts(sweep: hl.Sweep) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "time_s"} for row in sweep.table]


def test_ray_with_a_killed_worker_gives_the_local_table_on_loopback_only() -> None:
    with driver(*WORDS, "--name", "on-ray", "--backend", "ray") as running:
        wait_until(lambda: not running.is_running or [*runs_folder().glob("sweeps/on-ray/*/run.json")], "a trial on Ray")
        assert running.is_running, running.said
        listening = running.listening()
        assert listening
        assert {*listening} <= {"127.0.0.1", "::1"}
        raylet = next(process for process in running.family() if process.name() == "raylet")
        given = {"RAY_AUTH_MODE": "token", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"}
        assert given.items() <= raylet.environ().items()
        wait_until(lambda: kill_one(running), "a busy worker")
        assert running.wait() == 0, running.said
    with driver(*WORDS, "--name", "local", "--workers", "2") as local:
        assert local.wait() == 0, local.said
    assert facts(load_sweep("on-ray")) == facts(load_sweep("local"))


def kill_one(running: Driver) -> bool:
    """Kill a process of Ray that is busy with a trial, if there is one just now."""
    for worker in running.family("ray::_do")[:1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()
            return True
    return False


@pytest.mark.parametrize(
    "words, said",
    [
        (("--backend", "ray", "--threads", "900"), "No trial fits: each takes 900 processors"),
        (("--backend", "ray", "--gpus", "64"), "No trial fits: each takes 1 processor and 64 of a card"),
        (("--gpus", "1"), "is what a trial takes on Ray"),
        (("--backend", "ray", "--address", "127.0.0.1:9"), "No Ray cluster answers"),
        (("--backend", "ray", "--address", f"127.0.0.1:{9**40}"), "No Ray cluster answers"),
        (("--backend", "ray", "--workers", "3"), "as many trials run at a time as fit"),
        (("--address", "auto"), "that of a Ray cluster"),
    ],
    ids=["no room", "no cards", "cards without Ray", "no cluster", "no port", "workers", "address alone"],
)
def test_what_ray_cannot_do_is_said(words: tuple[str, ...], said: str) -> None:
    with driver("lr=0.1", "--epochs", "1", "--examples", "100", *words) as refused:
        assert refused.wait() in (2, 5)
        assert said in refused.said


@pytest.mark.filterwarnings("ignore")  # Ray's own
@pytest.mark.parametrize("name", ["aws", "ssh"])
def test_the_files_for_the_cluster_launcher_are_such(name: str) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    path = Path(__file__).parents[1] / "docs" / "cluster" / f"{name}.yaml"
    config = prepare_config(yaml.safe_load(path.read_text(encoding="utf-8")))
    validate_config(config)
    starts = [*config["head_start_ray_commands"], *config["worker_start_ray_commands"]]
    assert [line for line in starts if "ray start" in line and "RAY_AUTH_MODE=token" not in line] == []
    assert {"**/.git", "**/.git/**"} == {*config["rsync_exclude"]}
    assert config["rsync_filter"] == [".gitignore"]
    fetching = {name for name in ("head_setup_commands", "worker_setup_commands") if "data fetch" in " ".join(config[name])}
    assert fetching == {"head_setup_commands"}, "the data lie in one shared folder, which all machines would fill at once"


IN_PYTHON = """
import os
import tempfile

import handlens as hl

import ray
from ray._private import ray_constants

knobs = {"epochs": 2, "examples": 500, "hidden_sizes": (8,)}
before = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
hl.sweep({"lr": [0.1, 0.01]}, name="own", workers="ray", **knobs)
assert not ray.is_initialized(), "it was started for this sweep only"
left = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
assert left == {**before, "RAY_USAGE_STATS_ENABLED": "0"}, f"they would stand before those of a cluster joined later: {left}"
os.environ["RAY_AUTH_TOKEN"] = 64 * "a"
ray_constants.ENABLE_RAY_CLUSTER = False  # this program, too, is to be on the loopback address only
with tempfile.TemporaryDirectory(prefix="r-", ignore_cleanup_errors=True) as folder:
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, _temp_dir=folder)
    hl.sweep({"lr": [0.1, 0.01]}, name="mine", workers="ray", **knobs)
    assert ray.is_initialized(), "it was not ours to end"
    port = ray.get_runtime_context().gcs_address.rpartition(":")[2]
    hl.sweep({"lr": [0.1, 0.01]}, name="there", workers=f"ray localhost:{port}", **knobs)
    try:
        hl.sweep({"lr": [0.1, 0.01]}, name="none", workers="ray 127.0.0.1:9", **knobs)
    except hl.HandlensError as error:
        print(error.what)
    ray.shutdown()
"""


def test_a_sweep_in_python_takes_ray_and_leaves_that_of_the_program_as_it_is(tmp_path: Path) -> None:
    script = tmp_path / "sweep_on_ray.py"
    script.write_text(IN_PYTHON, encoding="utf-8")
    with running(str(script)) as program:
        assert program.wait() == 0, program.said
        assert "This program has joined another Ray cluster already." in program.said
    local = facts(hl.sweep({"lr": [0.1, 0.01]}, name="local", epochs=2, examples=500, hidden_sizes=(8,), workers=1))
    for name in ("own", "mine", "there"):
        assert facts(load_sweep(name)) == local, name


TOKENS = """
import contextlib
import os

from handlens.sweep import joining

ray = joining.import_ray("")
from ray._raylet import AuthenticationMode, AuthenticationTokenLoader, get_authentication_mode

loader = AuthenticationTokenLoader.instance()


def token():
    return loader.get_token_for_http_header().get("authorization") if get_authentication_mode() == AuthenticationMode.TOKEN else None


assert token() is None
outer = ray.util.get_node_ip_address()
with joining._shut_off(ray):
    assert token() == f"Bearer {os.environ['RAY_AUTH_TOKEN']}"
    assert ray.util.get_node_ip_address() == "127.0.0.1"
assert token() is None
assert ray.util.get_node_ip_address() == outer
assert not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_worker_niceness"} & {*os.environ}
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": 64 * "b"}
with contextlib.suppress(Exception):  # there is no cluster, but Ray has been asked
    joining._join_there(ray, "127.0.0.1")
assert token() == f"Bearer {64 * 'b'}"
"""


def test_token_and_address_of_our_own_ray_do_not_stand_before_those_of_a_later_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "RAY_worker_niceness"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # where Ray keeps one for all
    script = tmp_path / "tokens.py"
    script.write_text(TOKENS, encoding="utf-8")
    with running(str(script)) as program:
        assert program.wait() == 0, program.said


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_is_not_started_where_it_would_listen_to_others(tmp_path: Path) -> None:
    ray = import_ray("")
    if ray.util.get_node_ip_address() == "127.0.0.1":
        pytest.skip("this machine has no address but its loopback")
    with pytest.raises(FailedError, match="would listen to other machines"):
        joining._start_here(ray, str(tmp_path))
    assert not ray.is_initialized()


def test_a_host_has_several_names() -> None:
    for one in ("127.0.0.1:6379", "localhost:6379", "ray://localhost:6379"):
        assert is_same_place(one, "127.0.0.1:6379", "127.0.0.1"), one
    for other in ("127.0.0.1:6380", "localhost", "", "auto", "127.0.0.2:6379", "[", 300 * "a" + ":6379"):
        assert not is_same_place(other, "127.0.0.1:6379", "127.0.0.1"), other


def test_a_cluster_that_was_joined_by_localhost_bears_the_machines_own_address() -> None:
    for one in ("localhost:6379", "127.0.0.1:6379", "[::1]:6379", "ray://localhost:6379", "10.1.2.3:6379"):
        assert is_same_place(one, "10.1.2.3:6379", "10.1.2.3"), one
    for other in ("localhost:6380", "10.1.2.4:6379", "127.0.0.2:6379"):
        assert not is_same_place(other, "10.1.2.3:6379", "10.1.2.3"), other
    assert not is_same_place("localhost:6379", "10.1.2.3:6379", "10.1.2.4"), "the head is another machine"
