"""What children do: each function is a whole little program."""

from __future__ import annotations

import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tiny
import torch
from small import small_data

import handlens as hl
from handlens.cli import main
from handlens.cli import training as _training  # noqa: F401
from handlens.data import cache
from handlens.data.catalog import DATASETS
from handlens.fit import resuming, starting
from handlens.optim import make_optimizer
from handlens.plan import plan
from handlens.runs import runs_folder
from handlens.runs.folder import is_free
from handlens.train import State, train
from handlens.web.asked import Lab
from handlens.web.keys import Keys
from handlens.web.serving import listening, make_server


def warm_up() -> None:
    """In the server, before any child: what PyTorch imports at the first step of all takes a second."""
    torch.set_num_threads(1)
    model = hl.models.MLP((2,), image_size=8, num_classes=4)
    list(train(State(model, make_optimizer(model, "adam", lr=0.01)), hl.batches(small_data().train), epochs=1))


def fit(name: str, knobs: dict[str, Any]) -> None:
    """Train from the first step on the small data; each epoch is told after it was saved."""
    hl.fit(knobs.get("model", "mlp"), small_data(), name=name, **{key: knobs[key] for key in knobs if key != "model"})


def resume(name: str, checkpoint: str = "last") -> None:
    """Go on with it."""
    hl.resume(name, data=small_data(), checkpoint=checkpoint)


def go_on(name: str, knobs: dict[str, Any]) -> None:
    """What a user does after a crash: resume, or train if there is nothing to resume."""
    if (runs_folder() / name / "run.json").exists():
        resume(name)
    else:
        fit(name, knobs)


def hold(name: str, seconds: float) -> None:
    """Say how long it took until a resumed training could go on; and stay there."""
    start = time.perf_counter()
    with resuming(hl.load_run(name), data=small_data()):
        print(f"ready after {time.perf_counter() - start:.3f} s")
        time.sleep(seconds)


def fit_with_workers(name: str) -> None:
    """Train for ever from a loader with a process of its own."""
    loader = torch.utils.data.DataLoader(small_data().train, batch_size=16, num_workers=1, persistent_workers=True)
    with starting(plan(hl.Config(epochs=10_000), hl.models.MLP((4,), image_size=8, num_classes=4), loader), name=name) as training:
        for row in training:
            print(row)


def fit_in_little_files(name: str, knobs: dict[str, Any], most_bytes: int) -> None:
    """Train where no file can grow larger."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    fit(name, knobs)


def write_rename_delete(name: str, seconds: float) -> None:
    """Make runs, train them, give them other names, delete them; again and again."""
    end = time.monotonic() + seconds
    for number in _numbers():
        if time.monotonic() > end:
            break
        run = hl.fit("softmax", small_data(), name=f"{name}-{number}", epochs=2, quiet=True)
        run.annotate(note="a remark")
        run.rename(f"{name}-{number}-renamed").delete()


def look(name: str, seconds: float) -> None:
    """Ask for the state of a run again and again."""
    print("looking")
    times, end, run = 0, time.monotonic() + seconds, hl.load_run(name)
    while time.monotonic() < end:
        is_free(run.folder)
        times += 1
    print(f"looked {times} times")


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def keep_digits(numbers: list[int]) -> None:
    """Keep a digit for each number, all different; each is told after it was kept."""
    for number in numbers:
        place = random.Random(number)
        digit = hl.mine.add([[(place.uniform(0, 200), place.uniform(0, 200)) for _ in range(4)]], number % 10)
        print(f"kept {digit.id} {digit.label}", flush=True)


def serve_lab(port: int, secret: str) -> None:
    """The lab, as `handlens lab` serves it; it can be asked when it says so."""
    keys = Keys(port, secret=bytes.fromhex(secret))
    with listening(port) as bound:
        print(f"port {bound.getsockname()[1]}", flush=True)
        make_server(Lab(port, keys, "", print)).run(sockets=[bound])


def cli(*words: str) -> None:
    """A command line; `tiny` is a data set of the catalogue, and on this machine."""
    made = tiny.make()
    DATASETS["tiny"] = made.entry
    folder = cache.root() / "tiny" / made.entry.fingerprint
    if not folder.exists():
        made.write(folder)
    sys.argv = ["handlens", *words]
    main(words)


def as_nobody(*words: str) -> None:
    """A command line of a user who may do little."""
    os.setgid(65534)
    os.setuid(65534)
    cli(*words)


def scenario(name: str, root: str, at: int, torn: bool) -> None:
    """One of crash/scenarios.py, killed at a system call."""
    from crash.faults import KILL, Disk, Fault
    from crash.scenarios import SCENARIOS

    with Disk(Path(root), Fault(at, KILL, torn=torn)):
        SCENARIOS[name].act(Path(root))


def killed_at(name: str, knobs: dict[str, Any], at: int) -> None:
    """A training that is killed at a system call."""
    from crash.faults import KILL, Disk, Fault

    with Disk(runs_folder(), Fault(at, KILL)):
        fit(name, knobs)
