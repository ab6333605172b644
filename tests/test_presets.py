"""The fast presets: they train, they go on to the same bits, and the plain ones have none of their tricks."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

import handlens as hl
from handlens import device, models
from handlens.config import FIELDS, make_config
from handlens.fit import starting
from handlens.plan import plan
from handlens.presets import PRESETS, preset_knobs
from handlens.train import train

FAST = ("fast-mlp", "fast-cnn", "cnn-strong", "record", "fashion")
PLAIN = ("session", "softmax", "mlp", "cnn-small", "cnn", "resnet")


def test_fast_mlp_learns_mnist_in_its_few_steps(mnist: hl.Dataset) -> None:
    planned = plan(make_config({**preset_knobs("fast-mlp"), "precision": "float32"}), data=mnist)
    with device.settled(torch.device("cpu"), 1):
        (*_, row) = train(planned.state(), planned.loader, planned.val, epochs=planned.config.epochs)
    assert row["val_accuracy"] > 0.975


@pytest.mark.parametrize("preset", FAST)
def test_a_fast_preset_interrupted_goes_on_to_the_same_bits(preset: str, mnist: hl.Dataset) -> None:
    knobs: dict[str, Any] = {**preset_knobs(preset), "examples": 100, "epochs": 3, "batch_size": 16, "precision": "bfloat16", "threads": 1}
    few = hl.Dataset("few", mnist.train.subset(torch.arange(200)), mnist.val.subset(torch.arange(20)), mnist.test.subset(torch.arange(20)))
    whole, part = plan(make_config(knobs), data=few), plan(make_config(knobs), data=few)
    with starting(whole, name="whole") as training:
        list(training)
    with starting(part, name="part") as training:
        list(itertools.islice(training, 1))
    assert hl.resume("part", data=few, quiet=True).checkpoint["sha256"] == hl.load_run("whole").checkpoint["sha256"]


@pytest.mark.parametrize("preset", FAST)
def test_what_a_fast_preset_saves_answers_in_float32_as_it_did_when_it_was_trained(preset: str, mnist: hl.Dataset) -> None:
    knobs = {**preset_knobs(preset), "examples": 100, "epochs": 1, "threads": 1}
    planned = plan(make_config(knobs), data=mnist)
    list(train(planned.state(), planned.loader, epochs=1))
    logits = models.predict_logits(planned.model, mnist.test.images[:100])
    plain = models.build(planned.config.model, **planned.about["model_options"])
    plain.load_state_dict({name: tensor.contiguous() for name, tensor in planned.model.state_dict().items()})
    torch.testing.assert_close(models.predict_logits(plain, mnist.test.images[:100]), logits, atol=1e-4, rtol=1e-4)


def test_plain_presets_have_none_of_the_tricks() -> None:
    tricks = ("precision", "channels_last", "shift", "epoch_part", "beta2", "pooling")
    for preset in PLAIN:
        assert all(getattr(make_config(PRESETS[preset].knobs), trick) == FIELDS[trick].default for trick in tricks), preset
