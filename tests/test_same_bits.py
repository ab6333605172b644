"""The same seed gives the same bits: in other processes, on every path that a batch can take, whatever else the program does."""

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from corpus import amount, commit
from small import small_data
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

import handlens as hl
from handlens.config import make_config
from handlens.data import order
from handlens.fit import starting
from handlens.models import MODELS
from handlens.plan import Plan, plan
from handlens.train import State, train

HERE = Path(__file__).parent
PROGRAM = """
import json, sys
import handlens as hl
from small import small_data
knobs = dict(epochs=2, hidden_sizes=(16, 8), dropout=0.3, batch_norm=True, batch_size=16, schedule="cosine", threads=1, quiet=True)
knobs["resize"] = 32
found = []
for model in hl.models.MODELS:
    own = {name: value for name, value in knobs.items() if name not in hl.models.idle_knobs(model)}
    found.append(hl.fit(model, small_data(), **own).checkpoint["sha256"])
print(json.dumps(found + [hl.seeds.seed_for("order", 42, 3)]))
"""


def surroundings(folder: Path) -> Iterator[dict[str, Any]]:
    """Other folders, hashing, languages, time zones, and orders of the environment, one after the other."""
    draw = random.Random(commit())
    languages, zones = ["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", ""], ["UTC", "Asia/Kathmandu", "America/St_Johns", ""]
    for number in itertools.count():
        place = folder / f"{number} Läufe"
        place.mkdir()
        own = {
            "PYTHONHASHSEED": str(draw.randrange(1 << 32)),
            "LC_ALL": languages[number % len(languages)],
            "TZ": zones[number % len(zones)],
            "OMP_NUM_THREADS": str(draw.choice([1, 2, 4])),
            "PYTHONPATH": os.pathsep.join([*(path for path in sys.path if path), str(HERE)]),
            f"SOMETHING_{number}": "x" * draw.randrange(5000),
        }
        variables = [*({name: value for name, value in os.environ.items() if name != "HANDLENS_RUNS"} | own).items()]
        draw.shuffle(variables)
        yield {"cwd": place, "env": dict(variables)}


def test_same_bits_in_other_processes(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    count, answers = amount("processes", 4), set()
    places = surroundings(tmp_path)
    for _ in range(0, count, 2):
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True}
        pair = [subprocess.Popen([sys.executable, "-c", PROGRAM], **options, **next(places)) for _ in range(2)]
        answers |= {process.communicate()[0] for process in pair}
        assert [process.returncode for process in pair] == [0, 0]
    record_property("cases", count)
    assert len(answers) == 1
    assert len(set(json.loads(answers.pop()))) == len(MODELS) + 1


QUICK = [name for name in MODELS if name != "efficientnet"]  # which is trained in other processes above, and killed in tests/crash
CONFIGS: dict[str, dict[str, Any]] = {
    **{f"{model}, {optimizer}": {"model": model, "optimizer": optimizer} for model in QUICK for optimizer in ("sgd", "adam", "adamw")},
    "dropout": {"dropout": 0.4, "hidden_sizes": (16, 8), "schedule": "one-cycle"},
    "batch norm": {"batch_norm": True, "hidden_sizes": (16,), "schedule": "step", "normalize": True},
    "activation": {"activation": "tanh", "weight_decay": 0.1, "optimizer": "sgd", "momentum": 0.0, "schedule": "cosine"},
}
EVERY = pytest.mark.parametrize("name", CONFIGS)


def planned(name: str) -> Plan:
    """A training of three epochs."""
    return plan(make_config({"epochs": 3, "lr": 0.01, "batch_size": 16, "threads": 1, **CONFIGS[name]}), data=small_data())


def bits(model: nn.Module) -> list[Tensor]:
    """The weights, and all else that the network keeps."""
    return [tensor.clone() for tensor in model.state_dict().values()]


def same(one: list[Tensor], two: list[Tensor]) -> bool:
    """Bit for bit."""
    return len(one) == len(two) and all(torch.equal(first, second) for first, second in zip(one, two, strict=True))


def expected(name: str) -> list[Tensor]:
    """What the training comes to by the usual way."""
    found = planned(name)
    first = bits(found.model)
    list(train(found.state(), found.loader, found.val, epochs=3))
    assert not same(bits(found.model), first)
    return bits(found.model)


class InOrder(torch.utils.data.Sampler[int]):
    """The order of `batches`, for a DataLoader."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        return iter(order(self.count, 42, self.epoch).tolist())


@EVERY
def test_same_bits_from_a_dataloader_in_the_same_order(name: str) -> None:
    other, data = planned(name), small_data()
    # Without a generator of its own a DataLoader draws one number from the one that dropout uses.
    loader = DataLoader(data.train, batch_size=16, sampler=InOrder(len(data.train)), generator=torch.Generator())
    list(train(other.state(), loader, other.val, epochs=3))
    assert same(bits(other.model), expected(name))


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_same_bits_from_any_number_of_workers(workers: int) -> None:
    """With a shuffling DataLoader of the learner's own: its order comes from the generator that `train` seeds."""
    loader = DataLoader(small_data().train, batch_size=16, shuffle=True, num_workers=workers)
    model = hl.models.MLP((8,), image_size=8, num_classes=4, dropout=0.2)
    with torch.random.fork_rng():
        torch.manual_seed(workers)
        run = hl.fit(lambda: hl.models.MLP((8,), image_size=8, num_classes=4, dropout=0.2), loader, epochs=2, threads=1, quiet=True)
    assert run.config.model == "mlp"
    assert run.checkpoint["sha256"] == _without_workers()
    assert sum(weights.numel() for weights in model.parameters()) == sum(weights.numel() for weights in run.model().parameters())


def _without_workers() -> str:
    loader = DataLoader(small_data().train, batch_size=16, shuffle=True)
    make = lambda: hl.models.MLP((8,), image_size=8, num_classes=4, dropout=0.2)  # noqa: E731
    return str(hl.fit(make, loader, epochs=2, threads=1, quiet=True).checkpoint["sha256"])


@pytest.mark.parametrize("name", [name for name in CONFIGS if not {"schedule", "dropout"} & CONFIGS[name].keys()])
def test_same_bits_from_the_loop_that_a_learner_writes(name: str) -> None:
    other, data = planned(name), small_data()
    state, batches = other.state(), hl.batches(data.train, batch_size=16, seed=42)
    for epoch in range(3):
        batches.set_epoch(epoch)
        other.model.train()
        for images, labels in batches:
            loss = cross_entropy(other.model(images), labels)
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
    assert same(bits(other.model), expected(name))


@EVERY
@pytest.mark.parametrize("every", [1, 3, 100])
def test_same_bits_with_rows_within_the_epoch_and_a_caller_who_draws(name: str, every: int) -> None:
    other = planned(name)
    for _row in train(other.state(), other.loader, other.val, epochs=3, every=every):
        torch.rand(7)
        torch.manual_seed(torch.randint(1000, ()).item())
        random.random()
        torch.nn.functional.dropout(torch.ones(9))
    assert same(bits(other.model), expected(name))


@EVERY
def test_same_bits_without_images_to_watch_by(name: str) -> None:
    other = planned(name)
    list(train(other.state(), other.loader, None, epochs=3))
    assert same(bits(other.model), expected(name))


@EVERY
def test_same_bits_from_fit_which_leaves_the_callers_random_numbers_alone(name: str) -> None:
    knobs = {key: value for key, value in CONFIGS[name].items() if key != "model"}
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run = hl.fit(str(CONFIGS[name].get("model", "mlp")), small_data(), epochs=3, lr=0.01, batch_size=16, threads=1, quiet=True, **knobs)
    assert same(bits(run.model()), expected(name))
    run.evaluate("test")
    run.layers  # noqa: B018
    hl.resume(run.folder, data=small_data(), quiet=True)
    assert torch.equal(torch.get_rng_state(), before)


def test_same_bits_from_a_training_that_is_left_open_while_another_one_runs() -> None:
    """Two generators, moved on in turns, do not meet."""
    names = ["dropout", "batch norm"]
    plans = [planned(name) for name in names]
    rows = [train(each.state(), each.loader, each.val, epochs=3, every=2) for each in plans]
    for _turn in itertools.zip_longest(*rows):
        pass
    for name, each in zip(names, plans, strict=True):
        assert same(bits(each.model), expected(name))


def test_what_may_change_the_last_bits_is_kept_with_the_run() -> None:
    with starting(planned("dropout")) as training:
        env, config = training.run.env, training.run.config
    assert {"torch", "cpu_capability", "processor", "threads", "device", "system", "python"} <= env.keys()
    assert config.threads == env["threads"] == 1


def test_other_seeds_give_other_bits() -> None:
    found = [hl.fit("mlp", small_data(), seed=seed, epochs=1, threads=1, quiet=True).checkpoint["sha256"] for seed in (1, 2)]
    assert found[0] != found[1]
    state = planned("dropout").state()
    other = State(state.model, state.optimizer, state.schedule, seed=43)
    assert other.seed != state.seed
