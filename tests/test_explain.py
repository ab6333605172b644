"""What a network has learned and what its answers hang on: equal to captum and scikit-learn, of our networks and of a learner's."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.decomposition
import torch
from PIL import Image
from small import small_data
from torch import Tensor, nn
from torch.nn import functional as F

import handlens as hl
from handlens import explain, models
from handlens.data.batches import batches
from handlens.errors import DataDamaged, DataMissing, HandlensError, ModelError, UsageError


def trained(model: nn.Module, epochs: int = 6) -> nn.Module:
    """A network that has learned the columns."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(epochs):
        for images, labels in batches(small_data().train, 16, seed=epoch):
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


class Own(nn.Module):
    """As a learner writes it: functions in forward, one of them in place, a ReLU used twice, and a branch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.hidden = nn.Linear(96, 12)
        self.out = nn.Linear(12, 4)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.relu(self.first((images - 0.3) / 0.3))
        maps = F.relu(self.second(maps) + maps, inplace=True)
        features = self.relu(self.hidden(F.max_pool2d(maps, 2).view(len(images), -1)))
        logits: Tensor = self.out(features)
        return logits


@pytest.fixture(scope="module")
def networks() -> dict[str, nn.Module]:
    task: dict[str, Any] = {"image_size": 8, "num_classes": 4, "seed": 1}
    torch.manual_seed(0)
    return {
        "mlp": trained(models.MLP((16, 8), **task)),
        "cnn": trained(models.CNN((6, 8), hidden_sizes=(16,), batch_norm=True, mean=0.3, std=0.3, **task)),
        "resnet": trained(models.ResNet(8, width=4, **task)),
        "own": trained(Own()),
    }


@pytest.fixture(scope="module")
def images() -> Tensor:
    return small_data().test.images[:12]


@pytest.fixture(scope="module")
def captum() -> Any:
    return pytest.importorskip("captum.attr")


KINDS = ("mlp", "cnn", "resnet", "own")
WITH_CONVOLUTION = KINDS[1:]
METHODS = (explain.saliency, explain.integrated_gradients, explain.occlusion)


def pixels(images: Tensor) -> Tensor:
    return images.float() / 255


@pytest.mark.parametrize("kind", KINDS)
def test_saliency_is_captums(captum: Any, networks: dict[str, nn.Module], images: Tensor, kind: str) -> None:
    found = explain.saliency(networks[kind], images)
    with pytest.warns(UserWarning, match="required_grads"):
        theirs = captum.Saliency(networks[kind]).attribute(pixels(images), torch.from_numpy(found.targets))
    np.testing.assert_allclose(found.maps, theirs.amax(1).detach().numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_integrated_gradients_are_captums_and_sum_to_the_difference_of_the_logits(
    captum: Any, networks: dict[str, nn.Module], images: Tensor, kind: str
) -> None:
    found = explain.integrated_gradients(networks[kind], images, 2)
    theirs = captum.IntegratedGradients(networks[kind]).attribute(pixels(images), target=2, n_steps=50)
    np.testing.assert_allclose(found.maps, theirs.sum(1).detach().numpy(), rtol=1e-3, atol=1e-4)
    fine = explain.integrated_gradients(networks[kind], images, 2, steps=400)
    black = models.predict_logits(networks[kind], torch.zeros_like(images))[:, 2].numpy()
    difference = found.logits[:, 2] - black
    np.testing.assert_allclose(fine.maps.sum(axis=(1, 2)), difference, atol=0.01 * float(np.abs(difference).max()))


@pytest.mark.parametrize("kind", WITH_CONVOLUTION)
def test_gradcam_is_captums_in_any_layer(captum: Any, networks: dict[str, nn.Module], images: Tensor, kind: str) -> None:
    model = networks[kind]
    convolutions = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    for name in [explain.last_maps(model, pixels(images)), *(convolutions if kind != "own" else ())]:
        found = explain.gradcam(model, images, 1, layer=name)
        theirs = captum.LayerGradCam(model, model.get_submodule(name)).attribute(pixels(images), 1, relu_attributions=True)
        theirs = F.interpolate(theirs, images.shape[2:], mode="bilinear", align_corners=False)[:, 0].detach()
        np.testing.assert_allclose(found.maps, theirs.numpy(), rtol=1e-4, atol=1e-6)
        assert found.layer == name
        assert found.maps.min() >= 0


def test_gradcam_looks_behind_the_last_convolution_by_default(networks: dict[str, nn.Module], images: Tensor) -> None:
    layers = {kind: explain.gradcam(networks[kind], images).layer for kind in WITH_CONVOLUTION}
    assert layers == {"cnn": "layers.6", "resnet": "layers.5.activation", "own": "second"}
    assert isinstance(networks["cnn"].get_submodule("layers.6"), nn.ReLU)
    with pytest.raises(UsageError, match="has no convolution"):
        explain.gradcam(networks["mlp"], images)
    with pytest.raises(UsageError, match="gives no maps"):
        explain.gradcam(networks["own"], images, layer="out")
    with pytest.raises(UsageError, match=r"no layer 'secund'.\nDid you mean 'second'"):
        explain.gradcam(networks["own"], images, layer="secund")


def test_what_is_written_over_a_convolution_changes_nothing(networks: dict[str, nn.Module], images: Tensor) -> None:
    over, apart = networks["own"], Own()
    apart.load_state_dict(over.state_dict())
    apart.relu = nn.ReLU()
    found, expected = (explain.gradcam(model, images, layer="first").maps for model in (over, apart))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert found.max() > 0


@pytest.mark.parametrize("last", ["relu", "convolution"])
def test_gradcam_looks_at_the_right_one_of_several_uses_of_a_layer(images: Tensor, last: str) -> None:
    relu, convolution = nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1)
    after = [relu] if last == "relu" else []
    maps = [nn.Conv2d(1, 3, 3), relu, convolution, *after, convolution, *after]
    model = nn.Sequential(*maps, nn.Flatten(), nn.Linear(108, 8), relu, nn.Linear(8, 4))
    apart = nn.Sequential(*map(copy.deepcopy, maps), *[*model][len(maps) :])
    found, expected = explain.gradcam(model, images), explain.gradcam(apart, images)
    assert (found.layer, expected.layer) == (("1#3", "5") if last == "relu" else ("2#2", "3"))
    np.testing.assert_allclose(found.maps, expected.maps, rtol=1e-5, atol=1e-7)
    first, expected = explain.gradcam(model, images, layer="2"), explain.gradcam(apart, images, layer="2")
    np.testing.assert_allclose(first.maps, expected.maps, rtol=1e-5, atol=1e-7)
    with pytest.raises(UsageError, match="does not use this Conv2d as a layer 3 times"):
        explain.gradcam(model, images, layer="2#3")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window, stride", [(2, 1), (3, 2), (4, 4), (8, 8)])
def test_occlusion_is_captums(captum: Any, networks: dict[str, nn.Module], images: Tensor, kind: str, window: int, stride: int) -> None:
    found = explain.occlusion(networks[kind], images, 3, window=window, stride=stride)
    theirs = captum.Occlusion(networks[kind]).attribute(pixels(images), (1, window, window), (1, stride, stride), target=3)
    np.testing.assert_allclose(found.maps, theirs[:, 0].detach().numpy(), rtol=1e-3, atol=1e-4)


def test_a_trained_network_looks_at_the_column_that_makes_the_class(networks: dict[str, nn.Module], images: Tensor) -> None:
    """Class k of the small data is a bright column at k."""
    for kind in ("mlp", "cnn"):
        for method in (explain.integrated_gradients, explain.occlusion):
            found = method(networks[kind], images)
            assert (found.maps.sum(axis=1).argmax(axis=1) == found.targets).mean() > 0.7, (kind, method)


def test_maps_of_many_images_are_those_of_each_and_the_network_is_left_as_it_was(networks: dict[str, nn.Module]) -> None:
    many, model = small_data().train.images[:120], networks["cnn"].train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for method in (*METHODS, explain.gradcam):
        found = method(model, many)
        assert found.maps.shape == (120, 8, 8)
        np.testing.assert_allclose(method(model, many[117]).maps[0], found.maps[117], rtol=1e-3, atol=1e-5)
    assert model.training
    assert all(module.training for module in model.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    model.eval()


def test_the_target_is_what_is_predicted_or_what_is_chosen(networks: dict[str, nn.Module], images: Tensor) -> None:
    model = networks["mlp"]
    found = explain.saliency(model, images)
    assert found.targets.tolist() == models.predict_logits(model, images).argmax(1).tolist() == found.predictions.tolist()
    each = explain.saliency(model, images[:2], [3, 0])
    np.testing.assert_allclose(each.maps[1], explain.saliency(model, images[1], 0).maps[0], rtol=1e-4, atol=1e-7)
    none = ([-1] + [3] * 11, "no class -1.\nThe classes are 0 to 3")
    for bad, said in (([1], "1 target classes for 12"), (4, "no class 4"), (-1, "no class -1"), none):
        with pytest.raises(UsageError, match=said):
            explain.saliency(model, images, bad)


@pytest.mark.parametrize("bad", [np.zeros((0, 1, 8, 8)), np.zeros(8), np.zeros((1, 1, 1, 8, 8))])
def test_what_is_no_image_is_said_in_words(networks: dict[str, nn.Module], bad: Any) -> None:
    for method in (*METHODS, explain.gradcam, explain.activations):
        with pytest.raises(UsageError, match="cannot be explained"):
            method(networks["cnn"], bad)


def test_images_that_do_not_fit_and_options_that_cannot_be_are_said_in_words(networks: dict[str, nn.Module], images: Tensor) -> None:
    with pytest.raises(ModelError, match="does not accept images of shape 1x9x9"):
        explain.saliency(networks["mlp"], torch.zeros(1, 9, 9))
    with pytest.raises(UsageError, match="does not cover"):
        explain.occlusion(networks["mlp"], images, window=9)
    with pytest.raises(UsageError, match="steps lead nowhere"):
        explain.integrated_gradients(networks["mlp"], images, steps=0)
    with pytest.raises(UsageError, match="A str cannot be explained"):
        explain.saliency("latest", images)  # type: ignore[arg-type]


def test_weights_are_those_of_the_layer_that_sees_the_pixels(networks: dict[str, nn.Module]) -> None:
    found = explain.weights(networks["mlp"], (1, 8, 8))
    model: Any = networks["mlp"]
    assert found.layer == "layers.1"
    assert torch.equal(torch.from_numpy(found.values).flatten(1), model.layers[1].weight)
    late = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(64, 5), nn.ReLU()), nn.Linear(5, 4))
    assert explain.weights(late, (1, 8, 8)).layer == "1.0"
    for model in (networks["cnn"], nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Flatten(), nn.Linear(64, 4))):
        with pytest.raises(UsageError, match="no linear layer whose inputs are the 64"):
            explain.weights(model, (1, 8, 8))


def test_filters_are_of_the_first_convolution_or_the_mean_over_the_channels_of_a_deeper_one(networks: dict[str, nn.Module]) -> None:
    model = networks["own"]
    first, second = explain.filters(model), explain.filters(model, "second")
    assert (first.layer, first.values.shape, first.input_channels) == ("first", (6, 1, 3, 3), 1)
    np.testing.assert_allclose(second.values[:, 0], model.get_submodule("second").weight.detach().mean(1).numpy(), rtol=1e-5)  # type: ignore[operator]
    assert explain.filters(models.CNN(in_channels=3)).values.shape == (32, 3, 3, 3)
    with pytest.raises(UsageError, match=r"'out' is a Linear, not a convolution.\nIts convolutions: first, second"):
        explain.filters(model, "out")
    with pytest.raises(UsageError, match="MLP has no convolution, so it has no filters"):
        explain.filters(networks["mlp"])


def test_activations_are_what_each_layer_and_each_function_gives(networks: dict[str, nn.Module], images: Tensor) -> None:
    model: Any = networks["own"]
    found = explain.activations(model, images[:3])
    assert list(found.layers) == ["first", "relu", "second", "add", "relu#2", "max_pool2d", "hidden", "relu#3", "out"]
    with torch.no_grad():
        first = model.first((pixels(images[:3]) - 0.3) / 0.3)
        second = model.second(first.relu())
    np.testing.assert_allclose(found.of("first"), first.numpy(), rtol=1e-5)
    np.testing.assert_allclose(found.of("second"), second.numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.of("relu#2"), (second + first.relu()).relu().numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.of("out"), models.predict_logits(model, images[:3]).numpy(), rtol=1e-5)
    with pytest.raises(UsageError, match="no layer 'secund' that changes the image"):
        found.of("secund")


def test_features_are_what_goes_into_the_last_layer(networks: dict[str, nn.Module], images: Tensor) -> None:
    model: Any = networks["own"]
    found, layer = explain.features(model, images)
    assert layer == "out"
    np.testing.assert_allclose(model.out(torch.from_numpy(found)).detach().numpy(), models.predict_logits(model, images).numpy(), rtol=1e-4)
    with pytest.raises(ModelError, match="no layer with weights"):
        explain.features(nn.Flatten(), images)


@pytest.mark.parametrize("shape", [(40, 7), (5, 30), (6, 1)])
def test_pca_is_scikit_learns(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    points, explained = explain.pca(values)
    theirs = sklearn.decomposition.PCA(min(2, shape[1])).fit(values)
    expected = theirs.transform(values)
    signs = np.sign((points[:, : expected.shape[1]] * expected).sum(axis=0))
    np.testing.assert_allclose(points[:, : expected.shape[1]], expected * signs, atol=1e-8)
    np.testing.assert_allclose(explained[: expected.shape[1]], theirs.explained_variance_ratio_, atol=1e-8)


@pytest.mark.parametrize("method", explain.METHODS)
def test_an_embedding_keeps_the_classes_apart_and_is_the_same_each_time(networks: dict[str, nn.Module], method: str) -> None:
    split = small_data().test
    found = explain.embedding(networks["cnn"], split, method, count=60)
    assert found.points.shape == (60, 2)
    assert np.isfinite(found.points).all()
    np.testing.assert_array_equal(found.points, explain.embedding(networks["cnn"], split, method, count=60).points)
    distances = np.linalg.norm(found.points[:, None] - found.points[None], axis=2) + np.eye(60) * 1e9
    assert (found.labels[distances.argmin(axis=1)] == found.labels).mean() > 0.8
    assert found.mistakes.tolist() == np.flatnonzero(found.labels != found.predictions).tolist()


@pytest.mark.parametrize("method", explain.METHODS)
@pytest.mark.parametrize("spread", [0.0, 1e-12])
def test_a_network_that_says_the_same_to_every_image_lays_them_on_one_point(method: str, spread: float) -> None:
    model = models.MLP((8,), image_size=8, num_classes=4, seed=1)
    with torch.no_grad():
        next(model.parameters()).mul_(spread)
    found = explain.embedding(model, small_data().test, method)
    assert np.isfinite(found.points).all()
    assert np.abs(found.points).max() < 1e-3
    assert found.show().axes


def test_what_cannot_be_laid_out_is_said_in_words(networks: dict[str, nn.Module]) -> None:
    split = small_data().test
    with pytest.raises(UsageError, match="Did you mean 'tsne'"):
        explain.embedding(networks["mlp"], split, "t-sne")
    with pytest.raises(UsageError, match="2 images cannot be laid out"):
        explain.embedding(networks["mlp"], split.subset(torch.arange(2)))


def killed(layer: int = 1) -> models.MLP:
    """Of 16 units of the first layer, 5 never fire: their bias is far below zero."""
    model = models.MLP((16, 8), image_size=8, num_classes=4, seed=1)
    linear: Any = model.layers[layer]
    with torch.no_grad():
        linear.bias[:5] = -1e3
    return model


def test_dead_units_are_counted_and_said() -> None:
    found = explain.health(killed(), small_data().test)
    alive = explain.activations(killed(), small_data().test.images).of("layers.2").any(axis=0)
    assert found.dead[0].dead == int((~alive).sum()) >= 5
    assert (found.dead[0].layer, found.dead[0].units, found.images) == ("layers.2", 16, 80)
    assert any(f"Of 16 units behind layers.2 {found.dead[0].dead} are dead" in sentence for sentence in found.findings)


def test_dead_channels_of_a_function_are_counted_too(networks: dict[str, nn.Module]) -> None:
    found = {one.layer: one.units for one in explain.health(networks["own"], small_data().test).dead}
    assert found == {"relu": 6, "relu#2": 6, "relu#3": 12}


def test_gradients_are_those_of_the_loss_and_nothing_is_kept_of_them(networks: dict[str, nn.Module]) -> None:
    split, model = small_data().test, networks["mlp"]
    model.zero_grad()
    found = explain.health(model, split, batch=32)
    assert all(parameter.grad is None for parameter in model.parameters())
    F.cross_entropy(model(pixels(split.images[:32])), split.labels[:32]).backward()
    for one in found.layers:
        weights: Any = model.get_submodule(one.layer).weight
        values = weights.detach()
        assert one.weight_rms == pytest.approx(float(values.square().mean().sqrt()), rel=1e-4)
        assert one.gradient_rms == pytest.approx(float(weights.grad.square().mean().sqrt()), rel=1e-4)
        assert one.weights.sum() == one.gradients.sum() == weights.numel()
        assert one.weight_limit == pytest.approx(float(values.abs().max()))
    model.zero_grad()


def test_gradients_that_vanish_or_explode_are_said_and_healthy_ones_are_not(networks: dict[str, nn.Module]) -> None:
    split, task = small_data().test, {"image_size": 8, "num_classes": 4, "seed": 1}
    deep = models.MLP((16,) * 8, activation="sigmoid", **task)  # type: ignore[arg-type]
    assert "vanish" in explain.health(deep, split).findings[0]
    large = models.MLP((16,) * 6, **task)  # type: ignore[arg-type]
    with torch.no_grad():
        for number, weights in enumerate(large.parameters()):
            weights.mul_(0 if weights.ndim == 1 else 20 if number else 1e-9)
    assert any("explode" in sentence for sentence in explain.health(large, split).findings)
    for ruin in (math.nan, math.inf):
        ruined = models.MLP((4,), **task)  # type: ignore[arg-type]
        with torch.no_grad():
            next(ruined.parameters())[0, 0] = ruin
        assert "not a number" in explain.health(ruined, split).findings[0]
    for healthy in networks.values():
        assert not [sentence for sentence in explain.health(healthy, split).findings if "gradient" in sentence.lower()]
    leaky = models.MLP((32, 16), activation="leaky-relu", **task)  # type: ignore[arg-type]
    assert explain.health(leaky, split).findings == ["Nothing stands out."]


def test_the_graph_has_every_parameter_and_the_branch_of_a_residual_block() -> None:
    model = models.ResNet(8)
    found = explain.graph(model)
    assert sum(box.parameters for box in found.boxes) == models.count_parameters(model)
    assert [box.title for box in found.boxes[1:4]] == ["Conv 3×3, 16 → 16", "Conv 3×3, 16 → 16", "+"]
    assert found.boxes[3].inputs == (2, 0)
    assert found.boxes[6].title == "Conv 1×1, 16 → 32, stride 2"
    assert found.boxes[7].inputs == (5, 6)
    assert found.boxes[0].more == ("BatchNorm", "ReLU")
    assert found.boxes[-1].shape == (10,)


def test_long_networks_are_folded_and_others_are_not() -> None:
    assert [block.times for block in explain.graph(models.ResNet(20)).blocks] == [1, 3, 1, 2, 1, 2, 1, 1]
    assert [block.times for block in explain.graph(models.MLP((32,) * 7)).blocks] == [1, 1, 6, 1]
    assert [block.times for block in explain.graph(models.CNN()).blocks] == [1] * 5


def test_a_graph_that_nobody_could_read_is_refused_in_words() -> None:
    layers = [nn.Linear(1 + number % 2, 2 - number % 2) for number in range(250)]
    with pytest.raises(ModelError, match="A graph of 251 boxes cannot be read"):
        explain.graph(nn.Sequential(nn.Flatten(), *layers), (1, 1, 1))


def test_a_learners_graph_shows_functions_and_branches(networks: dict[str, nn.Module]) -> None:
    found = explain.graph(networks["own"], (1, 8, 8))
    assert [(box.title, *box.more) for box in found.boxes] == [
        ("Conv 3×3, 1 → 6", "ReLU"),
        ("Conv 3×3, 6 → 6",),
        ("+", "ReLU"),
        ("Max pool", "Flatten"),
        ("Linear, 96 → 12", "ReLU"),
        ("Linear, 12 → 4",),
    ]
    assert [box.inputs for box in found.boxes] == [(-1,), (0,), (1, 0), (2,), (3,), (4,)]
    with pytest.raises(ModelError, match="does not accept images"):
        explain.graph(networks["own"])


def test_what_leaves_a_layer_before_its_activation_is_drawn_so() -> None:
    class Early(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.norm = nn.Linear(64, 4), nn.Linear(4, 4), nn.BatchNorm1d(4)

        def forward(self, images: Tensor) -> Tensor:
            early: Tensor = self.first(images.flatten(1))
            total: Tensor = self.second(F.relu(self.norm(early))) + early
            return total

    boxes = explain.graph(Early(), (1, 8, 8)).boxes
    assert [(box.title, *box.more) for box in boxes] == [("Linear, 64 → 4",), ("BatchNorm", "ReLU"), ("Linear, 4 → 4",), ("+",)]
    assert boxes[3].inputs == (2, 0)


def test_a_run_is_explained_as_its_network(networks: dict[str, nn.Module]) -> None:
    data = small_data()
    run = hl.fit("cnn", data, epochs=1, channels=(4,), hidden_sizes=(8,), quiet=True)
    images = data.test.images[:3]
    np.testing.assert_array_equal(explain.gradcam(run, images).maps, explain.gradcam(run.model(), images).maps)
    assert explain.graph(run) == explain.graph(run.model(), (1, 8, 8))
    assert explain.filters(run).values.shape == (4, 1, 3, 3)
    for found in (explain.filters(run), explain.activations(run, images), explain.saliency(run, images), explain.graph(run)):
        assert found.show().axes
    assert explain.health(run, data.test).show().axes
    assert explain.embedding(run, data.test).show().axes


def test_a_picture_of_the_right_size_is_read_and_others_are_refused_in_words(tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(explain.read_picture(tmp_path / "grey.png", (1, 8, 8)), grey[None])
    assert explain.read_picture(tmp_path / "grey.png", (3, 8, 8)).shape == (3, 8, 8)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "half.png").write_bytes((tmp_path / "grey.png").read_bytes()[:45])
    cases: list[tuple[str, tuple[int, ...], type[HandlensError], str]] = [
        ("grey.png", (1, 9, 8), UsageError, "8x8 pixels; the network takes 8x9"),
        ("none.png", (1, 8, 8), DataMissing, "There is no picture"),
        ("text.png", (1, 8, 8), DataDamaged, "no picture that can be read: it is no picture of a kind that is read here"),
        ("half.png", (1, 8, 8), DataDamaged, "no picture that can be read"),
    ]
    for name, shape, kind, said in cases:
        with pytest.raises(kind, match=said):
            explain.read_picture(tmp_path / name, shape)
