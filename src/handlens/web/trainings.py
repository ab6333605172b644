"""The routes of Train: what can be trained, a training begun, watched and steered."""

from __future__ import annotations

import ast
import asyncio
import functools
import json
import re
import sys
import typing
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from sse_starlette import EventSourceResponse

from handlens import config as configs
from handlens import data, files, models
from handlens.config import FIELDS, Config, grouped
from handlens.data.shelf import imported
from handlens.errors import FileError, HandlensError, RunBusy, UsageError, nearest
from handlens.limits import Limits, run_limited
from handlens.presets import IMAGENET, PRESETS
from handlens.web.absent import check_here
from handlens.web.asked import Asked, Body
from handlens.web.jobs import ENDED, Job, Order, begin, find_job, living
from handlens.web.shelf import run_named

MAIN = ("model", "hidden_sizes", "epochs", "lr", "batch_size", "optimizer")
"""The six knobs that are shown; the others are folded."""

_LOOK_S = 0.15
_MOST_CODE = 1 << 20
_ESTIMATE_S = 50.0


class Knobs(Body):
    """A config as the page gives it: a preset, and the knobs that were changed, as they were typed."""

    preset: str = Field("", max_length=64)
    knobs: dict[str, str] = Field(default_factory=dict, max_length=len(FIELDS))


class Start(Knobs):
    """A training to begin.

    Attributes:
        guess: the validation accuracy after one epoch that somebody expects.
        fetch: data that are not here are fetched first; the button that was pressed says so.
    """

    guess: float | None = Field(None, ge=0, le=1)
    fetch: bool = False


class Wish(Body):
    """What is wanted of a training that goes on."""

    do: Literal["pause", "go on", "one batch", "stop", "lr"]
    lr: float | None = Field(None, gt=0, le=1e6)


def what(_asked: Asked) -> dict[str, Any]:
    """Presets, knobs and networks to choose from, and the training that goes on, if one does."""
    going = living()
    return {
        "presets": [{"name": name, "purpose": preset.purpose, "knobs": _preset(name)} for name, preset in PRESETS.items()],
        "knobs": [_knob(name) for name in FIELDS],
        "main": MAIN,
        "groups": grouped(),
        "models": [*models.MODELS, *own_networks()],
        "data": sorted(name for name in (*data.DATASETS, *imported(), "mine")),
        "going": going[0].name if going else "",
    }


def _preset(name: str) -> dict[str, str]:
    knobs = configs.make_config(PRESETS[name].knobs)
    return {knob: shown(getattr(knobs, knob)) for knob in FIELDS}


def shown(value: object) -> str:
    """A knob's value as one would type it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _knob(name: str) -> dict[str, Any]:
    kind = FIELDS[name].annotation
    choices = ["true", "false"] if kind is bool else list(typing.get_args(kind)) if typing.get_origin(kind) is Literal else []
    several = typing.get_origin(kind) is tuple
    about = {"name": name, "title": FIELDS[name].title, "says": FIELDS[name].description}
    return {**about, "default": shown(FIELDS[name].default), "choices": choices, "several": several}


def own_networks() -> list[str]:
    """The networks of the user's own in the folder where the lab was started, as `FILE.py:Class`. They are only read, not run."""
    return [f"{path.name}:{name}" for path in sorted(Path().glob("*.py"))[:100] for name in _networks(path)]


def _networks(path: Path) -> list[str]:
    try:
        tree = ast.parse(files.read_bytes(path, _MOST_CODE))
    except (FileError, SyntaxError, ValueError):
        return []
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if any(ast.unparse(base).rpartition(".")[2] == "Module" for base in node.bases)]


def config_of(body: Knobs) -> Config:
    """The config that a page means. What could name a file or folder must be a name that the lab itself has offered.

    Raises:
        ConfigError, ModelError: a knob that cannot be.
        UsageError, RunNotFound: no such network, data or run.
    """
    config, _ = configs.resolve(body.preset or None, None, body.knobs)
    configs.check_given(config, body.knobs)
    if config.model not in models.MODELS and config.model not in own_networks():
        raise UsageError(f"There is no network '{files.printable(config.model)}'.", hint=nearest(config.model, models.MODELS))
    for name in filter(None, (config.data, config.with_data)):
        if not data.is_known(name):
            raise UsageError(f"There is no data set '{files.printable(name)}' here.", hint="Import it first: handlens data import")
    if config.init_from not in ("", IMAGENET):
        run_named(config.init_from)
    return config


def start(asked: Asked) -> dict[str, Any]:
    """Begin a training.

    Raises:
        Absent: its data are not here, and nobody has said that they may be fetched.
    """
    body = asked.read(Start)
    config = config_of(body)
    if not body.fetch:
        check_here(config.data, config.with_data)
    kind = re.sub(r"[^a-z0-9]+", "-", config.model.rpartition(":")[2].lower()).strip("-") or "net"
    return {"name": begin(Order(knobs=config.model_dump(), guess=body.guess, fetch=body.fetch), kind).name}


def go_on(asked: Asked) -> dict[str, Any]:
    """Go on with a run that was interrupted."""
    run = run_named(asked.path["job"])
    if run.status != "interrupted":
        raise UsageError(f"Run {run.name} is {run.status}; there is nothing to go on with.")
    check_here(run.config.data, run.config.with_data)
    return {"name": begin(Order(knobs=run.config.model_dump(), resume=True), "", run.name).name}


def control(asked: Asked) -> dict[str, Any]:
    """Pause, go on, take one batch, change lr, or stop."""
    wish, job = asked.read(Wish), find_job(asked.path["job"])
    if not job.is_alive:
        raise RunBusy(f"Training {job.name} does not go on any more.", hint="Begin another one.")
    if wish.do == "lr" and wish.lr is None:
        raise UsageError("Say which lr.")
    changes: dict[str, dict[str, Any]] = {
        "pause": {"paused": True},
        "go on": {"paused": False},
        "one batch": {"paused": True, "single": True},
        "stop": {"stop": True},
        "lr": {"lr": wish.lr},
    }
    return job.wish(**changes[wish.do]).model_dump()


def watch(asked: Asked) -> EventSourceResponse:
    """How far a training is, now and whenever it changes, until it has ended: each event tells all."""
    return EventSourceResponse(_events(find_job(asked.path["job"])))


async def _events(job: Job) -> AsyncIterator[dict[str, str]]:
    told = ""
    while True:
        live = await asyncio.to_thread(job.live)
        text = json.dumps(live)
        if text != told:
            yield {"event": "live", "data": text}
            told = text
        if live["phase"] in ENDED:
            return
        await asyncio.sleep(_LOOK_S)


def estimate(asked: Asked) -> dict[str, Any]:
    """How long a training would take: its first steps are taken, in a process of their own."""
    config = config_of(asked.read(Knobs))
    check_here(config.data, config.with_data)
    if living():
        raise RunBusy("While another training goes on, the time cannot be measured.")
    known = config.model in models.MODELS and "mine" not in (config.data, config.with_data)  # what is the user's own may change meanwhile
    return (_estimated if known else _estimated.__wrapped__)(config.model_dump_json())


@functools.lru_cache(16)
def _estimated(config: str) -> dict[str, Any]:
    ended = run_limited([sys.executable, "-m", "handlens.web.estimate", config], Limits(_ESTIMATE_S))
    found: dict[str, Any] = json.loads(ended.stdout) if ended.stdout.startswith("{") else {"error": "The time could not be measured."}
    if "error" in found:
        raise HandlensError(found["error"], hint=found.get("hint", ""))
    return found
