"""Two or more runs side by side: what they reached, what it cost, and what was different about them."""

from __future__ import annotations

import csv
import html
import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlens import models
from handlens.config import FIELDS
from handlens.errors import UsageError
from handlens.runs import Run, load_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        runs: the runs, in the order given.
        rows: for each run what it reached with the weights that are used (of the last `epoch`, or of the best if it was to stop early),
            its time in s, its parameters, and the knobs that are not the same in all.
        disagreements: of the test images, how many get different answers from the runs; None if they were not tested on the same images.
    """

    runs: tuple[Run, ...]
    rows: tuple[dict[str, Any], ...]
    disagreements: int | None = None

    @property
    def columns(self) -> list[str]:
        """The headings of the table, in order."""
        return [name for name in self.rows[0] if name not in ("epoch", "planned_epochs")]

    def plot(self) -> Figure:
        """Validation accuracy by epoch, one curve a run; training accuracy if a run has no validation images."""
        from handlens import plots

        metric = "val_accuracy" if all("val_accuracy" in run.history for run in self.runs) else "train_accuracy"
        return plots.plot_compare({run.name: run.rows for run in self.runs}, metric)

    def cells(self) -> list[list[str]]:
        """The table as text, a list of cells for each run."""
        return [[_shown(name, row) for name in self.columns] for row in self.rows]

    def to_csv(self) -> str:
        """The table as CSV for a program: numbers in full, one a cell; sizes of layers as 128-64."""
        rows = [_for_programs(row) for row in self.rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def to_markdown(self) -> str:
        """The table as Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.cells()]
        return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in cells) for cells in self.cells()]
        return f"<table><tr>{heads}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"

    def __repr__(self) -> str:
        return self.to_markdown()


def compare(*references: str | os.PathLike[str] | Run) -> Comparison:
    """Put runs side by side.

    Args:
        references: two or more runs, or what `load_run` takes.

    Raises:
        UsageError: fewer than two, or one of them twice.
        RunNotFound: one is not there.
    """
    if len(references) < 2:
        raise UsageError("A comparison needs two runs or more.", hint="handlens compare RUN RUN")
    runs = tuple(reference if isinstance(reference, Run) else load_run(reference) for reference in references)
    for index, run in enumerate(runs):
        if run.folder.absolute() in (other.folder.absolute() for other in runs[:index]):
            raise UsageError(f"Run '{run.name}' is given twice.", hint="Compare it with another one: handlens runs ls")
    different = [name for name in FIELDS if name != "epochs" and len({str(getattr(run.config, name)) for run in runs}) > 1]
    tests = [_test_of(run) for run in runs]
    rows = tuple(_row(run, test, different) for run, test in zip(runs, tests, strict=True))
    return Comparison(runs, rows, _disagreements(tests))


def _test_of(run: Run) -> Any:
    """The run on its test images; None where its data or its network are not at hand."""
    try:
        return run.evaluate("test")
    except UsageError:
        return None


def _row(run: Run, test: Any, different: list[str]) -> dict[str, Any]:
    used = run.used_row
    return {
        "run": run.name,
        "status": run.status,
        "test_accuracy": test.accuracy if test else None,
        "interval": list(test.interval) if test else None,
        "weights": run.default_checkpoint,
        "epoch": int(used.get("epoch", 0)),
        "val_accuracy": used.get("val_accuracy"),
        "val_loss": used.get("val_loss"),
        "train_accuracy": used.get("train_accuracy"),
        "epochs": len(run.rows),
        "planned_epochs": run.config.epochs,
        "time_s": sum(row.get("time_s", 0.0) for row in run.rows),
        "parameters": _parameters(run),
        **{name: _knob(run, name) for name in different},
    }


def _knob(run: Run, name: str) -> Any:
    """A knob of the run; None if its network has no such knob."""
    return None if name in models.idle_knobs(run.config.model) else getattr(run.config, name)


def _parameters(run: Run) -> int | None:
    try:
        return models.count_parameters(run.model())
    except UsageError:
        return None


def _disagreements(tests: list[Any]) -> int | None:
    if any(test is None or test.n != tests[0].n or (test.labels != tests[0].labels).any() for test in tests):
        return None
    differs = sum((test.predictions != tests[0].predictions) for test in tests[1:])
    return int((differs > 0).sum())


def _for_programs(row: dict[str, Any]) -> dict[str, Any]:
    low, high = row["interval"] or (None, None)
    cells: dict[str, Any] = {}
    for name, value in row.items():
        cells |= {"interval_low": low, "interval_high": high} if name == "interval" else {name: value}
    return {name: "-".join(map(str, value)) if isinstance(value, tuple) else value for name, value in cells.items()}


def _shown(name: str, row: dict[str, Any]) -> str:
    value = row[name]
    if value is None:
        return ""
    if name == "weights":
        return f"{value} epoch, {row['epoch']}"
    if name == "epochs":
        return f"{value}/{row['planned_epochs']}"
    if name == "interval":
        return f"{value[0]:.2%} to {value[1]:.2%}"
    if name.endswith("accuracy"):
        return f"{value:.2%}"
    if isinstance(value, float):
        return f"{value:.1f}" if name == "time_s" else f"{value:.4f}" if name == "val_loss" else f"{value:.4g}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else f"{value:,}" if name == "parameters" else str(value)
