"""Two or more runs side by side: what they reached, what it cost, and what was different about them."""

from __future__ import annotations

import csv
import html
import io
import itertools
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from handlens import metrics, models
from handlens.config import FIELDS
from handlens.data.offline import is_offline
from handlens.errors import DataMissing, UsageError
from handlens.evaluation import Evaluation
from handlens.runs import Run, load_run
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        runs: the runs, in the order given.
        rows: for each run what it reached with the weights that are used (of the last `epoch`, or of the best if it was to stop early),
            its time in s, its parameters, the multiplications that an image costs, and the knobs that are not the same in all.
        tests: each run on its test images; none of them if they were not all tested on the same ones.
        why_not: why there is no paired test; empty if there is one.
    """

    runs: tuple[Run, ...]
    rows: tuple[dict[str, Any], ...]
    tests: tuple[Evaluation, ...] = ()
    why_not: str = ""

    @property
    def disagreements(self) -> int | None:
        """Of the test images, how many get different answers from the runs; None if they were not tested on the same images."""
        return int(self._differs.sum()) if self.tests else None

    @property
    def _differs(self) -> NDArray[np.bool_]:
        predictions = np.stack([test.predictions for test in self.tests])
        return np.asarray((predictions != predictions[0]).any(axis=0))

    @property
    def paired(self) -> list[Paired]:
        """Each pair of runs on the same images, by McNemar's test; none if `why_not`. No correction for the number of pairs."""
        pairs = itertools.combinations(zip(self.runs, self.tests, strict=False), 2)
        return [Paired(one.name, other.name, metrics.mcnemar(first.correct, second.correct)) for (one, first), (other, second) in pairs]

    @property
    def sentences(self) -> list[str]:
        """What two runs differ in, in words; of more runs, or on different images, only what can be said of all."""
        if self.why_not:
            return [self.why_not]
        said = [_which_is_better(self, self.paired[0]), _which_costs_more(*self.rows)] if len(self.runs) == 2 else []
        return [*filter(None, said), f"They disagree on {self.disagreements:,} of {counted(self.tests[0].n, 'test image')}."]

    @property
    def cases(self) -> list[tuple[tuple[bool, ...], NDArray[np.int64]]]:
        """Where the runs disagree: which of them are right, and the places of those test images; the commonest case first."""
        places = np.flatnonzero(self._differs) if self.tests else np.zeros(0, dtype=np.int64)
        right = [tuple(bool(test.correct[place]) for test in self.tests) for place in places]
        return [(case, places[[one == case for one in right]]) for case, _ in Counter(right).most_common()]

    def plot_disagreements(self, count: int = 10) -> Figure:
        """Where the runs disagree: images in rows by who is right, the commonest case first.

        Raises:
            UsageError: they were not tested on the same images, or agree on all of them.
        """
        from handlens import plots

        if not self.disagreements:
            raise UsageError(self.why_not or "The runs give the same answer to every test image.")
        rows = [self._row(case, places[:count], len(places)) for case, places in self.cases[:6]]
        return plots.plot_rows(rows, "Where the runs disagree", "below each image: its label, then what each run says, in their order")

    def _row(self, case: tuple[bool, ...], places: Any, number: int) -> Any:
        from handlens import plots

        right = [run.name for run, good in zip(self.runs, case, strict=True) if good]
        heading = f"right: {', '.join(right)}" if right else "all wrong, each in its way"
        answers = zip(*(test.select(places).predicted for test in self.tests), strict=True)
        captions = [f"{true}: {', '.join(said)}" for true, said in zip(self.tests[0].select(places).true, answers, strict=True)]
        return plots.ImageRow(heading, counted(number, "image"), self.tests[0].images[places], captions)

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
        RunNotFound, RunDamaged: one is not there, or cannot be read.
        DataError: the images of one cannot be had; where nothing may be fetched, it is compared without them.
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
    why_not = _why_no_pairs(tests)
    return Comparison(runs, rows, () if why_not else tuple(test for test in tests if test), why_not)


def _why_no_pairs(tests: list[Evaluation | None]) -> str:
    found = [test for test in tests if test]
    if len(found) < len(tests):
        return "There is no paired test: not all runs could be measured on their test images here."
    if all(np.array_equal(test.labels, found[0].labels) and np.array_equal(test.images, found[0].images) for test in found):
        return ""
    return (
        "There is no paired test: it counts the images that one run has right and the other wrong, and these runs were tested on "
        "different images. Their accuracies can only be compared by their intervals, and say as much about the images as about the runs."
    )


@dataclass(frozen=True)
class Paired:
    """Two runs on the same images.

    Attributes:
        first: the name of one run.
        second: that of the other.
        test: McNemar's test.
    """

    first: str
    second: str
    test: metrics.McNemar

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"first": self.first, "second": self.second, **vars(self.test)}


def _which_is_better(found: Comparison, pair: Paired) -> str:
    names, tests = (pair.first, pair.second), found.tests
    only = (pair.test.only_first, pair.test.only_second)
    better = int(only[1] > only[0])
    worse = 1 - better
    scores = f"{tests[better].accuracy:.2%} against {tests[worse].accuracy:.2%} on the same {tests[0].n:,} images"
    counts = f"{only[better]:,} that only {names[better]} has right, {only[worse]:,} that only {names[worse]} has (McNemar's test)"
    if pair.test.p < 0.05:
        return f"{names[better]} is more accurate than {names[worse]}, {scores}; {_luck(pair.test.p)}: {counts}."
    return f"Neither is shown to be more accurate: {names[better]} {scores}; {_luck(pair.test.p)}: {counts}."


def _luck(p: float) -> str:
    return f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"


def _which_costs_more(first: dict[str, Any], second: dict[str, Any]) -> str:
    quick, slow = sorted((first, second), key=lambda row: float(row["time_s"]))
    if not quick["time_s"]:
        return ""
    seconds = f"{slow['time_s']:.1f} s against {quick['time_s']:.1f} s"
    parts = [f"{slow['run']} took {_times(slow['time_s'], quick['time_s'])} as long to train, {seconds}"]
    for name, words in (("parameters", "the parameters"), ("multiplications", "the multiplications for an image")):
        if slow[name] and quick[name]:
            parts.append(f"{_times(slow[name], quick[name])} {words}")
    return f"{parts[0]}{', with ' if parts[1:] else ''}{' and '.join(parts[1:])}."


def _times(more: float, less: float) -> str:
    return f"{more / less:.3g} times"


def _test_of(run: Run) -> Evaluation | None:
    """The run on its test images; None where its data or its network are the user's own, or are not here and may not be fetched."""
    try:
        return run.evaluate("test")
    except UsageError:
        return None
    except DataMissing:
        if not is_offline():
            raise
        return None


def _row(run: Run, test: Evaluation | None, different: list[str]) -> dict[str, Any]:
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
        "parameters": _cost(lambda: models.count_parameters(run.model())),
        "multiplications": _cost(lambda: models.count_multiplications(run.model(), run.about.image_shape)),
        **{name: _knob(run, name) for name in different},
    }


def _knob(run: Run, name: str) -> Any:
    """A knob of the run; None if its network has no such knob."""
    return None if name in models.idle_knobs(run.config.model) else getattr(run.config, name)


def _cost(count: Callable[[], int]) -> int | None:
    try:
        return count()
    except UsageError:
        return None


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
    if name in ("parameters", "multiplications"):
        return f"{value:,}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
