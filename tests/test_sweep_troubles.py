"""What goes wrong around the trials of a sweep: it is said, no trial is blamed for it, and the sweep goes on afterwards."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

import handlens as hl
from handlens.config import Config
from handlens.errors import UsageError
from handlens.sweep import Event, Pool, Spec, Sweep, begin, capacity, folder, go_on, make_engine, make_spec, pool, trial
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


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux limits memory.")
def test_a_trial_that_takes_more_memory_than_its_share_fails_and_the_others_do_not() -> None:
    spec = spec_of("'eats' in __name__ and torch.empty(1 << 30)", "eats", "modest")  # 4 GiB of numbers
    engine = make_engine(spec, 1000)
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
