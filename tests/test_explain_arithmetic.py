"""One number of a layer, taken apart: what goes in times the weights plus the bias is exactly what PyTorch gave, for each kind of layer."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import handlens as hl
from handlens.errors import UsageError

GIVEN = np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "cnn": lambda: hl.models.CNN(channels=(4, 6), batch_norm=True, seed=1),
    "cnn with mean pools": lambda: hl.models.CNN(channels=(3, 5), pooling="average", padding="same", seed=1),
    "cnn with strides": lambda: hl.models.CNN(channels=(3, 5), pooling="stride", kernel_size=(5, 3), seed=1),
    "mlp": lambda: hl.models.MLP(hidden_sizes=(9, 7), seed=1),
    "softmax": lambda: hl.models.SoftmaxRegression(seed=1),
    "mirrored rim": lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.Flatten()),
    "groups": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3, padding="same", dilation=2), nn.Conv2d(4, 8, 3, groups=2, stride=2), nn.MaxPool2d(3, 2, 1), nn.Flatten()
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_parts_add_up_to_what_the_layer_gave(name: str) -> None:
    torch.manual_seed(1)
    model = NETWORKS[name]()
    for layer, values in hl.explain.activations(model, GIVEN).layers.items():
        places = list(itertools.product(*(sorted({0, size // 2, size - 1}) for size in values.shape[1:])))
        for place in places:
            found = hl.explain.arithmetic(model, GIVEN, layer, place)
            expected = float(values[(0, *place)])
            assert found.value == pytest.approx(expected)
            if found.weights is not None:
                assert float((found.inputs * found.weights).sum()) + found.bias == pytest.approx(expected, abs=1e-4), (layer, place)
                assert sum(found.sums) + found.bias == pytest.approx(expected, abs=1e-4)
            elif found.kind == "MaxPool2d":
                assert found.inputs.max() == pytest.approx(expected)
            elif found.kind == "AvgPool2d":
                assert found.inputs.mean() == pytest.approx(expected, abs=1e-6)


def test_the_inputs_of_a_first_linear_layer_are_the_image_and_of_a_later_one_the_maps_before_it() -> None:
    assert hl.explain.arithmetic(hl.models.MLP(hidden_sizes=(9,), seed=1), GIVEN, "layers.1", [0]).inputs.shape == (1, 28, 28)
    cnn = hl.models.CNN(channels=(4,), hidden_sizes=(8,), seed=1)
    assert [hl.explain.arithmetic(cnn, GIVEN, name, [0]).inputs.shape for name in ("layers.4", "layers.6")] == [(4, 14, 14), (1, 1, 8)]


def test_a_place_or_layer_that_is_not_there_is_told() -> None:
    model = hl.models.CNN(channels=(4,), seed=1)
    for place in ([4, 0, 0], [0, 0], [0, 99, 0], [-1, 0, 0]):
        with pytest.raises(UsageError, match="has no place"):
            hl.explain.arithmetic(model, GIVEN, "layers.0", place)
    with pytest.raises(UsageError, match=r"no layer 'layers\.99'"):
        hl.explain.arithmetic(model, GIVEN, "layers.99", [0])


def test_units_that_are_switched_off_give_zeros_and_only_inside_the_with() -> None:
    model = hl.models.CNN(channels=(4, 6), seed=1)
    before = hl.explain.activations(model, GIVEN).layers
    with hl.explain.switched_off(model, {"layers.0": [1, 3]}):
        during = hl.explain.activations(model, GIVEN).layers
    after = hl.explain.activations(model, GIVEN).layers
    assert not during["layers.0"][0, [1, 3]].any()
    assert np.array_equal(during["layers.0"][0, [0, 2]], before["layers.0"][0, [0, 2]])
    assert not np.array_equal(during["layers.3"], before["layers.3"])
    assert all(np.array_equal(after[name], before[name]) for name in before)
    with pytest.raises(UsageError, match="units 0 to 3"), hl.explain.switched_off(model, {"layers.0": [4]}):
        hl.explain.activations(model, GIVEN)
