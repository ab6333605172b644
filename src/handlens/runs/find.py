"""From what a user types to a run; and all the runs of a folder, the broken ones with the reason."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from handlens import files
from handlens.data import as_dataset, with_added
from handlens.errors import HandlensError, RunDamaged, RunNotFound, UsageError, nearest
from handlens.runs.folder import SWEEPS, is_half_made
from handlens.runs.run import Run
from handlens.runs.shared import STARTER, starter

_LOWER_IS_BETTER = ("loss", "time_s")


@dataclass(frozen=True)
class Broken:
    """A folder among the runs that cannot be read as one, and why."""

    folder: Path
    reason: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name


def runs_folder() -> Path:
    """Where runs are kept: `HANDLENS_RUNS`, else `runs` where the user stands."""
    return Path(os.environ.get("HANDLENS_RUNS") or "runs")


def scan(root: Path | None = None) -> tuple[list[Run], list[Broken]]:
    """All runs of a folder, oldest first, and the folders in it that cannot be read as runs; one that is half made is neither."""
    root = runs_folder() if root is None else root
    runs: list[Run] = []
    broken: list[Broken] = []
    for folder in files.entries(root):
        if folder.name.startswith(".") or folder.name == SWEEPS or not files.is_folder(folder) or is_half_made(folder):
            continue
        try:
            runs.append(Run(folder))
        except HandlensError as error:
            broken.append(Broken(folder, error.what))
    return sorted(runs, key=lambda run: (run.about.id, run.name)), broken


def list_runs(root: str | os.PathLike[str] | None = None) -> list[Run]:
    """All runs of a folder that can be read, oldest first."""
    return scan(Path(root) if root is not None else None)[0]


def load_run(reference: str | os.PathLike[str] = "latest", *, model: nn.Module | None = None, data: object = None) -> Run:
    """Find a run.

    Args:
        reference: a folder, a name, an id, the unique beginning of one, `latest`, `best` (by validation accuracy) or `best:METRIC`;
            `starter` is the one that comes with handlens, unless you have one of that name.
        model: your own network, if the run was trained with one that no file leads back to.
        data: your own data, if the run was trained on such: anything `handlens.data.as_dataset` takes.

    Raises:
        RunNotFound: there is none, or the beginning fits several.
        RunDamaged: there is one, but it cannot be read.
    """
    run = _find(reference)
    return run.use(model, None if data is None else with_added(as_dataset(data, val=run.config.val), run.config.with_data))


def _find(reference: str | os.PathLike[str]) -> Run:
    text = os.fspath(reference)
    if "\0" in text or not 0 < len(text) < 4096:
        raise RunNotFound("A run's name cannot be empty, endless, or have a zero byte in it.")
    if any(separator in text for separator in ("/", os.sep)) or _is_run(Path(text)):
        return _open_folder(Path(text))
    runs, broken = scan()
    if text == "latest" or text.partition(":")[0] == "best":
        return _choose(text, runs)
    named = [run for run in runs if text in (run.name, run.about.id)]
    if text == STARTER and not named:
        return starter()
    named = named or [run for run in runs if run.name.startswith(text) or run.about.id.startswith(text)]
    if len(named) == 1:
        return named[0]
    for ruin in broken:
        if ruin.name == text:
            raise RunDamaged(f"Run '{text}' cannot be read: {ruin.reason}", where=str(ruin.folder))
    raise _not_found(text, runs, named)


def _is_run(folder: Path) -> bool:
    try:
        return (folder / "run.json").is_file()
    except OSError:  # a name too long for this disk
        return False


def _open_folder(folder: Path) -> Run:
    if not _is_run(folder) and not files.entries(folder):
        raise RunNotFound(f"There is no folder '{files.printable(str(folder))}'.", hint="See: handlens runs ls")
    return Run(folder)


def _not_found(text: str, runs: list[Run], several: list[Run]) -> RunNotFound:
    shown = files.printable(text)
    if several:
        names = ", ".join(run.name for run in several[:5])
        return RunNotFound(f"'{shown}' is the beginning of {len(several)} runs: {names}.", hint="Write more of the name.")
    if not runs:
        return no_runs()
    return RunNotFound(f"There is no run '{shown}'.", where=str(runs_folder().resolve()), hint=nearest(text, [run.name for run in runs]))


def no_runs() -> RunNotFound:
    """What is said where there is nothing yet: the folder looked at, and what to do next."""
    return RunNotFound("There are no runs yet.", where=str(runs_folder().resolve()), hint="Make one: handlens train session")


def _choose(text: str, runs: list[Run]) -> Run:
    if not runs:
        raise no_runs()
    if text == "latest":
        return runs[-1]
    metric = text.partition(":")[2] or "val_accuracy"
    scored = [run for run in runs if metric in run.used_row]
    if not scored:
        raise UsageError(f"No run has a '{files.printable(metric)}'.", hint=_other_metric(metric, runs))
    choose = min if metric.endswith(_LOWER_IS_BETTER) else max
    return choose(scored, key=lambda run: run.used_row[metric])


def _other_metric(metric: str, runs: list[Run]) -> str:
    if metric.startswith("test"):
        return "The test images are for the end, not to choose by: best:val_accuracy. What runs reach on them: handlens compare RUN RUN"
    return nearest(metric, sorted({name for run in runs for name in run.history}))
