"""`handlens bench`: what it measures is there, and each trick is really off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small import small_data
from terminal import Terminal

import handlens as hl
from handlens import bench
from handlens.config import make_config
from handlens.errors import UsageError
from handlens.presets import preset_knobs


def test_a_way_to_calculate_is_measured_in_products_and_in_images_of_both_jobs(mnist: hl.Dataset) -> None:
    few = hl.Dataset("few", mnist.train.subset(torch.arange(2000)), mnist.val.subset(torch.arange(20)), mnist.test)
    threads = torch.get_num_threads()
    way = bench.measure_way("cpu", 1, "float32", few)
    assert way.peak > 1e8
    assert way.images_per_s.keys() == set(bench.JOBS)
    assert all(speed > 10 for speed in way.images_per_s.values())
    assert torch.get_num_threads() == threads
    assert ("cpu", 1, "float32") in bench.ways()


def test_a_preset_is_measured_on_what_is_kept_apart_and_never_on_the_test() -> None:
    data = small_data()
    no_test = hl.Dataset("none", data.train, data.val, data.test.subset(torch.arange(0)))
    found = bench.trained({"epochs": 30, "lr": 0.01, "threads": 1}, no_test, seeds=2)
    assert found.accuracy >= found.lowest > 0.9
    assert found.flops_per_s == pytest.approx(found.images_per_s * 6 * (64 * 128 + 128 * 64 + 64 * 4))
    with pytest.raises(UsageError, match="no images kept apart"):
        bench.trained({}, hl.Dataset("none", data.train, data.val.subset(torch.arange(0)), data.test), seeds=1)


@pytest.mark.parametrize("preset", ["fast-mlp", "fast-cnn", "cnn-strong", "record", "mlp"])
def test_each_trick_of_a_preset_is_off_once_and_nothing_else_is_changed(preset: str) -> None:
    whole, found = make_config(preset_knobs(preset)), bench.tricks(preset)
    assert len(found) > 3
    for trick, knobs in found.items():
        other = make_config(knobs)
        different = [name for name in knobs if getattr(other, name) != getattr(whole, name)]
        assert different == [trick.removeprefix("no ").partition(" ")[0]]
    assert bench.tricks("session") == {}


def test_the_verb_measures_a_preset_and_draws_it(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(capsys)
    found = json.loads(terminal("bench", "--ablate", "softmax", "--json"))
    assert found["found"]["all of it"]["accuracy"] > 0.9
    assert Path("bench.png").read_bytes()[:4] == b"\x89PNG"
    terminal("bench", "--ablate", "sofmax", code=2)
    assert "Did you mean 'softmax'" in terminal.err
