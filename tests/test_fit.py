import dataclasses
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from small import small_data
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import handlens as hl
from handlens.errors import ConfigError, ModelError, TrainingError, UsageError
from handlens.fit import starting
from handlens.plan import mean_and_std, plan
from handlens.runs import runs_folder
from handlens.train import Average
from handlens.training import out_of_patience
from handlens.transfer import repeat_plan


def small_model(seed: int = 0) -> nn.Module:
    return hl.models.MLP((16,), image_size=8, num_classes=4, seed=seed)


def test_fit_trains_the_given_network_in_place_and_keeps_it() -> None:
    model, data = small_model(), small_data()
    before = [weight.clone() for weight in model.parameters()]
    run = hl.fit(model, data, epochs=3, lr=0.01, seed=1, quiet=True)
    assert not torch.equal(before[0], next(model.parameters()))
    kept = run.model()
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), kept.parameters(), strict=True))
    assert torch.equal(before[0], next(run.model("start").parameters()))
    assert run.config.hidden_sizes == (16,)
    assert run.name.startswith("mlp-")


def test_a_function_is_called_under_the_seed() -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 4))

    torch.manual_seed(1)
    one = hl.fit(make, small_data(), epochs=1, seed=5, quiet=True)
    torch.manual_seed(2)
    two = hl.fit(make, small_data(), epochs=1, seed=5, quiet=True)
    other = hl.fit(make, small_data(), epochs=1, seed=6, quiet=True)
    assert one.checkpoint["sha256"] == two.checkpoint["sha256"] != other.checkpoint["sha256"]


def test_images_and_labels_a_torch_dataset_and_a_dataloader_are_accepted() -> None:
    data = small_data()
    images, labels = data.train.images, data.train.labels
    floats = TensorDataset(images.float() / 255, labels)
    for given in ((images, labels), (images.numpy(), labels.numpy()), floats, DataLoader(floats, 16, shuffle=True), data.train):
        run = hl.fit(small_model(), given, epochs=2, lr=0.01, quiet=True)
        assert run.status == "complete"
        assert run.config.data.startswith("own:")
        assert run.rows[-1]["train_accuracy"] > 0.5


def test_a_dataloader_can_be_watched_by_another_one() -> None:
    data = small_data()
    loader, watch = DataLoader(data.train, 16), DataLoader(data.val, 16)
    run = hl.fit(small_model(), loader, val=watch, epochs=2, lr=0.01, quiet=True)
    assert len(run.history["val_accuracy"]) == 2


@pytest.mark.parametrize(
    "val, said",
    [
        (0.1, "val cannot be a float"),
        ((torch.zeros(4, 1, 8, 8),), "val gives no images and labels"),
        (DataLoader(torch.arange(10)), "val gives no images and labels"),  # type: ignore[arg-type]
        ((torch.zeros(4, 1, 8, 8), torch.zeros(3, dtype=torch.int64)), "labels of int64 3"),
        ((torch.zeros(4, 1, 9, 9), torch.zeros(4, dtype=torch.int64)), "val are 1x9x9, those to learn from 1x8x8"),
        ((torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 1, 2, 4])), "go from 0 to 4"),
    ],
)
def test_what_a_loader_is_watched_by_is_looked_at_before_the_first_step(val: object, said: str) -> None:
    with pytest.raises(hl.HandlensError, match=said):
        hl.fit(small_model(), DataLoader(small_data().train, 16), val=val, quiet=True)


def test_a_loader_is_watched_after_an_interruption_too() -> None:
    data, model = small_data(), small_model()
    loader, watch = DataLoader(data.train, 16), (data.val.images, data.val.labels)
    with starting(plan(hl.Config(epochs=3), model, loader, val=watch), name="watched") as training:
        next(iter(training))
    with pytest.raises(UsageError, match="was watched"):
        hl.resume("watched", model=small_model(), data=loader, quiet=True)
    assert len(hl.resume("watched", model=small_model(), data=loader, val=watch, quiet=True).history["val_loss"]) == 3


def test_a_run_with_few_examples_keeps_the_whole_data_set_and_says_which_images_it_learned_from() -> None:
    data = small_data()
    run = hl.fit("mlp", data, hidden_sizes=(4,), normalize=True, examples=16, epochs=2, name="few", quiet=True)
    assert (len(run.dataset().train), len(run.split("train"))) == (len(data.train), 16)
    assert run.evaluate("train").n == 16
    assert run.model().get_buffer("mean").item() == pytest.approx(mean_and_std(data.few(16).train.images)[0])
    with starting(repeat_plan(run), name="again") as training:
        next(iter(training))
    resumed = hl.resume("again", data=data, quiet=True)
    assert resumed.checkpoint["sha256"] == run.checkpoint["sha256"]


def test_a_loader_that_cannot_be_used_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="pairs of images and labels"):
        hl.fit(small_model(), DataLoader(torch.arange(10)), quiet=True)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="network of your own"):
        hl.fit("mlp", DataLoader(small_data().train), quiet=True)


def test_training_stops_when_patience_ends_and_the_best_weights_are_used() -> None:
    data = small_data()
    wrong = hl.data.Split(data.val.images, (data.val.labels + 1) % 4, data.val.classes, "val")
    worsening = hl.Dataset("worse", data.train, wrong, data.test)
    run = hl.fit(small_model(), worsening, epochs=50, lr=0.05, patience=2, quiet=True)
    best = run.pointer.best
    assert best is not None
    assert (run.status, len(run.rows)) == ("stopped early", best.epoch + 2)
    assert run.default_checkpoint == "best"
    assert torch.equal(next(run.model().parameters()), next(run.model("best").parameters()))
    assert hl.resume(run.folder, model=small_model(), data=worsening, quiet=True).status == "stopped early"


@pytest.mark.parametrize(
    "losses, patience, ended", [([3, 2, 1], 1, False), ([1, 2], 1, True), ([1, 2, 3], 3, False), ([], 1, False), ([1, 2, 2], 0, False)]
)
def test_patience_counts_epochs_since_the_best(losses: list[float], patience: int, ended: bool) -> None:
    assert out_of_patience([{"val_loss": loss} for loss in losses], patience) is ended


def test_an_interrupted_training_goes_on_to_the_same_bits() -> None:
    data = small_data()
    whole = hl.fit(small_model, data, epochs=4, lr=0.01, name="whole", quiet=True)
    with starting(plan(whole.config, small_model, data), name="broken") as training:
        for row in training:
            if row["epoch"] == 3:
                break
    broken = hl.load_run("broken")
    assert (broken.status, len(broken.rows)) == ("interrupted", 3)
    resumed = hl.resume("broken", data=data, quiet=True)
    assert (resumed.status, resumed.checkpoint["sha256"]) == ("complete", whole.checkpoint["sha256"])


def test_resuming_a_complete_run_changes_nothing() -> None:
    run = hl.fit(small_model(), small_data(), epochs=2, quiet=True)
    before = {path: path.stat().st_mtime_ns for path in run.folder.glob("*.safetensors")}
    assert hl.resume(run.folder, data=small_data(), quiet=True).checkpoint == run.checkpoint
    assert {path: path.stat().st_mtime_ns for path in run.folder.glob("*.safetensors")} == before


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint_and_says_why() -> None:
    with pytest.raises(TrainingError, match=r"lr = 1e\+20") as caught:
        hl.fit(small_model(), small_data(), epochs=3, lr=1e20, optimizer="sgd", name="nan", quiet=True)
    assert "--lr" in caught.value.hint
    run = hl.load_run("nan")
    assert run.status == "failed"
    assert "1e+20" in run.about.failure
    assert run.model("start")


def test_a_softmax_at_the_end_is_warned_of_before_the_first_step() -> None:
    with pytest.warns(UserWarning, match="softmax"):
        hl.fit(nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Softmax(1)), small_data(), epochs=1, quiet=True)


def test_a_lonely_last_image_and_batch_norm_are_refused_before_the_first_step() -> None:
    data = small_data()
    assert len(data.train) % 127 == 1
    with pytest.raises(ModelError, match="one image alone"):
        hl.fit(hl.models.MLP((4,), image_size=8, num_classes=4, batch_norm=True), data, batch_size=127, quiet=True)


@pytest.mark.parametrize("count", [1, 3])
def test_a_handful_of_images_and_a_batch_larger_than_all_work(count: int) -> None:
    data = small_data()
    run = hl.fit(
        small_model(), (data.train.images[:count], data.train.labels[:count] * 0 + 3), epochs=2, batch_size=64, val=None, quiet=True
    )
    assert run.status == "complete"


class NeedsMemory(nn.Module):
    """A stand-in for a card that is full: more than 5 images at a time are too many."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(64, 4)

    def forward(self, images: Tensor) -> Tensor:
        if self.training and len(images) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        logits: Tensor = self.inner(images.flatten(1))
        return logits


def test_out_of_memory_is_one_sentence_with_the_largest_batch_that_fits() -> None:
    with pytest.raises(TrainingError, match="largest that does has 5") as caught:
        hl.fit(NeedsMemory(), small_data(), epochs=1, batch_size=64, quiet=True)
    assert caught.value.hint == "Use --batch-size 5"


TIGHT = """
import resource, torch
from pathlib import Path
from torch import nn
from handlens import memory
from handlens.optim import make_optimizer

def steps(model, count):
    optimizer = make_optimizer(model, "adam", lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[:count]), labels[:count]).backward()
        optimizer.step()

model = nn.Sequential(nn.Flatten(), nn.Linear(49, 500_000))  # 100 MB, the gradients too, and twice that for Adam; 2 MB an image and layer
images, labels = torch.rand(200, 1, 7, 7), torch.zeros(200, dtype=torch.int64)
steps(nn.Sequential(nn.Flatten(), nn.Linear(49, 1)), 1)  # what PyTorch imports at the first step takes address space too
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000,) * 2)
largest = memory.largest_batch(model, images, labels)
steps(model, largest * 9 // 10)  # what lies idle between two pieces counts as used here
print(largest)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux holds a process to its address space.")
def test_the_largest_batch_leaves_room_for_what_the_optimizer_remembers() -> None:
    done = subprocess.run([sys.executable, "-c", TIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 5 < int(done.stdout) < 150


def test_fit_tells_one_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    hl.fit(small_model(), small_data(), epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert all("train loss" in line and "val loss" in line for line in lines)


def test_an_own_class_from_a_file_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from torch import nn\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
    source += "        super().__init__(nn.Flatten(), nn.Linear(64, 4))\n"
    (tmp_path / "net.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    run = hl.fit("net.py:Net", small_data(), epochs=1, quiet=True)
    assert (run.folder / "model.py").read_text() == source
    assert run.name.startswith("net-")
    assert hl.load_run(run.name).model()
    marker = tmp_path / "executed"
    (tmp_path / "net.py").write_text(source + f"\nopen({str(marker)!r}, 'w')\n")
    with pytest.raises(ModelError, match="has changed"):
        hl.load_run(run.name).model()
    assert not marker.exists()


def test_fit_changes_neither_the_thread_count_nor_the_global_generator() -> None:
    threads = torch.get_num_threads()
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hl.fit(small_model, small_data(), epochs=1, threads=2, quiet=True)
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads


def test_a_small_network_gets_one_thread_whatever_the_machine_and_a_wish_is_granted() -> None:
    data = small_data()
    assert plan(hl.Config(), data=data).config.threads == 1
    assert plan(hl.Config(threads=3), data=data).config.threads == 3
    large = plan(hl.Config(hidden_sizes=(1024, 1024), batch_size=256), data=data).config.threads
    assert large == min(torch.get_num_threads(), 4)


def test_the_share_to_watch_by_can_be_given_to_fit() -> None:
    run = hl.fit(small_model(), (small_data().train.images, small_data().train.labels), val=0, epochs=1, quiet=True)
    assert run.config.val == 0
    assert "val_loss" not in run.rows[0]
    assert len(run.dataset().train) == len(small_data().train)


@pytest.mark.parametrize(
    "batch, said",
    [
        ((torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.long)), "uint8 4x1x8x8"),
        ((torch.zeros(4, 1, 8, 8), torch.zeros(4, dtype=torch.int32)), "labels of int32 4"),
        ((torch.zeros(4, 1, 8, 8), torch.zeros(4, 1, dtype=torch.long)), "labels of int64 4x1"),
        ((torch.zeros(4, 1, 8, 8), torch.tensor([0, 1, 2, -1])), "go from -1 to 2"),
        ((torch.zeros(4, 1, 8, 8), torch.tensor([0, 1, 2, 4])), "4 outputs"),
        ({"images": torch.zeros(4, 1, 8, 8)}, "pairs of images and labels"),
    ],
)
def test_what_a_loader_gives_is_looked_at_before_the_first_step(batch: object, said: str) -> None:
    loader: DataLoader[object] = DataLoader([0], batch_size=1, collate_fn=lambda _indices: batch)  # type: ignore[arg-type]
    with pytest.raises(hl.HandlensError, match=said):
        hl.fit(small_model(), loader, quiet=True)


def test_a_label_that_comes_later_and_fits_no_output_is_said_in_words() -> None:
    images, labels = torch.zeros(32, 1, 8, 8), torch.zeros(32, dtype=torch.long)
    labels[-1] = 12
    with pytest.raises(ModelError, match="12"):
        hl.fit(small_model(), DataLoader(TensorDataset(images, labels), 16), quiet=True)


def test_an_empty_training_split_and_a_knob_without_effect_are_refused() -> None:
    images, labels = small_data().train.images[:3], small_data().train.labels[:3]
    with pytest.raises(hl.HandlensError, match="no training images"):
        hl.fit(small_model(), hl.data.from_tensors(images, labels, val=0.9), quiet=True)
    with pytest.raises(UsageError, match="hidden_sizes has no effect"):
        hl.fit(small_model(), small_data(), hidden_sizes=(99,), quiet=True)
    with pytest.raises(UsageError, match="patience needs validation images"):
        hl.fit("mlp", (images, labels), val=0, patience=2, quiet=True)
    with pytest.raises(UsageError, match="val goes with a DataLoader"):
        hl.fit("mlp", small_data(), val=(images, labels), quiet=True)


def test_a_lazy_network_gets_its_weights_under_the_seed() -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(4))

    runs = [hl.fit(make, small_data(), epochs=1, quiet=True) for _ in range(2)]
    assert runs[0].checkpoint["sha256"] == runs[1].checkpoint["sha256"]


def test_a_run_on_a_part_of_a_catalogue_set_is_not_continued_on_the_whole(mnist: hl.Dataset) -> None:
    part = hl.Dataset("mnist", mnist.train.subset(torch.arange(640)), mnist.val.subset(torch.arange(100)), mnist.test)
    with starting(plan(hl.Config(epochs=2, model="softmax"), data=part), name="part") as training:
        next(iter(training))
    with pytest.raises(UsageError, match="other images"):
        hl.resume("part", quiet=True)
    with pytest.raises(UsageError, match="other images"):
        hl.resume("part", data=mnist, quiet=True)
    assert hl.resume("part", data=part, quiet=True).status == "complete"


def test_the_share_that_is_watched_is_the_data_sets_own(mnist: hl.Dataset) -> None:
    whole = hl.load("mnist", val=0)
    run = hl.fit("softmax", whole, epochs=1, batch_size=2000, name="whole", quiet=True)
    assert run.config.val == 0
    with pytest.raises(UsageError, match="no val images"):
        hl.load_run("whole").evaluate("val")


def test_a_run_is_repeated_from_its_very_first_weights() -> None:
    torch.manual_seed(11)
    data = small_data()
    run = hl.fit(hl.models.MLP((8,), image_size=8, num_classes=4), data, epochs=2, quiet=True)
    with starting(repeat_plan(hl.load_run(run.folder, data=data)), name="again") as training:
        list(training)
    assert training.run.checkpoint["sha256"] == run.checkpoint["sha256"]


@pytest.mark.parametrize("name", ["latest", "best"])
def test_a_name_that_means_another_run_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a run's name"):
        hl.fit("softmax", small_data(), epochs=1, name=name, quiet=True)


def test_a_folder_with_somebodys_files_is_not_taken_over() -> None:
    precious = runs_folder() / "mine" / "epoch-0007.safetensors"
    precious.parent.mkdir(parents=True)
    precious.write_bytes(b"my only weights")
    with pytest.raises(UsageError, match=r"epoch-0007.safetensors in it"):
        hl.fit("softmax", small_data(), epochs=1, name="mine", quiet=True)
    assert precious.read_bytes() == b"my only weights"


def test_a_file_beside_an_own_network_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "handlens_test_parts.py").write_text("WIDTH = 4\n")
    source = "from torch import nn\nfrom handlens_test_parts import WIDTH\n\n"
    source += "def net():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, WIDTH))\n"
    (tmp_path / "elsewhere" / "net.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    assert hl.fit("elsewhere/net.py:net", small_data(), epochs=1, quiet=True).status == "complete"


@pytest.mark.parametrize("knobs", [{"examples": 10}, {"augment": "light"}, {"mixup": 0.2, "cutmix": 1.0}, {"class_weights": True}])
def test_knobs_that_a_loader_of_ones_own_leaves_without_effect_are_refused(knobs: dict[str, Any]) -> None:
    data = small_data()
    with pytest.raises(UsageError, match="cannot be used with a DataLoader"):
        hl.fit(hl.models.MLP((4,), image_size=8, num_classes=4), DataLoader(data.train, 16), quiet=True, **knobs)


def test_a_batch_norm_is_told_of_an_image_alone_among_the_few_that_are_chosen() -> None:
    with pytest.raises(ModelError, match="leave one image alone"):
        hl.fit("mlp", small_data(), hidden_sizes=(4,), batch_norm=True, batch_size=16, examples=33, quiet=True)


def test_a_network_larger_than_a_config_can_say_is_refused_before_anything_is_written() -> None:
    with pytest.raises(ConfigError, match="hidden_sizes"):
        hl.fit(hl.models.MLP((70_000,), image_size=8, num_classes=4), small_data(), quiet=True)
    assert not runs_folder().exists()


@pytest.mark.parametrize("name", ["model.py", "config.json", "env.json", "holiday.jpg"])
def test_a_folder_with_files_of_the_users_is_not_taken_for_a_run(name: str) -> None:
    folder = runs_folder() / "mine"
    folder.mkdir(parents=True)
    (folder / name).write_text("dear to me")
    with pytest.raises(UsageError, match="There is a folder 'mine' already"):
        hl.fit("mlp", small_data(), hidden_sizes=(4,), epochs=1, name="mine", quiet=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {name: "dear to me"}


def test_a_network_whose_weights_are_computed_can_be_trained() -> None:
    model = nn.Sequential(nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(64, 4)))
    assert len(hl.fit(model, small_data(), epochs=1, quiet=True).rows) == 1


def test_a_run_that_was_sent_leads_to_no_folder_and_no_file_of_this_machine(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures" / "a"
    pictures.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text("a key")
    run = hl.Run(hl.fit("mlp", small_data(), hidden_sizes=(4,), epochs=1, quiet=True).folder)
    run.config = run.config.model_copy(update={"data": str(pictures.parent)})
    with pytest.raises(UsageError, match="data of your own"):
        run.dataset()
    run.about = dataclasses.replace(run.about, model_file=str(secret), model_sha256="0" * 64)
    assert repeat_plan(run.use(dataset=small_data())).about.get("model_file", "") == ""


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_a_network_with_the_older_weight_norm_can_be_averaged_and_found_again() -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.utils.weight_norm(nn.Linear(64, 4)))

    averaged = Average(make(), 0.9).model  # of a network that has not been used
    assert averaged(torch.rand(2, 1, 8, 8)).shape == (2, 4)
    data = dataclasses.replace(small_data(), val=small_data().val.subset(torch.arange(0)))
    run = hl.fit(make, data, epochs=4, lr=0.02, ema=0.9, quiet=True)  # whose last step was one of learning
    assert run.evaluate("test").accuracy > 0.9


def test_a_knob_that_the_network_has_not_is_refused_when_it_was_given_and_a_runs_whole_config_is_taken() -> None:
    with pytest.raises(ModelError, match="dropout has no effect: resnet has no such knob"):
        hl.fit("resnet", small_data(), dropout=0.3, quiet=True)
    with pytest.raises(ConfigError, match="init_from cannot be 3"):
        hl.fit("mlp", small_data(), init_from=3, quiet=True)
    with pytest.raises(ModelError, match="'session' is a preset, which names several knobs") as told:
        hl.fit("session", small_data(), quiet=True)
    assert "preset_knobs('session')" in str(told.value)
    with pytest.raises(ConfigError, match="momentum has no effect: adam has no such knob"):
        hl.fit("mlp", small_data(), momentum=0.5, quiet=True)
    with pytest.raises(ModelError, match="depth has no effect: mlp"):
        hl.find_lr(data=small_data(), depth=14)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    for given, knobs in (("softmax", {"normalize": True}), (model, {"label_smoothing": 0.1})):
        run = hl.fit(given, small_data(), epochs=1, quiet=True, **knobs)
        config = run.config.model_dump(mode="json", exclude={"model", "data"})
        again = hl.fit(given, small_data(), quiet=True, **config)
        assert again.config == run.config


@pytest.mark.parametrize("network", ["softmax", "net.py:net"])
def test_knobs_that_a_preset_has_for_another_network_are_not_kept(tmp_path: Path, network: str) -> None:
    (tmp_path / "net.py").write_text("from torch import nn\n\ndef net():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4))\n")
    planned = plan(hl.Config(model=network, hidden_sizes=(512, 256), dropout=0.2, lr=0.002), data=small_data())
    assert planned.config.changes().keys() - {"data", "threads", "val"} == {"model", "lr"}


def test_beta2_is_a_knob_of_the_adams_only() -> None:
    with pytest.raises(ConfigError, match="beta2 has no effect: sgd has no such knob"):
        hl.fit(small_model(), small_data(), optimizer="sgd", beta2=0.9, quiet=True)
