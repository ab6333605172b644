"""The network is asked about pictures, and takes a few steps under the doctor's eyes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from handlens.course.probing import NETWORK_CAUSES, ask_network, judge_network, play_network
from handlens.course.verdict import Mistake

NEEDS = ("MNISTNet",)
CAUSES = NETWORK_CAUSES
STRICT = True
ask = ask_network


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Its answers."""
    return play_network(names["MNISTNet"], given)


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """Ten scores for each image, which hang on that image alone, and not in a straight line."""
    return judge_network(values) or _judge_layers(values["shapes"])


def _judge_layers(shapes: list[list[int]]) -> Mistake | None:
    layers = [shape for shape in shapes if len(shape) >= 2]
    if len(layers) >= 2:
        return None
    seen = f"model.parameters() gives {len(layers)} weight matrix."
    return Mistake(
        "too_few_layers", "The network should have a hidden layer at least.", "Put a Linear and a ReLU before the last layer.", seen
    )
