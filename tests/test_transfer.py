"""A training can begin with what another run has learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from small import small_data
from torch import Tensor, nn

import handlens as hl
from handlens import models
from handlens.config import make_config
from handlens.errors import ModelError, RunNotFound
from handlens.transfer import WAYS, few_examples, network_knobs, plan_new

CNN: dict[str, Any] = {"channels": (4,), "hidden_sizes": (8,), "batch_norm": True, "epochs": 2, "batch_size": 16, "quiet": True}


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> hl.Run:
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path))
    return hl.fit("cnn", small_data(), name="source", **CNN)


def start_of(run: hl.Run) -> dict[str, Tensor]:
    return run.model("start").state_dict()


def test_it_begins_with_the_runs_weights_except_the_last_layer(source: hl.Run) -> None:
    run = hl.fit("cnn", small_data(classes=3), init_from="source", **CNN)
    theirs, ours = source.model().state_dict(), start_of(run)
    last = {name for name in ours if name.startswith("layers.7.")}
    assert all(torch.equal(ours[name], theirs[name]) for name in ours.keys() - last - {"mean", "std"})
    assert ours["layers.7.weight"].shape == (3, 8)
    assert run.config.init_from == "source"


def test_classes_of_other_data_get_a_last_layer_of_their_own_even_if_they_are_as_many(source: hl.Run) -> None:
    planned = plan_new(make_config({**network_knobs(source), "init_from": "source"}), images=small_data())
    mine, theirs = planned.model.state_dict(), source.model().state_dict()
    assert "layers.7" not in planned.origin  # the very same data: all is taken
    other = hl.data.from_tensors(small_data().train.images, small_data().train.labels, name="others", val=0.2)
    planned = plan_new(make_config({**network_knobs(source), "init_from": "source"}), images=other)
    fresh = planned.model.state_dict()
    assert torch.equal(mine["layers.7.weight"], theirs["layers.7.weight"])
    assert not torch.equal(fresh["layers.7.weight"], theirs["layers.7.weight"])
    assert "new: layers.7" in planned.origin


def test_the_network_need_not_be_said_again_but_can_be_changed(source: hl.Run) -> None:
    run = hl.fit(data=small_data(), init_from="source", epochs=1, dropout=0.5, quiet=True)
    assert (run.config.model, run.config.channels, run.config.hidden_sizes, run.config.dropout) == ("cnn", (4,), (8,), 0.5)


def test_only_the_last_layer_learns_where_the_others_are_frozen(source: hl.Run) -> None:
    run = hl.fit(data=small_data(classes=3), init_from="source", freeze=True, epochs=3, quiet=True)
    before, after = start_of(run), run.model().state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"layers.7.weight", "layers.7.bias"}  # and no batch norm has counted on


def test_a_frozen_training_can_be_repeated_and_resumed(source: hl.Run) -> None:
    run = hl.fit(data=small_data(classes=3), init_from="source", freeze=True, epochs=3, quiet=True, name="frozen")
    source.delete()  # the run that it began with need not be there any more
    again = hl.resume("frozen", data=small_data(classes=3), quiet=True)
    assert again.checkpoint == run.checkpoint


def test_what_does_not_fit_is_said(source: hl.Run) -> None:
    with pytest.raises(ModelError, match="Nothing in run 'source' fits this MLP"):
        plan_new(make_config({"model": "mlp", "hidden_sizes": (5,), "init_from": "source"}), images=small_data())
    with pytest.raises(RunNotFound):
        hl.fit(data=small_data(), init_from="nobody", quiet=True)
    with pytest.raises(ModelError, match="no fully connected layer"):
        models.freeze(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten()))


def test_few_examples_are_tried_in_each_way(source: hl.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hl.data, "load", lambda _name, val: small_data())
    monkeypatch.setattr("handlens.transfer.data.load", lambda _name, val: small_data())
    found = list(few_examples(source, make_config({"epochs": 3, "batch_size": 8}), [8, 40], seeds=(1, 2)))
    assert [(one.count, one.seed, one.way) for one in found] == [(count, seed, way) for count in (8, 40) for seed in (1, 2) for way in WAYS]
    means = {way: sum(one.accuracy for one in found if one.way == way and one.count == 8) / 2 for way in WAYS}
    assert means["weights of the run, all layers learn"] > means["random weights"]
