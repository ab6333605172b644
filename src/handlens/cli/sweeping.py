"""What `handlens sweep` does once it knows what to try; the slow imports are here."""

from __future__ import annotations

import time
from typing import Any

from handlens.cli.loading import telling
from handlens.cli.sweeps import show_sweep, write_all
from handlens.cli.terminal import print_json, remark, say, show_table
from handlens.cli.watching import Watch
from handlens.sweep import Spec, Sweep, Trials, begin, find_folder, go_on, make_engine, prepare
from handlens.sweep.findings import in_words
from handlens.sweep.telling import points_in_words
from handlens.words import counted


def run(spec: Spec | None, options: dict[str, Any], as_json: bool) -> int:
    """Begin a sweep, or go on with the one that is named in the options."""
    chosen = {name: options[name] for name in ("workers", "backend", "address", "gpus", "patience_s")}
    if spec is None:
        trials = Trials(find_folder(options["resume"]))
        engine = make_engine(trials.spec, **chosen)
    else:
        engine = make_engine(spec, **chosen)
        with telling() as tell_step:
            prepare(spec, tell_step)
        trials = begin(spec, options["name"])
    name = trials.folder.name
    start = time.monotonic()
    try:
        say(f"Sweep {name}, kept in {trials.folder}: {_plan(trials, engine.count)}.")
        with Watch(trials) as watch:
            found = go_on(trials, engine, watch.see, retry_failed=options["retry_failed"])
    except KeyboardInterrupt as stop:
        stop.add_note(f"What is done is kept; to go on: handlens sweep --resume {name}{engine.words}")
        raise
    say(f"Done in {time.monotonic() - start:.1f} s.")
    return finish(found, as_json)


def _plan(trials: Trials, at_a_time: int) -> str:
    """How many points and trainings, how many are done, and how many are trained at a time, if that is known before Ray has started."""
    done = sum(trials.outcome(name).finished for name in trials.names)
    points = points_in_words(Sweep(trials).asked, trials.spec)
    return points + (f", {counted(done, 'training')} done" if done else "") + (f", {at_a_time} at a time" if at_a_time else "")


def list_points(spec: Spec, as_json: bool) -> int:
    """Say what a sweep would train, and begin nothing."""
    points, names = spec.points(), [axis.name for axis in spec.axes]
    count = len(points) or spec.count
    if as_json:
        print_json({"points": points, "seeds": spec.seeds, "trainings": count * len(spec.seeds), "rungs": spec.rungs})
        return 0
    rows = [(number, *(in_words(point[name]) for name in names)) for number, point in enumerate(points, start=1)]
    show_table({"point": "right", **dict.fromkeys(names, "left")}, rows)
    later = "; TPE chooses them one after the other" if spec.method == "tpe" else ""
    remark(f"{points_in_words(count, spec)}{later}. Nothing was started.")
    return 0


def finish(found: Sweep, as_json: bool) -> int:
    """Write figures and findings into the sweep's folder, and show the table."""
    written = write_all(found)
    if as_json:
        print_json(found.to_dict() | {"written": [str(path) for path in written]})
    else:
        show_sweep(found, written=written)
    return int(any(row["status"].startswith("failed") for row in found.table) and not found.best)
