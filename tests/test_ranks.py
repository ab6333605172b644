"""One training in many processes gives the curve of one process, also when one of them is killed on the way."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import psutil
import pytest
import torch
from drivers import Driver, running, wait_until

import handlens as hl
from handlens import ranks
from handlens.runs import runs_folder

pytestmark = [pytest.mark.usefixtures("mnist"), pytest.mark.skipif(os.name == "nt", reason="it kills by signal")]
KNOBS: dict[str, Any] = {"examples": 2000, "epochs": 4, "batch_size": 21, "hidden_sizes": (16,), "clip": 1.0, "ema": 0.9, "accumulate": 2}
TOGETHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--log-dir", "torchrun", "-m", "handlens", "train")


def rank(driver: Driver, number: int) -> psutil.Process | None:
    """One of the processes that torchrun has started."""
    for process in driver.family("handlens"):
        with contextlib.suppress(psutil.Error):
            if process.environ().get("RANK") == str(number):
                return process
    return None


def test_two_processes_of_which_one_is_killed_give_the_curve_of_one() -> None:
    words = [word for name, value in KNOBS.items() for word in (f"--{name.replace('_', '-')}", str(value).strip("(),"))]
    with running(*TOGETHER, "--augment", "light", *words, "--name", "two") as both:
        wait_until(lambda: (runs_folder() / "two" / "epoch-0001.safetensors").exists() or not both.is_running, "an epoch")
        second = rank(both, 1)
        assert second, both.said
        second.kill()
        assert both.wait() != 0
        assert "Traceback" not in both.said.split("torch.distributed.elastic")[0].split("torch/distributed")[0]
    done = len(hl.load_run("two").rows)
    assert 1 <= done < KNOBS["epochs"]
    with running(*TOGETHER, "--resume", "two") as both:
        assert both.wait() == 0, both.said
        assert "2 processes took" in both.said
        assert both.said.count("Going on with run two") == 1, "only the first process speaks"
    one, two = hl.fit("mlp", **KNOBS, augment="light", quiet=True), hl.load_run("two")
    for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
        assert two.history[name] == pytest.approx(one.history[name], rel=2e-3, abs=1e-3), name
    weights, others = (dict(run.model().named_parameters()) for run in (one, two))
    assert weights.keys() == others.keys()
    for name in weights:
        torch.testing.assert_close(others[name], weights[name], rtol=1e-2, atol=1e-3)


def test_alone_it_is_the_loop_of_train(mnist: hl.Dataset) -> None:
    assert (ranks.count(), ranks.number(), ranks.tell("text")) == (1, 0, "text")
    with ranks.joined():
        assert ranks.count() == 1


@pytest.mark.parametrize("size", [1, 2, 3, 64, 65])
def test_every_image_is_in_one_part(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "count", lambda: 3)
    loader = [(torch.arange(size).float(), torch.arange(size))]
    images, weights = [], 0.0
    for number in range(3):
        monkeypatch.setattr(ranks, "number", lambda number=number: number)
        part = ranks.Part(loader)
        images += [int(image) for some, _ in part for image in some]
        weights += part.weight
    assert weights == pytest.approx(1)
    assert sorted(images) == sorted([*range(size)] * (3 if size < 3 else 1))
