"""The optimizers take PyTorch's steps, to the bit, until what has faded away is forgotten."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from handlens import optim
from handlens.optim import make_optimizer
from handlens.runs.checkpoint import pack
from handlens.train import State

STEPS = 300
PAIRS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "sgd": (optim.SGD, torch.optim.SGD, {"momentum": 0.8}),
    "sgd without momentum": (optim.SGD, torch.optim.SGD, {}),
    "adam": (optim.Adam, torch.optim.Adam, {}),
    "adamw": (optim.AdamW, torch.optim.AdamW, {"betas": (0.8, 0.99)}),
}


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3), nn.Linear(3, 3))


def walk(model: nn.Sequential, optimizer: optim.Optimizer, steps: int, start: int = 0, late: int = 3) -> None:
    """Steps along gradients that differ each time; the last layer gets none in the first few."""
    for step in range(start, start + steps):
        inputs = torch.randn(5, 8, generator=torch.Generator().manual_seed(step))
        optimizer.param_groups[0]["lr"] = 0.01 / (1 + step)
        optimizer.zero_grad()
        (model if step >= late else model[:4])(inputs).square().sum().backward()
        optimizer.step()


def same(first: nn.Module, second: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("name", PAIRS)
def test_the_steps_are_pytorchs_to_the_bit(name: str, weight_decay: float) -> None:
    make, oracle, knobs = PAIRS[name]
    late = 0 if name == "sgd" else 3  # PyTorch's own fused SGD fails when a weight gets its first gradient late
    ours, theirs = network(), network()
    walk(ours, make(ours.parameters(), lr=0.01, weight_decay=weight_decay, **knobs), STEPS, late=late)
    walk(theirs, oracle(theirs.parameters(), lr=0.01, weight_decay=weight_decay, fused=True, **knobs), STEPS, late=late)
    assert same(ours, theirs)
    assert not same(ours, network())


def test_a_weight_that_gets_its_first_gradient_late_takes_pytorchs_steps() -> None:
    ours, theirs = network(), network()
    walk(ours, optim.SGD(ours.parameters(), lr=0.01, momentum=0.8), STEPS)
    walk(theirs, torch.optim.SGD(theirs.parameters(), lr=0.01, momentum=0.8), STEPS)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", PAIRS)
def test_what_it_remembers_can_be_kept_and_put_back_at_any_step(name: str) -> None:
    make, _, knobs = PAIRS[name]
    whole, parts = network(), network()
    walk(whole, make(whole.parameters(), lr=0.01, **knobs), STEPS)
    first = make(parts.parameters(), lr=0.01, **knobs)
    walk(parts, first, 100)
    kept = copy.deepcopy(first.state_dict())
    walk(parts, first, 1, start=1000)  # what is done later does not change what was kept
    parts_again = network()
    walk(parts_again, make(parts_again.parameters(), lr=0.01, **knobs), 100)
    second = make(parts_again.parameters(), lr=0.01, **knobs)
    second.load_state_dict(kept)
    walk(parts_again, second, STEPS - 100, start=100)
    assert same(parts_again, whole)
    assert second.state_dict()["state"].keys() == {0, 1, 2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (16, 150)])
def test_an_orthogonal_matrix_keeps_its_directions_and_has_no_weak_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, _values, right = torch.linalg.svd(matrix, full_matrices=False)
    found = left.T @ optim.orthogonal(matrix) @ right.T
    torch.testing.assert_close(optim.orthogonal(matrix * 7), optim.orthogonal(matrix), atol=1e-4, rtol=0)
    assert (found.diagonal() > 0.6).all()
    assert (found.diagonal() < 1.3).all()
    assert (found - found.diagonal().diag()).abs().max() < 1e-3


def test_muon_takes_pytorchs_steps_on_hidden_layers_and_adamws_on_the_rest() -> None:
    ours, theirs = network(), network()
    matrices = [one for one in theirs.parameters() if one.ndim > 1]
    rest = [matrices[-1], *(one for one in theirs.parameters() if one.ndim < 2)]
    muon = torch.optim.Muon(matrices[:-1], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    steppers: list[tuple[nn.Sequential, list[Any]]] = [
        (ours, [make_optimizer(ours, "muon", lr=0.01, weight_decay=0.1)]),
        (theirs, [muon, torch.optim.AdamW(rest, lr=0.01, weight_decay=0)]),
    ]
    for model, optimizers in steppers:
        for step in range(30):
            model.zero_grad()
            model(torch.randn(5, 8, generator=torch.Generator().manual_seed(step))).square().sum().backward()
            for optimizer in optimizers:
                optimizer.step()
    first, last = next(network().parameters()), next(theirs.parameters())
    moved = (last - first).abs().max()
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if name != "0.bias":  # batch norm takes it off, so that its gradient is rounding alone
            assert (a - b).abs().max() < 0.1 * moved, name  # theirs is made orthogonal in bfloat16


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_what_has_faded_away_is_forgotten_and_the_weights_do_not_notice(name: str) -> None:
    make, oracle, knobs = PAIRS[name]

    def fade(make: Any, **more: Any) -> tuple[nn.Parameter, dict[str, torch.Tensor]]:
        weight = nn.Parameter(torch.linspace(-1, 1, 64))
        optimizer = make([weight], lr=0.01, weight_decay=0, **knobs, **more)
        for step in range(1, 1001):
            weight.grad = torch.linspace(-3, 3, 64) * (step < 20)
            optimizer.step()
            history = optimizer.state_dict()["state"][0]
        return weight, history

    (ours, history), (theirs, faded) = fade(make), fade(oracle, fused=True)
    name_of_average = "momentum_buffer" if name == "sgd" else "exp_avg"
    assert torch.equal(ours, theirs)
    assert 0 < faded[name_of_average].abs().max() < torch.finfo(torch.float32).tiny  # that is what made it slow
    assert not history[name_of_average].any()


def test_a_network_without_gradients_is_left_as_it_is() -> None:
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=1.0)
    optimizer.step()
    assert same(model, network())
    assert optimizer.state_dict()["state"] == {}


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_weights_of_two_kinds_are_left_to_pytorch_and_can_be_kept(name: str) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double())
    optimizer = make_optimizer(model, name, lr=0.3, momentum=0.8, weight_decay=0.02)
    assert isinstance(optimizer, torch.optim.Optimizer)
    assert (optimizer.defaults["lr"], optimizer.defaults["weight_decay"], optimizer.defaults.get("momentum", 0.8)) == (0.3, 0.02, 0.8)
    model[1](model[0](torch.ones(1, 2)).double()).sum().backward()
    optimizer.step()
    assert len(pack(State(model, optimizer).tensors(), [])) > 0


@pytest.mark.parametrize("name, kind", [("sgd", optim.SGD), ("adam", optim.Adam), ("adamw", optim.AdamW)])
def test_the_knobs_arrive(name: str, kind: type[optim.Fused]) -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    optimizer = make_optimizer(model, name, lr=0.3, momentum=0.8, weight_decay=0.02)
    assert type(optimizer) is kind
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group.get("momentum", 0.8)) == (0.3, 0.02, 0.8)
    assert [weight is model.weight for weight in group["params"]] == [True]


@pytest.mark.parametrize("stop", [100, 200])
def test_when_it_forgets_depends_on_the_steps_alone(stop: int) -> None:
    def walk_on(optimizer: optim.Adam, weight: nn.Parameter, steps: range) -> None:
        for step in steps:
            weight.grad = torch.full((4,), float(step < 20))
            optimizer.step()

    whole, weight = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))
    once, first, second = (optim.Adam([parameter], lr=0.01) for parameter in (whole, weight, weight))
    walk_on(once, whole, range(750))
    walk_on(first, weight, range(stop))
    second.load_state_dict(first.state_dict())
    walk_on(second, weight, range(stop, 750))
    assert torch.equal(second.state[0]["exp_avg"], once.state[0]["exp_avg"])
    assert 0 < once.state[0]["exp_avg"].max() < 1e-30  # it is about to be forgotten


def test_what_was_kept_in_rows_is_put_back_into_a_weight_that_lies_otherwise() -> None:
    def step(optimizer: optim.Adam, weight: nn.Parameter) -> None:
        weight.grad = torch.arange(48.0).view(2, 4, 3, 2).contiguous(memory_format=torch.channels_last)
        optimizer.step()

    def fresh() -> tuple[nn.Parameter, optim.Adam]:
        weight = nn.Parameter(torch.ones(2, 4, 3, 2).contiguous(memory_format=torch.channels_last))
        return weight, optim.Adam([weight], lr=0.01)

    whole, once = fresh()
    step(once, whole)
    weight, again = fresh()
    state = {number: {name: tensor.contiguous() for name, tensor in kept.items()} for number, kept in once.state_dict()["state"].items()}
    weight.data.copy_(whole.data)
    again.load_state_dict({"state": copy.deepcopy(state), "param_groups": once.state_dict()["param_groups"]})
    step(once, whole)
    step(again, weight)
    assert torch.equal(weight, whole)


def test_biases_and_norms_are_not_pulled_to_zero_also_where_nothing_else_learns() -> None:
    model = network()
    for weights in model.parameters():
        weights.requires_grad_(weights.ndim < 2)
    free = [weights for weights in model.parameters() if weights.requires_grad]
    before = [weights.clone() for weights in free]
    optimizer = make_optimizer(model, "adamw", lr=0.1, weight_decay=0.5)
    for weights in free:
        weights.grad = torch.zeros_like(weights)
    optimizer.step()
    assert all(torch.equal(weights, old) for weights, old in zip(free, before, strict=True))
