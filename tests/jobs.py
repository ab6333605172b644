"""What children do: each function is a whole little program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from small import small_data

import handlens as hl
from handlens.cli import training as _training  # noqa: F401
from handlens.runs import runs_folder
from handlens.train import State, make_optimizer, train


def warm_up() -> None:
    """In the server, before any child: what PyTorch imports at the first step of all takes a second."""
    torch.set_num_threads(1)
    model = hl.models.MLP((2,), image_size=8, num_classes=4)
    list(train(State(model, make_optimizer(model, "adam", lr=0.01)), hl.batches(small_data().train), epochs=1))


def fit(name: str, knobs: dict[str, Any]) -> None:
    """Train from the first step on the small data."""
    hl.fit(knobs.get("model", "mlp"), small_data(), name=name, quiet=True, **{key: knobs[key] for key in knobs if key != "model"})


def resume(name: str, checkpoint: str = "last") -> None:
    """Go on with it."""
    hl.resume(name, data=small_data(), checkpoint=checkpoint, quiet=True)


def go_on(name: str, knobs: dict[str, Any]) -> None:
    """What a user does after a crash: resume, or train if there is nothing to resume."""
    if (runs_folder() / name / "run.json").exists():
        resume(name)
    else:
        fit(name, knobs)


def cli(*words: str) -> None:
    """A command line."""
    from handlens.cli import main

    main(words)


def scenario(name: str, root: str, at: int, torn: bool) -> None:
    """One of crash/scenarios.py, killed at a system call."""
    from crash.faults import KILL, Disk, Fault
    from crash.scenarios import SCENARIOS

    with Disk(Path(root), Fault(at, KILL, torn=torn)):
        SCENARIOS[name].act(Path(root))
