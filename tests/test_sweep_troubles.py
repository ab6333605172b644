"""What goes wrong around the trials of a sweep: it is said, no trial is blamed for it, and the sweep goes on afterwards."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import handlens as hl
from handlens.cli import main
from handlens.config import Config
from handlens.errors import FailedError, UsageError
from handlens.runs import writing
from handlens.sweep import Event, Pool, Spec, Sweep, Trials, begin, capacity, folder, go_on, load_sweep, make_engine, make_spec, pool, trial
from handlens.sweep.needs import Needs
from handlens.sweep.process import how_ended
from handlens.sweep.spec import TrialName
from handlens.sweep.tpe import at_random
from handlens.sweep.trial import Outcome

pytestmark = pytest.mark.usefixtures("mnist")
QUICK: dict[str, Any] = {"examples": 200, "epochs": 2, "batch_size": 50}
GIB = 1 << 30
NET = """
import os, sys, torch
from pathlib import Path
from torch import nn

class Net(nn.Linear):
    def __init__(self):
        super().__init__(784, 10)

    def forward(self, images):
        {}
        return super().forward(images.flatten(1))
"""


def spec_of(line: str = "", *names: str, **changes: Any) -> Spec:
    """A sweep of networks of one's own, in files of these names, in whose forward this line stands."""
    for name in names or ("net",):
        Path(f"{name}.py").write_text(NET.format(line or "pass"), encoding="utf-8")
    models = [f"{name}.py:Net" for name in names or ("net",)]
    return make_spec(Config(**{**QUICK, "model": models[0], **changes}), {"model": models}, "grid", 1, False)


def silent(_event: Event) -> None:
    pass


def statuses(sweep: Sweep) -> list[str]:
    return [row["status"] for row in sweep.table]


def test_what_a_machine_lacks_stops_the_sweep_and_fails_no_trial() -> None:
    trials = begin(spec_of(), "lacking")
    text = Path("net.py").read_text(encoding="utf-8")
    Path("net.py").unlink()
    with pytest.raises(FailedError, match="trial 0001-42 waits: This file is not there") as stopped:
        go_on(trials, Pool(1), silent)
    assert stopped.value.where == str(Path("net.py").absolute())
    assert stopped.value.hint.endswith("What is done is kept; to go on: handlens sweep --resume lacking")
    assert statuses(load_sweep("lacking")) == ["waiting"]
    Path("net.py").write_text(text, encoding="utf-8")
    assert statuses(go_on(trials, Pool(1), silent)) == ["complete"]


def test_a_machine_that_does_not_see_the_folder_trains_nothing_there() -> None:
    job = begin(spec_of(), "here").job(TrialName(1, 42), 1)
    (message,) = trial.advance(trial.Job("elsewhere", job.name, job.knobs, job.upto))
    assert message["unfit"] == "This file is not there."
    assert not Path("elsewhere").exists()


def test_failed_trials_are_tried_again_if_that_is_asked_for() -> None:
    found = go_on(begin(spec_of("assert Path('there').exists()"), "again"), Pool(1), silent)
    assert "AssertionError" in statuses(found)[0]
    Path("there").touch()
    for words, said in (([], "failed"), (["--retry-failed"], "complete")):
        with pytest.raises(SystemExit):
            main(["sweep", "--resume", "again", "--workers", "1", *words])
        assert said in statuses(load_sweep("again"))[0]


def test_a_trial_that_cannot_be_read_any_more_begins_anew() -> None:
    trials = begin(spec_of(), "damaged")
    before = go_on(trials, Pool(1), silent).table[0]["val_accuracies"]
    (trials.folder / "0001-42" / "config.json").write_text("{}", encoding="utf-8")
    again = Trials(trials.folder)
    assert statuses(Sweep(again))[0].startswith("failed")
    assert go_on(again, Pool(1), silent, retry_failed=True).table[0]["val_accuracies"] == before


def test_the_last_words_of_a_worker_that_dies_are_kept() -> None:
    line = "for number in range(999): print('line', number, file=sys.stderr)\n        sys.stderr.flush(); os._exit(3)"
    found = go_on(begin(spec_of(line), "dies"), Pool(1), silent)
    assert statuses(found)[0].endswith("5 times without an epoch between (exit status 3; it said last: line 998).")
    kept = (found.trials.folder / "failures" / "0001-42.txt").read_text(encoding="utf-8")
    assert kept.endswith("line 997\nline 998\n")
    assert len(kept) < 2500


@pytest.mark.parametrize("status, said, of_memory", [(-9, "", True), (1, "x\nMemoryError\n", True), (3, "no\n", False), (-11, "", False)])
def test_memory_is_blamed_only_where_something_speaks_for_it(status: int, said: str, of_memory: bool) -> None:
    assert ("memory" in how_ended(status, said).partition(";")[0]) is of_memory


def test_a_worker_that_cannot_even_start_stops_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("broken").mkdir()
    Path("broken/torch.py").write_text("raise ImportError('half of it is missing')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path("broken").absolute()), os.environ.get("PYTHONPATH", "")]))
    trials = begin(spec_of(), "broken")
    with pytest.raises(FailedError, match=r"No process of the sweep starts.*half of it is missing"):
        go_on(trials, Pool(1), silent)
    assert statuses(load_sweep("broken")) == ["waiting"]


def test_a_trial_that_another_process_keeps_is_waited_for_behind_the_others_and_not_for_ever() -> None:
    trials = begin(spec_of("", "first", "second"), "busy")
    with writing(trials.folder / "0001-42"), pytest.raises(FailedError, match=f"Trial 0001-42 was not free.*process {os.getpid()}"):
        go_on(trials, Pool(1, patience_s=5), silent)
    assert statuses(load_sweep("busy")) == ["waiting", "complete"]
    assert statuses(go_on(trials, Pool(1), silent)) == ["complete"] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux limits memory.")
def test_a_trial_that_takes_more_memory_than_its_share_fails_and_the_others_do_not() -> None:
    spec = spec_of("'eats' in __name__ and torch.empty(1 << 30)", "eats", "modest")  # 4 GiB of numbers
    engine = make_engine(spec, 1000)
    assert isinstance(engine, Pool)
    assert engine.memory_bytes == 4 * GIB, "so small is the share of one of a thousand"
    found = go_on(begin(spec, "eats"), engine, silent)
    assert "memory" in statuses(found)[0]
    assert statuses(found)[1] == "complete"


@pytest.mark.parametrize("gib, count", [(1, 1), (3, 2), (100, 8), (0, 8)])
def test_workers_are_no_more_than_the_memory_carries(gib: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(8), raising=False)
    monkeypatch.setattr(capacity, "_rate", float)
    monkeypatch.setattr(capacity, "usable_memory", lambda: gib * GIB)
    assert capacity.auto_count(1) == count


@pytest.mark.parametrize(
    "axes, options",
    [({"lr": [0.3, 0.03, 0.01, 0.003, 0.001]}, {"prune": "asha"}), ({"lr": "0.0001..0.1"}, {"search": "tpe 4"})],
    ids=["asha", "tpe"],
)
def test_a_trial_is_read_again_when_something_happened_to_it_and_not_while_one_waits(
    axes: dict[str, Any], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, ends, polls = list[str](), list[str](), list[object]()

    def counted(place: Path, name: str) -> Outcome:
        read.append(name)
        return trial.read_outcome(place, name)

    def ended(event: Event) -> None:
        if event.row is None:
            ends.append(event.trial)

    monkeypatch.setattr(folder, "read_outcome", counted)
    monkeypatch.setattr(pool, "_PAUSE_S", 0.01)
    hand_out = Pool._hand_out

    def polled(engine: Pool, take: pool.Take) -> None:
        polls.append(take)
        hand_out(engine, take)

    monkeypatch.setattr(Pool, "_hand_out", polled)
    base = Config(**{**QUICK, "epochs": 3, "hidden_sizes": (4,)})
    spec = make_spec(base, axes, options.get("search", "grid"), 1, options.get("prune", False))
    go_on(begin(spec, "counted"), Pool(3), ended)
    assert len(polls) > 3 * len(ends), "it was not asked often enough to tell"
    assert len(read) == len({*read}) + len(ends)


@pytest.mark.parametrize("count, number", [(1, 1), (6, 2), (20, 6), (30, 10), (1000, 10)])
def test_a_third_of_the_points_of_tpe_are_at_random_and_not_more_than_ten(count: int, number: int) -> None:
    assert at_random(count) == number


def test_what_tpe_needs_is_asked_for_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match="needs optuna"):
        hl.sweep({"lr": "0.0001..0.1"}, name="none", search="tpe 4", **QUICK)
    assert not Path("runs").exists()


def test_a_node_with_another_version_trains_nothing() -> None:
    cluster = pytest.importorskip("handlens.sweep.cluster")
    job = begin(spec_of(), "versions").job(TrialName(1, 42), 1)
    (message,) = cluster._advance_with({**cluster._versions(), "torch": "1.0"}, job)
    assert message["unfit"] == f"torch {cluster._versions()['torch']} is there, and 1.0 where the sweep was begun."
    assert [*cluster._advance_with(cluster._versions(), job)][-1] == {"reason": ""}
    trial._dataset.cache_clear()


def test_what_fits_on_a_node_is_reckoned_from_processors_cards_and_memory() -> None:
    node = {"CPU": 8.0, "GPU": 2.0, "memory": 3.5 * GIB}
    assert [Needs(2).fits(node), Needs(1, 0.4).fits(node), Needs(1, 2).fits(node), Needs(1, 0, GIB).fits(node)] == [4, 4, 1, 3]
    assert Needs(1).fits({}) == 0
    assert Needs(9).no_room([node]).endswith("the largest node of the cluster has 8.")
    assert "8, and 3.5 GiB" in Needs(1, 0, 4 * GIB).no_room([node])
    assert Needs(1, 1, GIB).lacking({"CPU": 1, "memory": 1}) == ["cards", "memory"]


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_what_ray_says_when_it_is_asked_is_put_into_words() -> None:
    ray = pytest.importorskip("ray")
    from handlens.sweep.joining import talking

    for error, said in (
        (ray.exceptions.AuthenticationError("InvalidAuthToken"), "refused the token"),
        (ray.exceptions.RaySystemError("gone"), "does not answer any more: RaySystemError: System error: gone"),
        (ConnectionError("lost"), "does not answer any more: ConnectionError: lost"),
    ):
        with pytest.raises(FailedError, match=said), talking(ray):
            raise error


def test_the_head_of_a_cluster_is_waited_for_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    from handlens.sweep import joining

    monkeypatch.setattr(joining, "_HEAD_PATIENCE_S", 1.0)
    monkeypatch.setattr(joining, "_PAUSE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as head:
        port = head.getsockname()[1]
        joining.wait_for_head(f"127.0.0.1:{port}")
    with pytest.raises(FailedError, match=f"head of the Ray cluster, 127.0.0.1:{port}, does not answer any more"):
        joining.wait_for_head(f"127.0.0.1:{port}")
    timer = threading.Timer(0.3, lambda: late.append(socket.create_server(("127.0.0.1", port))))
    late: list[socket.socket] = []
    timer.start()
    joining.wait_for_head(f"127.0.0.1:{port}")
    timer.join()
    late[0].close()
