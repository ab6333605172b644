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
from handlens.errors import ModelError, RunDamaged, RunNotFound, TrainingError
from handlens.fit import plan_for
from handlens.train import train
from handlens.training import trying
from handlens.transfer import WAYS, few_examples, network_knobs, network_of, plan_new, repeat_plan

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


def test_the_run_may_be_given_itself_and_a_network_that_is_given_is_frozen_for_the_training_only(source: hl.Run) -> None:
    for origin in (source, source.folder):
        assert hl.fit(data=small_data(), init_from=origin, epochs=1, quiet=True).config.init_from == "source"
    model = own()
    frozen = model.get_parameter("1.weight")
    model.get_parameter("1.bias").requires_grad_(False)
    before = frozen.clone()
    run = hl.fit(model, small_data(), freeze=True, epochs=1, quiet=True)
    assert set(run.about.frozen or ()) == {"1.weight"}
    assert torch.equal(frozen, before)
    assert [weights.requires_grad for weights in model.parameters()] == [True, False, True, True]


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


def test_a_model_that_is_not_the_runs_is_refused_and_one_of_ones_own_is_left_alone(source: hl.Run) -> None:
    with pytest.raises(ModelError, match="is cnn: its weights are not for mlp"):
        hl.fit("mlp", small_data(), init_from="source", quiet=True)
    with pytest.raises(ModelError, match="is cnn: its weights are not for resnet"):
        hl.find_lr("resnet", small_data(), init_from="source")
    assert network_of({"init_from": "source", "model": "cnn"}) == network_knobs(source)
    assert network_of({"init_from": "source", "model": "net.py:Net"}) == network_of({"lr": 1}) == {}


def test_the_learning_rate_is_sought_with_the_runs_network_and_a_network_that_is_given_stays_as_it_is(source: hl.Run) -> None:
    assert hl.find_lr(data=small_data(), init_from="source", batch_size=16).losses[0] < 2  # it has learned; another network begins anew
    model = source.model()
    model.get_parameter("layers.0.weight").requires_grad_(False)
    before = {name: (weights.requires_grad, weights.clone()) for name, weights in model.named_parameters()}
    other = hl.fit("cnn", small_data(), name="other", seed=7, **CNN)
    hl.find_lr(model, small_data(), init_from=other.name, freeze=True, batch_size=16)
    for name, weights in model.named_parameters():
        assert (weights.requires_grad, weights.grad) == (before[name][0], None)
        assert torch.equal(weights, before[name][1])


def own() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 4))


def test_the_weights_of_a_network_of_ones_own_are_taken_without_it() -> None:
    hl.fit(own, small_data(), name="own", epochs=1, quiet=True)
    run = hl.load_run("own")
    with pytest.raises(ModelError, match="a network of your own"):
        run.model()
    begun = plan_for(own, small_data(), init_from="own", seed=5).model.state_dict()
    assert all(torch.equal(tensor, run.weights()[name]) for name, tensor in begun.items())
    (run.folder / run.checkpoint["file"]).write_bytes(b"broken")
    with pytest.raises(RunDamaged, match="damaged"):
        plan_for(own, small_data(), init_from="own")


def test_behind_the_first_layer_that_does_not_fit_nothing_is_taken() -> None:
    run = hl.fit("mlp", small_data(), hidden_sizes=(5, 6, 6), name="deep", epochs=1, quiet=True)
    config = {"model": "mlp", "hidden_sizes": (5, 7, 6), "init_from": "deep", "seed": 5}
    planned = plan_new(make_config(config), images=small_data())
    begun, theirs = planned.model.state_dict(), run.weights()
    same = {name for name in begun if begun[name].shape == theirs[name].shape and torch.equal(begun[name], theirs[name])}
    biases = [name for name in begun if name.endswith("bias") and begun[name].shape == theirs[name].shape]
    assert {name for name in same if name.startswith("layers.")} == {"layers.1.weight", "layers.1.bias"}
    assert len(biases) > 1
    with pytest.raises(ModelError, match=r"layers\.1\.weight is 4x64 here, and 5x64 there"):
        plan_new(make_config({**config, "hidden_sizes": (4, 6, 6)}), images=small_data())
    hl.fit("softmax", small_data(), name="shallow", epochs=1, quiet=True)
    other = hl.data.from_tensors(small_data().train.images, small_data().train.labels, name="others", val=0.2)
    with pytest.raises(ModelError, match="has one layer, which is for other classes"):
        hl.fit(data=other, init_from="shallow", quiet=True)


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 4), nn.Linear(64, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.first(images.flatten(1)) + self.second(images.flatten(1))
        return logits


def test_a_network_without_a_last_layer_is_taken_whole_and_not_frozen() -> None:
    run = hl.fit(TwoHeads, small_data(), name="heads", epochs=1, quiet=True)
    other = hl.data.from_tensors(small_data().train.images, small_data().train.labels, name="others", val=0.2)
    begun = plan_for(TwoHeads, other, init_from="heads").model.state_dict()
    assert all(torch.equal(begun[name], tensor) for name, tensor in run.weights().items())
    with pytest.raises(ModelError, match="TwoHeads has no last layer"):
        plan_for(TwoHeads, other, init_from="heads", freeze=True)


def wider() -> nn.Module:
    """The source's convolution, then layers that it has not."""
    model = models.CNN((4,), hidden_sizes=(8,), batch_norm=True, image_size=8, num_classes=3, seed=3)
    model.layers[5] = nn.Linear(64, 6)
    model.layers[6] = nn.Sequential(nn.BatchNorm1d(6), nn.ReLU())
    model.layers[7] = nn.Linear(6, 3)
    model.get_parameter("layers.1.bias").requires_grad_(False)
    return model


def test_layers_that_are_new_learn_where_what_was_taken_over_is_frozen(source: hl.Run) -> None:
    data = small_data(classes=3)
    run = hl.fit(wider, data, init_from="source", freeze=True, epochs=2, name="wider", quiet=True)
    before, after = start_of(run), run.model().state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    learned = {f"layers.{layer}.{name}" for layer in ("5", "6.0", "7") for name in ("weight", "bias")}
    assert changed == learned | {f"layers.6.0.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")}
    assert run.about.frozen == ("layers.0.weight", "layers.1.weight")  # the bias was frozen by its owner
    source.delete()
    assert hl.resume("wider", model=wider(), data=data, quiet=True).checkpoint == run.checkpoint
    repeated = repeat_plan(hl.load_run("wider", model=wider(), data=data))
    assert {name for name, weights in repeated.model.named_parameters() if weights.requires_grad} == learned


def test_an_image_alone_troubles_a_new_batch_norm_but_not_one_that_is_frozen(source: hl.Run) -> None:
    data = small_data(classes=3)
    alone = len(data.train) - 1
    with pytest.raises(ModelError, match="leave one image alone"):
        plan_for(wider, data, init_from="source", freeze=True, batch_size=alone)
    hl.fit(wider, data, epochs=1, name="wider", quiet=True)
    planned = plan_for(wider, data, init_from="wider", freeze=True, batch_size=alone)
    with trying(planned):
        next(train(planned.state(), planned.loader, epochs=1))


def test_few_examples_are_tried_in_each_way(source: hl.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hl.data, "load", lambda _name, val: small_data())
    monkeypatch.setattr("handlens.transfer.data.load", lambda _name, val: small_data())
    found = list(few_examples(source, make_config({"epochs": 3, "batch_size": 8}), [8, 40], seeds=(1, 2)))
    assert [(one.count, one.seed, one.way) for one in found] == [(count, seed, way) for count in (8, 40) for seed in (1, 2) for way in WAYS]
    means = {way: sum(one.accuracy for one in found if one.way == way and one.count == 8) / 2 for way in WAYS}
    assert means["weights of the run, all layers learn"] > means["random weights"]


def test_what_goes_wrong_with_few_examples_is_said_in_words(source: hl.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlens.transfer.data.load", lambda _name, val: small_data())

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(models.CNN, "forward", lambda self, images: fail() if self.training else models.Classifier.forward(self, images))
    with pytest.raises(TrainingError, match="memory"):
        next(few_examples(source, make_config({"epochs": 1, "batch_size": 8}), [8], seeds=(1,)))
