"""The learning rate that is found is one at which the network learns, and nothing of the search is kept."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from small import small_data

import handlens as hl
from handlens.config import make_config
from handlens.lr_find import judge, search, smooth
from handlens.plan import Plan, plan
from handlens.train import train


def planned(data: hl.Dataset | None = None, **knobs: Any) -> Plan:
    return plan(make_config({"hidden_sizes": (16,), "batch_size": 16, "threads": 1, **knobs}), data=data or small_data())


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("model", ["mlp", "softmax"])
def test_with_the_rate_that_is_found_it_learns(optimizer: str, model: str) -> None:
    found = search(planned(optimizer=optimizer, model=model, lr=1e-5))
    assert found.suggestion is not None
    assert f"lr = {found.suggestion:g}" in found.said
    ready = planned(optimizer=optimizer, model=model, lr=found.suggestion)
    *_, row = train(ready.state(), ready.loader, epochs=15)
    assert row["train_accuracy"] > 0.95


def test_it_takes_what_fit_takes() -> None:
    found = hl.find_lr("softmax", small_data(), batch_size=16)
    assert found == search(planned(model="softmax"))
    assert found.show().axes


def test_nothing_of_the_search_is_kept() -> None:
    ready = planned()
    before = copy.deepcopy(ready.model.state_dict())
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    search(ready)
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(tensor, before[name]) for name, tensor in ready.model.state_dict().items())
    assert all(weights.grad is None for weights in ready.model.parameters())


def test_the_rates_grow_evenly_on_a_log_scale_until_the_loss_is_ruined() -> None:
    found = search(planned(optimizer="sgd"))
    ratios = {round(after / before, 6) for before, after in zip(found.lrs, found.lrs[1:], strict=False)}
    assert len(ratios) == 1
    assert found.lrs[0] == pytest.approx(1e-6)
    assert len(found.lrs) == len(found.losses)
    assert all(math.isfinite(loss) for loss in found.losses)


def test_where_there_is_nothing_to_learn_that_is_said_instead_of_a_rate() -> None:
    flat = hl.data.from_tensors(torch.zeros(64, 8, 8, dtype=torch.uint8), torch.arange(64) % 4, val=0)
    found = search(planned(flat, val=0))
    assert found.suggestion is None
    assert "falls at no learning rate" in found.said


def test_a_network_that_explodes_at_once_ends_the_search_without_an_error() -> None:
    ready = planned()
    with torch.no_grad():
        for weights in ready.model.parameters():
            weights.mul_(1e30)
    found = search(ready)
    assert found.suggestion is None


def test_the_loss_is_smoothed_without_a_bias_at_the_beginning() -> None:
    assert smooth(iter([2.0] * 5)) == pytest.approx([2.0] * 5)
    assert smooth(iter([2.0, 1.0]))[1] == pytest.approx((0.9 * 2 + 1) / 1.9)


def test_the_steepest_place_is_found_unless_the_cliff_is_near() -> None:
    lrs = [10.0 ** (step / 10) for step in range(-60, 1)]
    slope = [2 - 1.9 / (1 + math.exp(-3 * (math.log10(lr) + 3))) for lr in lrs]  # falls fastest at 1e-3
    assert judge(lrs, slope).suggestion == pytest.approx(1e-3, rel=0.3)
    cliff = [2.0] * 50 + [1.0] + [9.0] * 10
    assert judge(lrs, cliff).suggestion == pytest.approx(lrs[50] / 10, rel=0.05)
