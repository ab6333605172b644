"""The pictures must be the weights of the first layer, unit by unit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from handlens.course import wire
from handlens.course.verdict import Mistake

NEEDS = ("first_layer",)
CAUSES = ("plot_grad_tensor",)
_UNITS = 24


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Weights of a first layer, and of a second that could be taken for it."""
    return {"first": torch.randn(_UNITS, 784, generator=chance), "second": torch.randn(784, _UNITS, generator=chance)}


class _Net(nn.Module):
    def __init__(self, given: dict[str, Tensor]) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, _UNITS), nn.Linear(_UNITS, 784), nn.Linear(784, 10)
        self.fc1.weight.data, self.fc2.weight.data = given["first"].clone(), given["second"].clone()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.fc1(x.flatten(1)))
        scores: Tensor = self.fc3(torch.relu(self.fc2(x)))
        return scores


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The learner's pictures."""
    model = _Net(given)
    pictures = names["first_layer"](model)
    return {"pictures": pictures, "kept": torch.equal(model.fc1.weight.detach(), given["first"])}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """A picture of 28x28 for each unit, with its weights as they are."""
    if isinstance(values["pictures"], wire.Tracked):
        return Mistake(
            "plot_grad_tensor", "The pictures still hang on the graph; Matplotlib wants plain numbers.", "Use .detach() (or .data)."
        )
    found, right = wire.tensor(values["pictures"]), given["first"].reshape(_UNITS, 28, 28).double()
    if found is None:
        return Mistake("no_tensor", "first_layer should give the pictures back.", "End it with return.")
    found = found.squeeze()
    if not values["kept"]:
        return Mistake("weights_changed", "The network's own weights were changed.", "Make a copy before you change anything.")
    if found.shape == right.shape and torch.allclose(found, right, atol=1e-5):
        return None
    return _named(given, found, right)


def _named(given: dict[str, Tensor], found: Tensor, right: Tensor) -> Mistake:
    seen = f"Shape {tuple(found.shape)}; asked is {tuple(right.shape)}."
    if found.shape == (_UNITS, 784):
        return Mistake("not_squares", "Each unit's weights are still one long row.", "Reshape them to 28x28.", seen)
    if found.ndim == 3 and found.shape[1:] == (28, 28) and len(found) != _UNITS:
        return Mistake(
            "some_units_only", "Not all units of the layer are there.", "Take all rows of the weights, whatever their number.", seen
        )
    if found.ndim == 2 and found.shape == (28, 28):
        return Mistake("some_units_only", "There is only one picture; the layer has more units.", "Take all rows of the weights.", seen)
    if found.shape != right.shape:
        return Mistake(
            "other_shape", "The pictures have another shape than units, 28, 28.", "weight.reshape(-1, 28, 28), with the unit first.", seen
        )
    if torch.allclose(found, given["second"].t().reshape(_UNITS, 28, 28).double()) or torch.allclose(
        found, given["second"].reshape(_UNITS, 28, 28).double()
    ):
        return Mistake(
            "second_layer",
            "These are the weights of the second layer.",
            "Take model.fc1, which looks at the pixels.",
            "Compared with both layers.",
        )
    if torch.allclose(found, right.transpose(1, 2)):
        return Mistake(
            "turned", "Rows and columns of the pictures have changed places.", "Reshape, and do not transpose.", "Each picture is mirrored."
        )
    if torch.allclose(found, right.abs()) or (found >= 0).all():
        return Mistake(
            "signs_lost",
            "The signs are lost: what speaks against looks like what speaks for.",
            "Take the weights as they are, negative ones too.",
            f"The lowest value is {found.min():.2f}.",
        )
    if torch.allclose(found, given["first"].t().reshape(_UNITS, 28, 28).double()):
        return Mistake(
            "mixed_units",
            "Each picture holds weights of many units.",
            "fc1.weight is units x pixels already: reshape it without .t().",
            "The first picture is not the first row.",
        )
    return Mistake(
        "other_weights",
        "These are not the weights of the first layer as they are.",
        "Only reshape them; change no number.",
        f"From {found.min():.2f} to {found.max():.2f}; the weights: {right.min():.2f} to {right.max():.2f}.",
    )
