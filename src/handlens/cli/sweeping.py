"""What `handlens sweep` does once it knows what to try, and what is seen of it meanwhile; the slow imports are here."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from handlens.cli.loading import telling
from handlens.cli.sweeps import show_sweep, write_all
from handlens.cli.terminal import err, plain, print_json, say
from handlens.errors import UsageError
from handlens.sweep import Event, Pool, Spec, Sweep, Trials, begin, find_folder, go_on, make_engine, prepare
from handlens.sweep.pool import PATIENCE_S
from handlens.sweep.spec import TrialName

if TYPE_CHECKING:
    from handlens.sweep.cluster import RayPool

_MOST_SHOWN = 12


def run(spec: Spec | None, options: dict[str, Any], as_json: bool) -> int:
    """Begin a sweep, or go on with the one that is named in the options."""
    if spec is None:
        trials = Trials(find_folder(options["resume"]))
    else:
        with telling() as tell_step:
            prepare(spec, tell_step)
        trials = begin(spec, options["name"])
    name = trials.folder.name
    engine = _engine(trials.spec, options)
    say(f"Sweep {name}, kept in {trials.folder}: {_amount(trials)}{f', {engine.count} at a time' if engine.count else ''}.")
    start = time.monotonic()
    try:
        with Watch(trials) as watch:
            found = go_on(trials, engine, watch.see, retry_failed=options["retry_failed"])
    except KeyboardInterrupt as stop:
        stop.add_note(f"What is done is kept; to go on: handlens sweep --resume {name}{_engine_words(options)}")
        raise
    say(f"Done in {time.monotonic() - start:.1f} s.")
    return finish(found, as_json)


def _engine(spec: Spec, options: dict[str, Any]) -> Pool | RayPool:
    """Who gives out the trials."""
    if options["backend"] == "local":
        if options["address"]:
            raise UsageError("--address is that of a Ray cluster.", hint="Add --backend ray.")
        if options["gpus"] is not None:
            raise UsageError("--gpus is what a trial takes on Ray.", hint="Add --backend ray. Here the trials share --device.")
        return make_engine(spec, options["workers"], patience_s=options["patience_s"])
    if options["workers"] != "auto":
        raise UsageError("On Ray as many trials run at a time as fit.", hint="Leave out --workers; --threads says what one takes.")
    from handlens.sweep.cluster import RayPool

    gpus = float(spec.base.device.startswith("cuda")) if options["gpus"] is None else options["gpus"]
    return RayPool(spec.base.threads or 1, options["address"], options["patience_s"], gpus)


def _engine_words(options: dict[str, Any]) -> str:
    """The options that say who gives out the trials, where they are not the usual ones."""
    usual = {"backend": "local", "address": "", "workers": "auto", "gpus": None, "patience_s": PATIENCE_S}
    return "".join(f" --{name.replace('_', '-')} {options[name]}" for name, value in usual.items() if options[name] != value)


def _amount(trials: Trials) -> str:
    points, seeds = len(trials.points) or trials.spec.count, len(trials.spec.seeds)
    return f"{points:,} points" + (f" with {seeds} seeds each" if seeds > 1 else "")


def finish(found: Sweep, as_json: bool) -> int:
    """Write figures and findings into the sweep's folder, and show the table."""
    written = write_all(found)
    if as_json:
        print_json(found.to_dict() | {"written": [str(path) for path in written]})
    else:
        show_sweep(found, written=written)
    return int(any(row["status"].startswith("failed") for row in found.table) and not found.best)


class Watch:
    """The live table on stderr while its `with` lasts: what is under way, how far all is, the best so far. Piped: a line for each trial."""

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        columns = (TextColumn("trials' epochs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left at most"))
        self.progress = Progress(*columns)
        self.epochs = {str(name): trials.outcome(name).epoch for name in trials.names}
        self.most = (0, 0)
        self.task = self.progress.add_task("", total=self._most(), completed=sum(self.epochs.values()))
        self.now: dict[str, str] = {}
        self.best = (-1.0, "")
        self.live = Live(console=err(), transient=True, refresh_per_second=4) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.live:
            self.live.stop()

    def _most(self) -> int:
        """The epochs of all trials, if none ends early. It is reckoned again when there are more points."""
        spec, points = self.trials.spec, self.trials.points
        if self.most[0] == len(points) > 0:
            return self.most[1]
        known = sum(spec.config(point, spec.seeds[0]).epochs for point in points)
        unknown = max(0, spec.count - len(points)) * spec.base.epochs if spec.method == "tpe" else 0
        self.most = len(points), (known + unknown) * len(spec.seeds)
        return self.most[1]

    def see(self, event: Event) -> None:
        """Take in what happened to a trial."""
        if event.row is None:
            ended = self.now.pop(event.trial, "")
            line = f"{event.trial}  {self._knobs(event.trial)}  {(event.reason and 'failed: ' + event.reason) or ended}"
            if self.live and event.reason:
                self.live.console.print(Text(plain(line)))
            elif not self.live:
                say(line)
        else:
            self._see_epoch(event.trial, event.row)
        if self.live:
            self.live.update(self._picture())

    def _see_epoch(self, trial: str, row: dict[str, float]) -> None:
        self.epochs[trial] = int(row["epoch"])
        score = row.get("val_accuracy", row["train_accuracy"])
        self.now[trial] = f"epoch {int(row['epoch'])}  {'val' if 'val_accuracy' in row else 'train'} acc {score:.2%}"
        self.best = max(self.best, (score, trial))
        self.progress.update(self.task, completed=sum(self.epochs.values()), total=self._most())

    def _knobs(self, trial: str) -> str:
        number, seed = (int(part) for part in trial.split("-"))
        name = TrialName(number, seed)
        point = self.trials.points[name.number - 1]
        values = {key: "-".join(map(str, value)) if isinstance(value, tuple) else value for key, value in point.items()}
        return ", ".join(f"{key} {value}" for key, value in values.items())

    def _picture(self) -> Group:
        table = Table(box=None, pad_edge=False, show_header=False)
        for trial in list(self.now)[-_MOST_SHOWN:]:
            table.add_row(trial, plain(self._knobs(trial)), self.now[trial])
        if self.best[1]:
            table.add_row("best", plain(self._knobs(self.best[1])), f"{self.best[0]:.2%}", style="bold")
        return Group(table, self.progress)
