import inspect
import math
import threading
from typing import Any

import pytest
import torch
from torch import nn

from handlens import models
from handlens.errors import ModelError

MNIST_CLASSES = tuple("0123456789")


def test_the_sessions_network_has_its_layers_and_109386_parameters() -> None:
    model = models.MLP(hidden_sizes=(128, 64))
    assert models.count_parameters(model) == 109_386 == 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10
    assert [layer.output_shape for layer in models.summary(model, (1, 28, 28))] == [(784,), (128,), (128,), (64,), (64,), (10,)]
    assert sum(layer.parameters for layer in models.summary(model, (1, 28, 28))) == 109_386


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_takes_bytes_or_fractions_and_returns_one_score_a_class(name: str) -> None:
    model = models.build(name, in_channels=3, image_size=9, num_classes=7, mean=0.3, std=0.2, seed=1).eval()
    images = torch.randint(0, 256, (5, 3, 9, 9), dtype=torch.uint8)
    assert model(images).shape == (5, 7)
    assert torch.equal(model(images), model(images.float() / 255))


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_can_be_made_again_from_its_options(name: str) -> None:
    model = models.build(name, image_size=6, mean=0.1, std=0.4, seed=3, hidden_sizes=(5,), dropout=0.5, batch_norm=True)
    again = models.build(name, **model.options)
    again.load_state_dict(model.state_dict())
    images = torch.rand(4, 1, 6, 6)
    assert torch.equal(model.eval()(images), again.eval()(images))


@pytest.mark.parametrize("name", models.MODELS)
def test_the_knobs_of_a_model_are_those_of_its_constructor(name: str) -> None:
    parameters = inspect.signature(models.MODELS[name]).parameters.values()
    assert models.KNOBS[name] == tuple(parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD)


def test_the_seed_alone_decides_the_first_weights_and_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = models.MLP(seed=5)
    assert torch.equal(torch.rand(3), expected)
    second, other = models.MLP(seed=5), models.MLP(seed=6)
    assert all(torch.equal(one, two) for one, two in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(next(first.parameters()), next(other.parameters()))


def test_normalisation_is_part_of_the_network_and_of_its_state() -> None:
    plain = models.SoftmaxRegression(seed=0)
    shifted = models.SoftmaxRegression(seed=0, mean=0.25, std=0.5)
    images = torch.rand(2, 1, 28, 28)
    assert torch.allclose(shifted(images), plain((images - 0.25) / 0.5), atol=1e-5)
    assert {"mean", "std"} <= shifted.state_dict().keys()


def test_dropout_and_batch_norm_stand_in_each_hidden_block() -> None:
    kinds = [type(layer) for layer in models.MLP((8, 4), dropout=0.1, batch_norm=True, activation="tanh").layers]
    block = [nn.Linear, nn.BatchNorm1d, nn.Tanh, nn.Dropout]
    assert kinds == [nn.Flatten, *block, *block, nn.Linear]


@pytest.mark.parametrize(
    "options, said",
    [
        ({"hidden_sizes": (8, 0)}, "hidden_sizes cannot have a 0"),
        ({"dropout": 1.0}, "dropout of 1.0"),
        ({"activation": "rleu"}, "'relu'"),
        ({"num_clases": 3}, "'num_classes'"),
        ({"num_classes": 0}, "num_classes is 0"),
        ({"std": 0.0}, "std is 0.0"),
        ({"hidden_sizes": 128}, r"hidden_sizes=\(128,\)"),
        ({"hidden_sizes": "abc"}, "hidden_sizes cannot be 'abc'"),
        ({"hidden_sizes": (8, 4.5)}, r"hidden_sizes cannot be \(8, 4.5\)"),
        ({"dropout": "0.1"}, "dropout of 0.1"),
        ({"num_classes": "ten"}, "num_classes cannot be 'ten'"),
        ({"image_size": 7.5}, "image_size cannot be 7.5"),
    ],
)
def test_impossible_options_are_refused_in_words(options: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        models.MLP(**options)  # type: ignore[arg-type]


def test_a_misspelt_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="Did you mean 'softmax'"):
        models.build("sotfmax")


def test_predicting_leaves_each_layer_in_its_mode_and_no_gradients() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Dropout(0.9), nn.BatchNorm1d(3))
    model.train()
    model[3].eval()
    logits = models.predict_logits(model, torch.rand(2500, 1, 2, 2))
    assert logits.shape == (2500, 3)
    assert not logits.requires_grad
    assert [module.training for module in model] == [True, True, True, False]


def test_prediction_in_chunks_equals_prediction_at_once() -> None:
    model = models.MLP(seed=0)
    images = torch.randint(0, 256, (23, 1, 28, 28), dtype=torch.uint8)
    assert torch.allclose(models.predict_logits(model, images, batch_size=5), models.predict_logits(model, images), atol=1e-6)


def test_the_layer_table_counts_parameters_that_no_layer_owns_and_layers_used_twice_once() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4))
            self.inner = nn.Linear(4, 4)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            once: torch.Tensor = self.inner(images.flatten(1) * self.scale)
            twice: torch.Tensor = self.inner(once)
            return twice

    layers = models.summary(Own(), (1, 2, 2))
    assert {layer.name: layer.parameters for layer in layers} == {"inner": 20, "Own": 4}


def test_a_network_that_does_not_fit_the_images_says_both_shapes() -> None:
    with pytest.raises(ModelError, match="3x32x32") as caught:
        models.check_fits(models.MLP(), torch.rand(2, 3, 32, 32), MNIST_CLASSES)
    assert "3072" in str(caught.value)


@pytest.mark.parametrize("outputs", [9, 12])
def test_a_class_count_that_does_not_fit_is_said_with_both_numbers(outputs: int) -> None:
    with pytest.raises(ModelError, match=rf"returns 2x{outputs} .* 10 classes"):
        models.check_fits(models.MLP(num_classes=outputs), torch.rand(2, 1, 28, 28), MNIST_CLASSES)


def test_a_softmax_at_the_end_is_remarked_with_the_loss_it_cannot_go_below() -> None:
    model = nn.Sequential(models.MLP(), nn.Softmax(dim=1))
    remark = models.check_fits(model, torch.rand(4, 1, 28, 28), MNIST_CLASSES)
    assert "softmax" in remark
    assert f"{math.log(math.e + 9) - 1:.2f}" in remark
    perfect = torch.zeros(1, 10)
    perfect[0, 3] = 1.0
    assert nn.functional.cross_entropy(perfect, torch.tensor([3])).item() == pytest.approx(math.log(math.e + 9) - 1)


def test_networks_that_are_right_are_not_remarked() -> None:
    images = torch.rand(4, 1, 28, 28)
    assert models.check_fits(models.MLP(), images, MNIST_CLASSES) == ""
    assert models.check_fits(nn.Sequential(models.MLP(), nn.LogSoftmax(dim=1)), images, MNIST_CLASSES) == ""


def test_a_network_with_nothing_to_learn_is_refused() -> None:
    with pytest.raises(ModelError, match="nothing to learn"):
        models.check_fits(nn.Flatten(), torch.rand(2, 1, 2, 5), MNIST_CLASSES)


def test_layers_that_are_found_may_stand_in_a_list_too_and_those_of_a_class_without_a_file_are_told_without_a_line() -> None:
    class Listed(nn.Module):
        def __init__(self, first: nn.Module) -> None:
            super().__init__()
            self.layers = nn.ModuleList([first])
            self.order = [first]

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.order[0](images)
            return logits

    images = torch.rand(2, 1, 28, 28)
    assert models.check_fits(Listed(models.MLP()), images, MNIST_CLASSES) == ""
    with pytest.raises(ModelError, match="ModuleList has no forward") as told:
        models.predict_logits(nn.ModuleList([models.MLP()]), images)
    assert told.value.where == ""


CNNS: list[tuple[dict[str, Any], list[tuple[int, ...]]]] = [
    ({}, [(32, 28, 28), (32, 14, 14), (64, 14, 14), (64, 7, 7), (3136,), (128,), (10,)]),
    (
        {"channels": (4, 8), "kernel_size": (5, 3), "padding": "none"},
        [(4, 24, 24), (4, 12, 12), (8, 10, 10), (8, 5, 5), (200,), (128,), (10,)],
    ),
    (
        {"channels": (4, 8), "kernel_size": (5, 3), "padding": ("none", "same"), "pooling": ("stride", "early")},
        [(4, 12, 12), (8, 12, 12), (8, 6, 6), (288,), (128,), (10,)],
    ),
    ({"channels": (4,), "pooling": "stride", "hidden_sizes": ()}, [(4, 14, 14), (784,), (10,)]),
    ({"channels": (4, 4), "image_size": 9, "in_channels": 3, "num_classes": 2}, [(4, 9, 9), (4, 4, 4), (4, 2, 2), (16,), (128,), (2,)]),
    ({"channels": (4,), "kernel_size": (2,), "batch_norm": True, "dropout": 0.5}, [(4, 29, 29), (4, 14, 14), (784,), (128,), (10,)]),
]


@pytest.mark.parametrize("options, sizes", CNNS)
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_cnn_computes_all_sizes_between(options: dict[str, Any], sizes: list[tuple[int, ...]], pooling: str) -> None:
    model = models.CNN(**{"pooling": pooling, **options})
    shape = (options.get("in_channels", 1), options.get("image_size", 28), options.get("image_size", 28))
    shapes = [layer.output_shape for layer in models.summary(model, shape)]
    assert list(dict.fromkeys(shapes)) == sizes
    assert models.build("cnn", **model.options).state_dict().keys() == model.state_dict().keys()


def test_the_sessions_cnn_is_the_one_of_its_hints() -> None:
    hints = nn.Sequential(
        nn.Conv2d(in_channels=1, out_channels=32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=2),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    ours = models.CNN(seed=1)
    hints.load_state_dict(ours.layers.state_dict())
    images = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    assert torch.equal(ours(images), hints(images))


@pytest.mark.parametrize(
    "options, said",
    [
        ({"channels": (4,) * 6}, "leaves nothing of an image that is 1x1"),
        ({"channels": (4, 4), "kernel_size": (25,), "padding": "none"}, "leaves nothing of an image that is 2x2"),
        ({"kernel_size": (3, 3, 3)}, "3 values do not go with 2 blocks"),
        ({"channels": 32}, r"channels=\(32,\)"),
        ({"pooling": "maxx"}, "Did you mean 'max'"),
        ({"padding": "sane"}, "Did you mean 'same'"),
        ({"padding": ("same", "none", "same")}, "3 values do not go with 2 blocks"),
        ({"activation": "relo"}, "Did you mean 'relu'"),
    ],
)
def test_an_impossible_cnn_is_refused_in_words(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        models.CNN(**options)


@pytest.mark.parametrize("depth, size", [(8, 28), (8, 32), (20, 28), (8, 9)])
def test_a_resnets_depth_is_the_number_of_its_layers(depth: int, size: int) -> None:
    model = models.ResNet(depth, width=4, image_size=size, in_channels=3, seed=1)
    counted = [layer for layer in models.summary(model, (3, size, size)) if layer.kind.startswith(("Conv2d", "Linear"))]
    shortcuts = [layer for layer in counted if "shortcut" in layer.name]
    assert len(counted) - len(shortcuts) == depth
    assert len(shortcuts) == 2  # where the image is halved
    stages = [layer.output_shape for layer in models.summary(model, (3, size, size)) if layer.name.endswith("activation")]
    half, quarter = -(-size // 2), -(-size // 4)
    assert list(dict.fromkeys(stages)) == [(4, size, size), (8, half, half), (16, quarter, quarter)]


def test_a_residual_block_adds_to_its_input() -> None:
    block = models.ResidualBlock(3, 3, stride=1)
    for weights in block.convolutions.parameters():
        weights.data.zero_()
    features = torch.rand(2, 3, 5, 5)
    assert torch.equal(block(features), features)


@pytest.mark.parametrize("depth, nearest", [(18, 20), (1, 8), (9, 8), (50, 50)])
def test_a_resnet_of_another_depth_is_refused_with_the_nearest(depth: int, nearest: int) -> None:
    if depth == nearest:
        models.ResNet(depth, width=1)
        return
    with pytest.raises(ModelError, match=f"the nearest is {nearest}"):
        models.ResNet(depth)


class Disordered(nn.Module):
    """The layer that gives the logits is defined first; one is used twice; one comes after the logits, and one in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 4)
        self.shared = nn.Linear(8, 8)
        self.first = nn.Linear(64, 8)
        self.rebuilding = nn.Linear(8, 64)
        self.auxiliary = nn.Linear(8, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden = self.shared(self.shared(input=self.first(images.flatten(1))))
        logits: torch.Tensor = self.head(input=hidden)
        self.rebuilding(hidden)
        return logits + self.auxiliary(hidden) if self.training else logits


class Homemade(nn.Module):
    """A fully connected layer of a learner's own."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.rand(before, after))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images @ self.matrix


class TwoHeads(nn.Module):
    """Two layers whose logits are added up; or the second's matrix without its layer."""

    def __init__(self, *, bare: bool) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 4), nn.Linear(64, 4)
        self.bare = nn.Parameter(torch.rand(4, 64)) if bare else None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        flat = images.flatten(1)
        added = self.second(flat) if self.bare is None else nn.functional.linear(flat, self.bare)
        logits: torch.Tensor = self.first(flat) + added
        return logits


@pytest.mark.parametrize(
    "model, last",
    [
        (Disordered(), "head"),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 8), Homemade(8, 4)), "2"),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.BatchNorm1d(4), nn.Softmax(1)), "1"),
        (nn.Sequential(nn.Conv2d(1, 6, 3), nn.Conv2d(6, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()), "1"),
        (nn.Sequential(nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(64, 4))), "1"),
        (nn.Sequential(nn.Flatten(), *[nn.Linear(64, 64)] * 2, nn.Unflatten(1, (4, 16)), nn.AdaptiveAvgPool1d(1), nn.Flatten()), "1"),
    ],
)
def test_the_last_layer_is_the_one_that_gives_the_logits(model: nn.Module, last: str) -> None:
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    name, layer = models.last_layer(model, (1, 8, 8))
    assert name == last
    features, name = models.features(model, images)
    assert name == last
    with torch.no_grad():
        after = layer(features.view(5, 6, 6, 6) if isinstance(layer, nn.Conv2d) else features)
        after = after.mean((2, 3)) if after.ndim == 4 else after.view(5, 4, -1).mean(2)
    if not isinstance(model, nn.Sequential) or not isinstance(model[-1], nn.Softmax):
        assert torch.allclose(after, models.predict_logits(model, images), atol=1e-5)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in model.modules())
    behind = [f"{name}." for name, module in model.named_children() if isinstance(module, nn.BatchNorm1d)]
    kept = {key for key, _ in model.named_parameters() if not key.startswith((f"{last}.", *behind))}
    assert set(models.before_last(model, (1, 8, 8))) == kept
    assert all(weights.grad is None for weights in model.parameters())


@pytest.mark.parametrize("bare", [False, True])
def test_a_network_whose_logits_come_from_several_places_has_no_last_layer(bare: bool) -> None:
    with pytest.raises(ModelError, match="TwoHeads has no last layer"):
        models.before_last(TwoHeads(bare=bare), (1, 8, 8))


def test_a_network_with_weights_of_its_own_is_given_the_pixels_and_one_without_weights_has_no_last_layer() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pictures = nn.Parameter(torch.rand(64, 4))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1) @ self.pictures

    images = torch.rand(5, 1, 8, 8)
    found, name = models.features(Own(), images)
    assert name == "Own"
    assert torch.equal(found, images.flatten(1))
    with pytest.raises(ModelError, match="no layer with weights"):
        models.last_layer(nn.Flatten(), (1, 8, 8))


@pytest.mark.parametrize("affine", [True, False])
def test_a_batch_norm_behind_a_frozen_layer_stays_as_in_use(affine: bool) -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4, affine=affine), nn.Linear(4, 4), nn.BatchNorm1d(4, affine=affine), nn.Dropout())
    models.training_mode(model.append(nn.Linear(4, 2)))
    assert all(module.training for module in model)
    models.set_learning(model, models.before_last(model, (1, 2, 2)), False)
    models.training_mode(model)
    assert [module.training for module in model] == [True, False, True, False, True, True]
    models.set_learning(model, ["2.weight", "2.bias", "3.weight", "3.bias", "nobody"], True)
    models.training_mode(model)
    assert [module.training for module in model] == [True, not affine, True, True, True, True]


def test_weights_of_ones_own_that_are_frozen_leave_the_layers_below_in_training() -> None:
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(4), requires_grad=False)
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.Dropout())

    model = Shifted()
    models.training_mode(model)
    assert all(module.training for module in model.modules())


def test_an_image_alone_is_enough_for_a_batch_norm_of_maps_and_for_one_that_is_frozen() -> None:
    maps = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4))
    pooled = nn.Sequential(nn.Conv2d(1, 4, 8), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 4))
    units = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    for model, needs in ((maps, False), (pooled, True), (units, True)):
        assert models.needs_company(model, (1, 8, 8)) is needs
        if needs:
            with pytest.raises(ValueError, match="more than 1 value per channel"):
                model.train()(torch.rand(1, 1, 8, 8))
        else:
            model.train()(torch.rand(1, 1, 8, 8))
        models.set_learning(model, models.before_last(model, (1, 8, 8)), False)
        assert not models.needs_company(model, (1, 8, 8))


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_a_network_that_keeps_what_it_computed_is_copied_and_shares_nothing(norm: Any) -> None:
    model = nn.Sequential(nn.Flatten(), norm(nn.Linear(4, 3)))
    images = torch.rand(2, 1, 2, 2)
    model(images)
    copied = models.copied(model)
    with torch.no_grad():
        expected = models.predict_logits(model, images)
        for weights in model.parameters():
            weights.zero_()
    assert torch.allclose(models.predict_logits(copied, images), expected, atol=1e-6)
    copied(images).sum().backward()
    assert all(weights.grad is None for weights in model.parameters())


def test_a_network_that_cannot_be_copied_is_told_so_in_words() -> None:
    model = models.MLP()
    model.lock = threading.Lock()  # type: ignore[assignment]
    with pytest.raises(ModelError, match="MLP cannot be copied"):
        models.copied(model)


@pytest.mark.parametrize("name, idle, said", [("resnet", "dropout", "has depth, width, normalize"), ("softmax", "depth", "has normalize.")])
def test_a_knob_that_a_model_has_not_is_refused_with_those_that_it_has(name: str, idle: str, said: str) -> None:
    models.check_knobs(name, [*models.KNOBS[name], "normalize", "lr"])
    with pytest.raises(ModelError, match=rf"{idle} has no effect: {name} has no such knob") as told:
        models.check_knobs(name, ["lr", idle])
    assert said in str(told.value)
