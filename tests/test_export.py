"""What leaves the lab says what the run says, or is not kept; what comes back is the run."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch
from corpus import FULL
from small import small_data
from terminal import Terminal
from torch import Tensor, nn

import handlens as hl
from handlens.errors import FailedError, HandlensError, ModelError, RunDamaged, UsageError
from handlens.export import import_run, make_card, verify
from handlens.export.agreement import TOLERANCE, allowed
from handlens.export.subject import Subject
from handlens.models import MODELS

NETWORKS: dict[str, dict[str, Any]] = {
    "softmax": {},
    "mlp": {"hidden_sizes": (16,), "batch_norm": True, "dropout": 0.2},
    "cnn": {"channels": (4, 6), "kernel_size": (3,), "batch_norm": True, "hidden_sizes": (8,), "activation": "gelu"},
    "resnet": {"width": 4},
    "efficientnet": {"resize": 32},
}
FORMATS = ("onnx", "pt2", "safetensors")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, hl.Run]:
    """A small run of each network."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(folder))
        return {name: hl.fit(name, small_data(), name=name, epochs=1, quiet=True, **knobs) for name, knobs in NETWORKS.items()}


@pytest.fixture
def mlp(runs: dict[str, hl.Run]) -> hl.Run:
    return runs["mlp"]


def test_every_network_is_exported_here() -> None:
    assert NETWORKS.keys() == MODELS.keys()


@pytest.mark.parametrize("name", MODELS if FULL else [name for name in MODELS if name != "efficientnet"])  # which takes half a minute
def test_every_network_leaves_in_every_format_and_agrees(name: str, runs: dict[str, hl.Run]) -> None:
    for ending in FORMATS:
        made = hl.export(runs[name], f"out.{ending}")
        assert made.file.stat().st_size == made.size_bytes
        assert made.sha256 == hashlib.sha256(made.file.read_bytes()).hexdigest()
        assert made.agreement.largest <= TOLERANCE
        assert verify(runs[name], made.file) == made.agreement


def test_onnx_takes_raw_pixels_of_any_number_and_carries_classes_and_card(mlp: hl.Run) -> None:
    hl.export(mlp, "digits.onnx")
    session = onnxruntime.InferenceSession("digits.onnx")
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said["classes"]) == list(mlp.about.classes)
    assert said["card.md"].startswith("# Model card: mlp")
    assert json.loads(said["handlens.json"])["config"]["model"] == "mlp"
    images = small_data().test.images
    for count in (1, 7, 80):
        (logits,) = session.run(None, {"images": images[:count].numpy()})
        np.testing.assert_allclose(logits, hl.models.predict_logits(mlp.model(), images[:count]), atol=TOLERANCE)


def test_pt2_runs_without_the_class_and_carries_classes_and_card(mlp: hl.Run) -> None:
    hl.export(mlp, "digits.pt2")
    texts = {"classes": "", "card.md": "", "handlens.json": ""}
    program = torch.export.load("digits.pt2", extra_files=texts).module()
    images = small_data().test.images[:5]
    assert torch.allclose(program(images), hl.models.predict_logits(mlp.model(), images), atol=TOLERANCE)
    assert json.loads(texts["classes"]) == list(mlp.about.classes)
    assert "## Not to be used for" in texts["card.md"]


def test_safetensors_has_the_networks_own_names_and_bits(mlp: hl.Run) -> None:
    hl.export(mlp, "digits.safetensors")
    found, wanted = safetensors.torch.load_file("digits.safetensors"), mlp.model().state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def corrupt_onnx(content: bytes) -> bytes:
    model = onnx.load_model_from_string(content)
    weight = next(each for each in model.graph.initializer if each.name.endswith("weight"))
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[5] += 0.05
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    return bytes(model.SerializeToString())


def corrupt_bytes(content: bytes, weight: bytes) -> bytes:
    place = content.index(weight)
    return content[: place + 2] + bytes([content[place + 2] ^ 0x80]) + content[place + 3 :]


@pytest.mark.parametrize("ending", FORMATS)
def test_one_corrupted_weight_fails_the_check(ending: str, mlp: hl.Run) -> None:
    path = hl.export(mlp, f"out.{ending}").file
    weight = mlp.model().state_dict()["layers.1.weight"].numpy().tobytes()[:64]
    path.write_bytes(corrupt_onnx(path.read_bytes()) if ending == "onnx" else corrupt_bytes(path.read_bytes(), weight))
    with pytest.raises(FailedError, match=r"does not say what the run says|cannot read"):
        verify(mlp, path)


def test_logits_so_large_that_float32_rounds_more_are_exported_and_still_compared(mlp: hl.Run) -> None:
    from handlens.export import onnx_file

    subject = Subject(mlp)
    subject.network.load_state_dict(
        {name: 30 * tensor for name, tensor in subject.network.state_dict().items() if tensor.is_floating_point()}, strict=False
    )
    assert allowed(subject) > TOLERANCE
    content = onnx_file.build(subject)
    assert onnx_file.check(content, subject).largest <= allowed(subject)
    with pytest.raises(FailedError, match="does not say what the run says"):
        onnx_file.check(corrupt_onnx(content), subject)


def test_a_file_that_disagrees_is_not_kept(mlp: hl.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from handlens.export import onnx_file

    build = onnx_file.build
    monkeypatch.setattr(onnx_file, "build", lambda subject: corrupt_onnx(build(subject)))
    Path("out.onnx").write_text("what was there")
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises(FailedError, match="not kept"):
        hl.export(mlp, "out.onnx")
    assert sorted(Path.cwd().rglob("*")) == before
    assert Path("out.onnx").read_text() == "what was there"


def test_export_import_evaluate_gives_the_same_numbers(runs: dict[str, hl.Run], tmp_path: Path) -> None:
    for name in ("cnn", "resnet"):
        run = runs[name].use(dataset=small_data())
        hl.export(run, tmp_path / f"{name}.safetensors")
        back = import_run(tmp_path / f"{name}.safetensors", "back-" + name).use(dataset=small_data())
        again = import_run(run.folder, "again-" + name).use(dataset=small_data())
        for other in (back, again):
            assert other.evaluate("test").to_dict() == run.evaluate("test").to_dict()
            assert [row["val_loss"] for row in other.rows] == [row["val_loss"] for row in run.rows]
            assert (other.status, other.about.classes) == ("complete", run.about.classes)
        assert (back.folder / "card.md").read_text().startswith("# Model card")
        assert back.pointer.last == again.pointer.last


def test_a_parcel_in_which_any_byte_was_changed_is_refused_or_is_the_same(mlp: hl.Run, tmp_path: Path) -> None:
    whole = hl.export(mlp, "digits.safetensors").file.read_bytes()
    random = np.random.default_rng(1)
    header = 8 + int.from_bytes(whole[:8], "little")
    places = [*random.integers(0, header, 60).tolist(), *random.integers(header, len(whole), 60).tolist()]
    for number, place in enumerate(places):
        Path("flipped.safetensors").write_bytes(whole[:place] + bytes([whole[place] ^ (1 << number % 8)]) + whole[place + 1 :])
        try:
            back = import_run("flipped.safetensors", f"flip-{number}")
        except HandlensError:
            continue
        assert torch.equal(back.weights()["layers.1.weight"], mlp.weights()["layers.1.weight"])
        assert back.config == mlp.config
    assert not [*Path("runs").glob(".*")]


def test_what_cannot_become_a_run_is_refused_in_words(mlp: hl.Run) -> None:
    Path("weights.safetensors").write_bytes(safetensors.torch.save({"w": torch.zeros(2)}))
    Path("x.pt").write_bytes(b"PK")
    with pytest.raises(RunDamaged):
        import_run("weights.safetensors")
    with pytest.raises(UsageError, match="does not become a run"):
        import_run("x.pt")
    with pytest.raises(FailedError, match="There is no"):
        import_run("nothing.safetensors")
    hl.export(mlp, "digits.safetensors")
    import_run("digits.safetensors")
    with pytest.raises(UsageError, match="There is a run 'digits' already"):
        import_run("digits.safetensors")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["digits"]


class Plain(nn.Module):
    """A network as a learner writes it: functions in forward, no handlens in sight."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3, padding="same"), nn.Linear(4 * 16, 4)

    def forward(self, images: Tensor) -> Tensor:
        features = nn.functional.max_pool2d(torch.relu(self.conv(images)), 2)
        logits: Tensor = self.fc(features.view(images.shape[0], -1))
        return logits


class Counting(Plain):
    """It counts its images in a way that fixes their number."""

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.fc(nn.functional.max_pool2d(torch.relu(self.conv(images)), 2).view(len(images), -1))
        return logits


class Deciding(Plain):
    """Its way depends on the images' values."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images if images.mean() > 0.5 else images / 2)


def test_a_network_of_ones_own_leaves_as_far_as_the_format_allows() -> None:
    run = hl.fit(Plain(), small_data(), epochs=1, name="own", quiet=True)
    for ending in FORMATS:
        assert hl.export(run, f"own.{ending}").agreement.largest <= TOLERANCE
    back = import_run("own.safetensors", "back")
    assert hl.load_run("back", model=Plain(), data=small_data()).evaluate("test").accuracy == run.evaluate("test").accuracy
    with pytest.raises(ModelError, match="network of your own"):
        back.model()
    counting = hl.fit(Counting(), small_data(), epochs=1, name="counting", quiet=True)
    with pytest.raises(ModelError, match="only as many images") as told:
        hl.export(counting, "counting.onnx")
    assert "flatten(1)" in told.value.hint
    deciding = hl.fit(Deciding(), small_data(), epochs=1, name="deciding", quiet=True)
    with pytest.raises(ModelError, match="cannot become"):
        hl.export(deciding, "deciding.pt2")
    assert not Path("deciding.pt2").exists()
    assert hl.export(deciding, "deciding.safetensors").file.exists()


def test_a_learners_file_travels_as_text_and_is_not_run(tmp_path: Path, terminal: Terminal) -> None:
    code = "import pathlib\nfrom torch import nn\npathlib.Path('sentinel').touch()\n"
    code += "class Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(nn.Flatten(), nn.Linear(784, 10))\n"
    Path("net.py").write_text(code)
    terminal("train", "--model", str(tmp_path / "net.py:Net"), "--epochs", "1", "--examples", "500", "--name", "own")
    terminal("export", "own", "--format", "safetensors")
    Path("sentinel").unlink()
    Path("net.py").unlink()
    told = terminal("import", "own.safetensors", "--name", "sent") + terminal.err
    assert "was not run" in told
    assert not Path("sentinel").exists()
    sent = hl.load_run("sent")
    assert (sent.folder / "model.py").read_text() == code
    assert not [path for path in sent.folder.rglob("*") if path.is_file() and str(tmp_path).encode() in path.read_bytes()]
    assert (sent.config.model, "`net.py:Net`" in (sent.folder / "card.md").read_text()) == ("net.py:Net", True)
    with pytest.raises(ModelError, match="named by somebody else"):
        sent.model()
    assert not Path("sentinel").exists()


def test_no_folder_of_this_machine_leaves_with_a_network_that_began_with_another_ones_weights(
    runs: dict[str, hl.Run], tmp_path: Path
) -> None:
    first = runs["softmax"].folder.rename(tmp_path / "elsewhere")
    try:
        hl.fit("softmax", small_data(), name="second", epochs=1, quiet=True, init_from=str(first))
    finally:
        first.rename(runs["softmax"].folder)
    run = hl.load_run("second").use(dataset=small_data())
    assert str(tmp_path) in run.config.init_from
    for ending in ("safetensors", "onnx"):
        content = hl.export(run, f"second.{ending}").file.read_bytes()
        assert b"elsewhere" in content
        assert str(tmp_path).encode() not in content


def test_the_card_has_figures_of_the_run_and_nothing_else(mlp: hl.Run) -> None:
    run = mlp.use(dataset=small_data())
    card, found = make_card(run), run.evaluate("test")
    low, high = found.interval
    assert f"{found.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%}" in card
    assert f"{found.ece:.4f}" in card
    assert run.pointer.last.sha256 in card
    for words in ("## Recipe", "`batch_norm`", "## When the images change", "| rotate |", "## Not to be used for", "## How to repeat it"):
        assert words in card
    lost = make_card(hl.Run(run.folder))  # whose data are not given
    assert "Not measured on the test images" in lost


def test_formats_endings_and_missing_extras_are_told_in_words(mlp: hl.Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no format 'tflite'"):
        hl.export(mlp, "digits.tflite")
    with pytest.raises(UsageError, match="no format"):
        hl.export(mlp, "digits")
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(UsageError, match="onnxscript, which is not installed") as told:
        hl.export(mlp, "digits.onnx")
    assert told.value.hint == 'pip install "handlens[export]"'
    terminal("export", "nothing", code=4)
    assert not Path("digits.onnx").exists()


def test_int8_is_smaller_and_its_accuracy_is_measured_beside_the_float_one(
    runs: dict[str, hl.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    from handlens.export import quantize, quantized

    run = runs["cnn"].use(dataset=small_data())
    monkeypatch.setattr(quantized, "_MOST_LOST", 1.0)
    monkeypatch.setattr(logging.root.manager, "disable", logging.INFO)
    made = quantize(run, "small.onnx")
    assert logging.root.manager.disable == logging.INFO, "what its user does not want to hear stays unheard"
    session = onnxruntime.InferenceSession("small.onnx")
    test = small_data().test
    (logits,) = session.run(None, {"images": test.images.numpy()})
    assert (logits.argmax(1) == test.labels.numpy()).mean() == pytest.approx(made.accuracy)
    assert made.n == len(test)
    assert made.interval[0] <= made.accuracy <= made.interval[1]
    assert "int8" in session.get_modelmeta().custom_metadata_map["quantised"]
    monkeypatch.setattr(quantized, "_MOST_LOST", -1.0)
    with pytest.raises(FailedError, match="not kept"):
        quantize(run, "worse.onnx")
    assert not Path("worse.onnx").exists()
