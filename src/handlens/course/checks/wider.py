"""Networks of several sizes are made, and the sizes of their weights are looked at."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from handlens.course.probing import NETWORK_CAUSES, ask_network, judge_network, no_activation, play_network
from handlens.course.verdict import Mistake

NEEDS = ("make_net",)
CAUSES = NETWORK_CAUSES
STRICT = True
_SIZES = ((48,), (40, 24), (32, 24, 16), (20, 20, 20, 20))
ask = ask_network


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The learner's network of two hidden layers, watched."""
    return play_network(lambda: names["make_net"]([40, 24]), given)


def play_on(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Networks of all sizes: the shapes of their weights, and of their scores."""
    found = []
    for sizes in _SIZES:
        model = names["make_net"](list(sizes)).eval()
        with torch.no_grad():
            scores, between = model(given["images"]), model((given["images"] + given["images"].roll(1, 0)) / 2)
        found.append({"shapes": [list(one.shape) for one in model.parameters()], "scores": scores, "between": between})
    return {"nets": found}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """Each hidden size is in the network, in its place."""
    for sizes, net in zip(_SIZES, values["nets"], strict=True):
        layers = [tuple(sorted(shape)) for shape in net["shapes"] if len(shape) == 2]
        chain = [784, *sizes, 10]
        expected = [tuple(sorted(pair)) for pair in itertools.pairwise(chain)]
        if sorted(layers) != sorted(expected):  # parameters come as they were registered, not as they are used
            return _named(sizes, layers, expected)
        if mistake := no_activation(net["scores"], net["between"], f"Of sizes {list(sizes)}."):
            return mistake
    return judge_network(values)


def _named(sizes: tuple[int, ...], layers: list[tuple[int, ...]], expected: list[tuple[int, ...]]) -> Mistake:
    seen = f"For {list(sizes)} there are {len(layers)} weight matrices: {layers}; asked are {len(expected)}: {expected}."
    if layers == [(128, 784), (64, 128), (10, 64)]:
        return Mistake(
            "ignores_sizes", "The network is the same whatever sizes are asked for.", "Use hidden_sizes in place of 128 and 64.", seen
        )
    if len(layers) < len(expected):
        return Mistake(
            "layers_missing",
            "Some of the hidden layers are not there.",
            "Make one Linear for each pair of neighbours, in an nn.ModuleList or nn.Sequential.",
            seen,
        )
    if len(layers) > len(expected):
        return Mistake(
            "too_many_layers",
            "There are more layers than asked for.",
            "One Linear for each pair of neighbours: 784, the hidden sizes, 10.",
            seen,
        )
    return Mistake(
        "other_sizes",
        "The layers have other sizes than asked for.",
        "One Linear for each pair of neighbours: 784, the hidden sizes, 10.",
        seen,
    )
