"""kill -9 at any moment, resume: the same bits as a training that nothing disturbed, and no more than one epoch done again."""

import itertools
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus import FULL, amount, commit, portion
from crash.faults import Disk
from nursery import Nursery, slowed
from small import small_data

import handlens as hl
from handlens.errors import HandlensError
from handlens.models import MODELS
from handlens.runs import checkpoint as checkpoints
from handlens.runs import runs_folder
from handlens.train import Row

Record = Callable[[str, object], None]

CONFIGS: dict[str, dict[str, Any]] = {
    "softmax, plain steps": {"model": "softmax", "optimizer": "sgd", "momentum": 0.0},
    "softmax, cosine": {"model": "softmax", "schedule": "cosine", "normalize": True, "val": 0},
    "mlp, dropout": {"model": "mlp", "hidden_sizes": (16, 8), "dropout": 0.3, "optimizer": "adamw", "schedule": "one-cycle"},
    "mlp, batch norm": {"model": "mlp", "hidden_sizes": (16,), "batch_norm": True, "optimizer": "sgd", "schedule": "step"},
    "cnn, all that is random": {
        "model": "cnn",
        "channels": (4,),
        "hidden_sizes": (),
        "augment": "robust",
        "mixup": 0.5,
        "cutmix": 1.0,
        "optimizer": "adamw",
        "ema": 0.9,
        "accumulate": 2,
        "clip": 1.0,
        "precision": "bfloat16",
        "channels_last": True,
        "shift": 1,
        "epoch_part": 0.7,
        "label_smoothing": 0.1,
        "class_weights": True,
        "examples": 90,
    },
    "cnn, plain": {"model": "cnn", "channels": (4, 4), "batch_norm": True, "dropout": 0.2, "hidden_sizes": (8,)},
    "cnn, muon": {"model": "cnn", "channels": (4, 4), "pooling": ("stride", "early"), "optimizer": "muon", "schedule": "triangular"},
    "resnet": {"model": "resnet", "width": 2, "weight_decay": 0.1, "ema": 0.5},
    "resnet, sgd": {"model": "resnet", "width": 2, "optimizer": "sgd", "schedule": "cosine", "augment": "light"},
    "efficientnet": {"model": "efficientnet", "resize": 32, "examples": 32, "normalize": True},
    "efficientnet, frozen": {"model": "efficientnet", "resize": 32, "examples": 32, "optimizer": "adamw", "freeze": True},
    "mlp, patience": {"model": "mlp", "hidden_sizes": (16,), "patience": 2, "lr": 2.0, "activation": "gelu", "weight_decay": 0.01},
}
EPOCHS = 6


@dataclass(frozen=True)
class Whole:
    """A training that nothing disturbed: its checkpoint, its rows without times, and how long it took."""

    knobs: dict[str, Any]
    checkpoint: dict[str, Any]
    rows: list[Row]
    time_s: float


@pytest.fixture(scope="module")
def wholes(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Whole]:
    """Each config, trained without a disturbance."""
    folder = tmp_path_factory.mktemp("wholes")
    found = {}
    for number, (title, chosen) in enumerate(CONFIGS.items()):
        knobs, start = {"lr": 0.01, "epochs": EPOCHS, "batch_size": 16, **chosen}, time.monotonic()
        nursery.run("jobs:fit", f"whole-{number}", knobs, log=folder / "child", environment={"HANDLENS_RUNS": str(folder)})
        run = hl.Run(folder / f"whole-{number}")
        found[title] = Whole(knobs, run.checkpoint, rows_of(run), time.monotonic() - start)
    return found


def rows_of(run: hl.Run) -> list[Row]:
    """The rows in the checkpoint and those for people, which must be the same, without times."""
    found = checkpoints.read_rows(run.folder, run.pointer.last)
    assert found == [{name: row[name] for name in row} for row in run.rows]
    return [{name: row[name] for name in row if name not in ("time_s", "images_per_s")} for row in found]


def is_there(name: str) -> bool:
    """Whether there is anything that could be resumed."""
    return (runs_folder() / name / "run.json").exists()


def epochs_told(text: str) -> int:
    """The last epoch that a child has told."""
    return max((int(number) for number in re.findall(r"^epoch (\d+)/", text, re.MULTILINE)), default=0)


def check_whole(name: str, whole: Whole) -> None:
    run = hl.load_run(name)
    assert run.checkpoint == whole.checkpoint
    assert rows_of(run) == whole.rows
    assert run.status in ("complete", "stopped early")
    names = {entry.name for entry in run.folder.iterdir()} - {"run.json.lock"}
    assert names == {"config.json", "env.json", "run.json", "checkpoint.json", "rows.jsonl", "run.lock"} | {
        entry.file for entry in run.pointer.entries
    }, "something is left over"


def test_the_configs_have_every_model_at_least_twice() -> None:
    count = Counter(knobs["model"] for knobs in CONFIGS.values())
    assert count.keys() == MODELS.keys()
    assert min(count.values()) >= 2


def test_killed_at_random_times_and_resumed_gives_the_same_bits(
    nursery: Nursery, wholes: dict[str, Whole], tmp_path: Path, record_property: Record
) -> None:
    draw, kills, stages, titles = random.Random(commit()), amount("kills", 25), Counter[str](), itertools.cycle(CONFIGS)
    number = 0
    while kills > 0:
        name, whole, told = f"run-{number}", wholes[next(titles)], 0
        number += 1
        for _attempt in range(draw.choice([1, 1, 1, 2, 3])):  # also again while it is being resumed
            child = nursery.start("jobs:go_on", name, whole.knobs, log=tmp_path / name)
            time.sleep(draw.uniform(0, whole.time_s))
            status = child.kill()
            assert status in (0, -signal.SIGKILL), child.said
            told = max(told, epochs_told(child.said))
            kills -= status == -signal.SIGKILL
            stages[stage(name, told)] += 1
        nursery.run("jobs:go_on", name, whole.knobs, log=tmp_path / name)
        check_whole(name, whole)
    record_property("cases", amount("kills", 25))
    record_property("stages", dict(stages))
    assert len(stages) >= 3, stages


def stage(name: str, told: int) -> str:
    """Where a kill hit. What was told is not lost, and opens without a complaint."""
    if not is_there(name):
        assert told == 0
        return "before the run was there"
    run = hl.load_run(name)
    assert run.status != "running"
    assert run.pointer.last.epoch >= told
    run.model()
    return f"after epoch {run.pointer.last.epoch}"


def test_killed_at_a_system_call_and_resumed_gives_the_same_bits(
    nursery: Nursery, wholes: dict[str, Whole], tmp_path: Path, record_property: Record
) -> None:
    whole = wholes["mlp, dropout"]
    nursery.run("jobs:fit", "first", whole.knobs, log=tmp_path / "child")  # makes the folder of all runs
    with Disk(runs_folder()) as disk:
        hl.fit("mlp", small_data(), name="counted", quiet=True, **{key: whole.knobs[key] for key in whole.knobs if key != "model"})
    points = range(1, len(disk.log) + 1)
    chosen = sorted({*portion(points)[:: 1 if FULL else 3], *points[-3:]})  # the last: between the last commit and tidying up
    for at in chosen:
        child = nursery.start("jobs:killed_at", f"run-{at}", whole.knobs, at, log=tmp_path / "child")
        assert child.wait() == -signal.SIGKILL, child.said
        nursery.run("jobs:go_on", f"run-{at}", whole.knobs, log=tmp_path / "child")
        check_whole(f"run-{at}", whole)
    record_property("cases", len(chosen))
    assert len(chosen) > 10


def test_a_killed_training_is_ready_to_go_on_within_a_second(nursery: Nursery, wholes: dict[str, Whole], tmp_path: Path) -> None:
    whole = wholes["mlp, dropout"]
    child = nursery.start("jobs:fit", "first", {**whole.knobs, "epochs": 10_000}, log=tmp_path / "child")
    wait_for(lambda: epochs_told(child.said) >= 2)
    assert hl.load_run("first").status == "running"
    assert child.kill() == -signal.SIGKILL
    assert hl.load_run("first").status == "interrupted"
    said = nursery.run("jobs:hold", "first", 0, log=tmp_path / "child").said
    assert float(re.findall(r"ready after (\S+) s", said)[0]) < slowed(1)


def wait_for(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + slowed(timeout_s)
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


@pytest.mark.parametrize("preset", ["softmax", "session", "mlp"] if FULL else ["softmax"])
def test_the_real_command_on_real_mnist_killed_and_resumed_gives_the_same_bits(
    preset: str, mnist: hl.Dataset, nursery: Nursery, tmp_path: Path
) -> None:
    knobs = [preset, "--epochs", "20", "--batch-size", "500", "--threads", "1"]
    command, told = [sys.executable, "-m", "handlens", "train"], tmp_path / "told"
    whole = nursery.start("jobs:cli", "train", *knobs, "--name", "whole", log=tmp_path / "whole")
    with told.open("w") as stream, subprocess.Popen([*command, *knobs, "--name", "killed"], stdout=stream, stderr=stream) as killed:
        wait_for(lambda: "epoch 1/20" in told.read_text(), 100)
        time.sleep(random.Random(commit() + preset).uniform(0, 0.2))
        killed.kill()
    again = subprocess.run([*command, "--resume", "killed"], capture_output=True, text=True, check=True)
    assert "Going on with run killed after epoch" in again.stderr
    assert whole.wait() == 0
    assert hl.load_run("killed").checkpoint == hl.load_run("whole").checkpoint
    assert rows_of(hl.load_run("killed")) == rows_of(hl.load_run("whole"))
    evaluation = json.loads((hl.load_run("killed").folder / "evaluation" / "test.json").read_text())
    assert evaluation["accuracy"] > 0.85


def test_a_resumed_run_that_is_complete_stays_as_it_is(nursery: Nursery, wholes: dict[str, Whole], tmp_path: Path) -> None:
    whole = wholes["mlp, patience"]
    assert len(whole.rows) < EPOCHS
    nursery.run("jobs:fit", "early", whole.knobs, log=tmp_path / "child")
    for _ in range(2):
        nursery.run("jobs:resume", "early", log=tmp_path / "child")
        check_whole("early", whole)


def test_nothing_is_resumed_that_is_not_there() -> None:
    with pytest.raises(HandlensError):
        hl.resume("none", quiet=True)
