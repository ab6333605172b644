"""The routes of Runs: what there is, put side by side, named, noted, starred, removed and put back."""

from __future__ import annotations

import contextlib
import math
from typing import Annotated, Any

from pydantic import Field

from handlens import files
from handlens.compare import Comparison, compare
from handlens.errors import DataMissing, UsageError
from handlens.report.recipe import repeat_command, shown
from handlens.runs import RESERVED, STARTER, Broken, Run, existing_place, no_runs, removed, runs_folder, scan, take_back, to_trash
from handlens.web.absent import absent_ones
from handlens.web.asked import Asked, Body
from handlens.web.measured import known_accuracy, measured
from handlens.web.pictures import as_png
from handlens.web.shelf import run_named

STAR = "star"
"""The tag that a star is, so that it is seen and set on the command line too."""

MOST = 6
"""As many curves as can be told apart."""

_SHOWN_CASES = 6
_SHOWN_IMAGES = 12


class Changes(Body):
    """What is to be changed of a run; what is left out stays.

    Attributes:
        note: in place of the one it has.
        tags: in place of those it has, but for the star.
        star: whether it has one.
        name: another name.
    """

    note: str | None = Field(None, max_length=2000)
    tags: list[Annotated[str, Field(pattern=r"^\S{1,40}$")]] | None = Field(None, max_length=20)
    star: bool | None = None
    name: str | None = Field(None, max_length=64)


def table(_asked: Asked) -> dict[str, Any]:
    """All runs, the newest first, the folders that are none, and the trash."""
    runs, broken = scan()
    trash = [{"entry": entry, "name": name} for entry, name in removed(runs_folder())]
    return {
        "runs": [_row(run) for run in reversed(runs)],
        "broken": [_ruin(ruin) for ruin in broken],
        "trash": trash,
        "folder": str(runs_folder().resolve()),
        "empty": "" if runs or broken else f"{no_runs().what} {no_runs().hint}",
    }


def _row(run: Run) -> dict[str, Any]:
    used, about = run.used_row, run.about
    return {
        "name": run.name,
        "created": about.created,
        "status": run.status,
        "failure": about.failure,
        "model": run.config.model,
        "data": run.config.data,
        "epochs": len(run.rows),
        "planned": run.config.epochs,
        "val_accuracy": used.get("val_accuracy"),
        "test_accuracy": known_accuracy(run),
        "time_s": sum(row.get("time_s", 0.0) for row in run.rows),
        "note": about.note,
        "tags": [tag for tag in about.tags if tag != STAR],
        "star": STAR in about.tags,
    }


def _ruin(ruin: Broken) -> dict[str, Any]:
    return {"name": files.printable(ruin.name), "reason": ruin.reason, "removable": bool(files.NAME.fullmatch(ruin.name))}


def one(asked: Asked) -> dict[str, Any]:
    """One run: its epochs, what is not at its default, where it ran, and how to do it again."""
    run = run_named(asked.path["run"])
    again = [f"handlens runs repeat {run.name}", repeat_command(run.config)] if run.name != STARTER else []
    return {
        **_row(run),
        "id": run.about.id,
        "rows": [_finite(row) for row in run.rows],
        "knobs": {name: shown(value) or "none" for name, value in run.config.changes().items()},
        "env": run.env,
        "commands": again,
    }


def _finite(row: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in row.items()}


def test(asked: Asked) -> dict[str, Any]:
    """What a run reaches on its test images, measured now."""
    found = measured(asked.path["run"], "test").evaluation
    return {"test_accuracy": found.accuracy, "interval": found.interval, "n": found.n}


def side_by_side(asked: Asked) -> dict[str, Any]:
    """Two runs or more on the same test images: what they reached, what is different about them, where they disagree."""
    names = [name for name in asked.query.get("runs", "").split(",") if name]
    if len(names) > MOST:
        raise UsageError(f"More than {MOST} runs cannot be told apart in one picture.", hint="Choose fewer.")
    found = compare(*map(_tested, names))
    return {
        "columns": found.columns,
        "knobs": found.columns[found.columns.index("multiplications") + 1 :],
        "cells": found.cells(),
        "sentences": found.sentences,
        "pairs": [pair.to_dict() for pair in found.paired],
        "disagreements": found.disagreements,
        "n": found.tests[0].n if found.tests else 0,
        "cases": _cases(found),
        "missing": absent_ones(*(name for run in found.runs for name in (run.config.data, run.config.with_data))),
    }


def _tested(name: str) -> Run:
    """The run, measured if it can be: `compare` says of the others that it was not."""
    with contextlib.suppress(UsageError, DataMissing):
        return measured(name, "test").run
    return run_named(name)


def _cases(found: Comparison) -> list[dict[str, Any]]:
    made = []
    for right, places in found.cases[:_SHOWN_CASES]:
        shown = places[:_SHOWN_IMAGES]
        answers = [test.select(shown).predicted for test in found.tests]
        images = [
            {"index": index, "picture": as_png(found.tests[0].images[index]), "true": true, "said": list(said)}
            for index, true, *said in zip(shown.tolist(), found.tests[0].select(shown).true, *answers, strict=True)
        ]
        made.append({"right": [run.name for run, good in zip(found.runs, right, strict=True) if good], "n": len(places), "images": images})
    return made


def change(asked: Asked) -> dict[str, Any]:
    """Write a note, put tags or a star on a run, give it another name."""
    wanted, run = asked.read(Changes), _own(asked.path["run"])
    if wanted.name is not None and wanted.name != run.name:  # first, since a name may be refused, and then nothing is done
        run = run.rename(wanted.name)
    if wanted.note is not None:
        run.annotate(note=wanted.note)
    if wanted.tags is not None:
        stars = (STAR,) if STAR in run.about.tags else ()
        run.annotate(tags=(*dict.fromkeys(tag for tag in wanted.tags if tag != STAR), *stars))
    if wanted.star is not None:
        run.tag(STAR, remove=not wanted.star)
    return _row(run)


def remove(asked: Asked) -> dict[str, str]:
    """Move a folder among the runs, readable or not, to the trash."""
    name = asked.path["run"]
    if name in RESERVED:  # such as the folder of all sweeps
        raise UsageError(f"'{name}' is no run's own name.")
    existing_place(runs_folder(), name)
    return {"entry": to_trash(runs_folder(), name).name, "name": name}


def put_back(asked: Asked) -> dict[str, str]:
    """Take a run out of the trash again."""
    return {"name": take_back(runs_folder(), asked.path["entry"]).name}


def _own(name: str) -> Run:
    if name == STARTER:
        raise UsageError("The network that comes with handlens stays as it is.", hint="Change a run of your own.")
    return run_named(name)
