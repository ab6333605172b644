"""The routes of the sweeps on Runs: which there are, and what came of one."""

from __future__ import annotations

import math
from typing import Any

from handlens import files
from handlens.errors import HandlensError, RunNotFound
from handlens.sweep import Sweep, find_folder, load_sweep, sweeps_folder
from handlens.sweep.figures import heat_maps, lines
from handlens.web.absent import needing
from handlens.web.asked import Asked

_LATEST = "latest"


def known(_asked: Asked) -> dict[str, Any]:
    """Each sweep with how far it is, and each folder that cannot be read as one, with the reason."""
    names = [folder.name for folder in files.entries(sweeps_folder()) if not folder.name.startswith(".")]
    return {"sweeps": [{"name": name, **_state(name)} for name in names], "folder": str(sweeps_folder().resolve())}


def _state(name: str) -> dict[str, Any]:
    try:
        sweep = load_sweep(find_folder(name).name)
        best = sweep.best
    except HandlensError as error:
        return {"reason": error.what}
    return {"axes": sweep.axes, "points": sweep.asked, "done": sweep.done, "val_accuracy": best.val_accuracy if best else None}


def one(asked: Asked) -> dict[str, Any]:
    """A sweep's table, the best point first, and what the heat maps and the parallel coordinates show."""
    sweep = _sweep(asked.path["sweep"])
    maps, row, column = heat_maps(sweep)
    drawn = lines(sweep)
    columns = [name for name in sweep.columns if name not in ("low", "high") or len(sweep.trials.spec.seeds) > 1]
    places = [sweep.columns.index(name) for name in columns]
    return {
        "name": sweep.name,
        "columns": columns,
        "rows": [_row(row, cells, places) for row, cells in zip(sweep.sorted(), sweep.cells(), strict=True)],
        "best": sweep.best.number if sweep.best else None,
        "heat": {"row": row, "after": sweep.compared_after, "column": column, "maps": [_map(one) for one in maps]},
        "parallel": vars(drawn),
        "commands": [f"handlens {'sweeps show' if sweep.is_complete else 'sweep --resume'} {sweep.name}"],
    }


def _row(row: dict[str, Any], cells: list[str], places: list[int]) -> dict[str, Any]:
    return {"point": row["point"], "cells": [cells[place] for place in places], "val_accuracy": row["val_accuracy"]}


def _map(one: Any) -> dict[str, Any]:
    values = [[value if math.isfinite(value) else None for value in line] for line in one.values.tolist()]
    return {"title": one.title, "rows": list(one.rows), "columns": list(one.columns), "values": values}


def findings(asked: Asked) -> dict[str, Any]:
    """What can be said of a sweep in words; the two best points are asked about the validation images for it."""
    sweep = _sweep(asked.path["sweep"])
    base, best = sweep.trials.spec.base, sweep.ranked[:2]
    with needing(*(row.get(name) or getattr(base, name) for row in best for name in ("data", "with_data"))):
        return {"sentences": sweep.sentences}


def _sweep(name: str) -> Sweep:
    """The sweep of exactly that name."""
    if name == _LATEST or not files.NAME.fullmatch(name):
        raise RunNotFound("There is no sweep of that name.", hint="See: handlens sweeps ls")
    return load_sweep(name)
