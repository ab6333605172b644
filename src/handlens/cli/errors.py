"""`handlens errors`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlens.cli.terminal import FILE, checkpoint_option, json_option, on_option, print_json, remark, show_table, tell
from handlens.errors import DataMissing, UsageError
from handlens.words import counted

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from handlens.analysis import Agreement, Cluster, Group
    from handlens.evaluation import ConfusedPair, Evaluation, Selection
    from handlens.runs import Run

Figures = dict[str, "Callable[[], Figure]"]

_PAIRS = 6


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN...]")
@on_option
@click.option("--top", type=click.IntRange(1, 200), default=25, help="How many images of each kind.  [25]")
@click.option("--pair", metavar="TRUE,PREDICTED", help="Only the images of one class that were taken for another, such as 4,9.")
@click.option("--save", type=FILE, metavar="FILE.png", help="Where the figures go.  [plots/ in the run]")
@checkpoint_option
@json_option
def errors(runs: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Show where RUN is wrong: confused classes, the worst and the least certain images, mistakes that look alike, ways of writing.

    Of several runs, such as the same training with five seeds: which images are wrong in all of them, and which only once.
    """
    from handlens.cli.loading import find_result

    found = [find_result(run, None, options["checkpoint"]) for run in runs]
    if len(found) > 1:
        return _agreement(found, options, as_json)
    evaluation = found[0].evaluate(options["on"])
    report = _pair(evaluation, options) if options["pair"] else _all(found[0], evaluation, options)
    figures = _save(report.pop("figures"), found[0].folder / "plots" / "errors.png", options["save"])
    mistakes = int((~evaluation.correct).sum())
    facts = {"run": found[0].name, "split": evaluation.split, "n": evaluation.n, "mistakes": mistakes}
    if as_json:
        print_json(facts | {name: _plain(value) for name, value in report.items()} | {"figures": figures})
        return 0
    _show(report)
    remark(f"Of {evaluation.n:,} {evaluation.split} images {counted(mistakes, 'is', 'are')} wrong.")
    _tell(figures)
    return 0


def _pair(evaluation: Evaluation, options: dict[str, Any]) -> dict[str, Any]:
    true, comma, predicted = options["pair"].partition(",")
    if not comma:
        raise UsageError(f"'{options['pair']}' is no pair of classes.", hint="Two names with a comma, the true one first: --pair 4,9")
    chosen = evaluation.confused(true.strip(), predicted.strip(), options["top"])
    if not len(chosen):
        raise UsageError(f"No {true} was taken for a {predicted}.", hint="The pairs that there are: handlens errors RUN")
    return {"pair": chosen, "figures": {"pair": chosen.show}}


def _all(run: Run, evaluation: Evaluation, options: dict[str, Any]) -> dict[str, Any]:
    from handlens import analysis

    top, pairs = options["top"], evaluation.most_confused(_PAIRS)
    found: dict[str, Any] = {"pairs": pairs, "worst": evaluation.mistakes(top), "uncertain": evaluation.uncertain(top)}
    figures: Figures = {"uncertain": found["uncertain"].show}
    if pairs:
        clusters = found["clusters"] = analysis.cluster_mistakes(evaluation, run.model())
        figures["pairs"] = lambda: analysis.plot_confused(evaluation, pairs)
        figures["worst"] = found["worst"].show
        figures["clusters"] = lambda: analysis.plot_clusters(evaluation, clusters)
    if _is_ink(run, options["on"]):
        strokes = found["strokes"] = analysis.accuracy_by_stroke(evaluation)
        figures["strokes"] = lambda: analysis.plot_strokes(evaluation, strokes)
    writers = _writers(run, options["on"])
    if writers is not None:
        found["writers"] = analysis.accuracy_by_writer(evaluation, writers)[:top]
    return found | {"figures": figures}


def _writers(run: Run, on: str) -> NDArray[np.int64] | None:
    """Who wrote each image, if that is known here: MNIST's are, once QMNIST's labels are on this machine."""
    from handlens import data
    from handlens.runs import as_folder

    if on == "mnist" or (on == "test" and run.config.data == "mnist"):
        with contextlib.suppress(DataMissing):
            return data.mnist_writers(offline=True, say=lambda *_: None)[1]
    writers = None if as_folder(on) else run.split(on).writers
    return None if writers is None else writers.numpy()


def _is_ink(run: Run, on: str) -> bool:
    from handlens import data
    from handlens.runs import as_folder

    dataset = run.dataset()
    return (dataset if on in dataset.splits or as_folder(on) else data.load(on)).ink


def _agreement(runs: list[Run], options: dict[str, Any], as_json: bool) -> int:
    from handlens import analysis
    from handlens.runs import runs_folder

    if options["pair"]:
        raise UsageError("--pair goes with one run.", hint="handlens errors RUN --pair 4,9")
    if len({run.folder.absolute() for run in runs}) < len(runs):
        raise UsageError("A run is given twice.", hint="Which images are always wrong, only different runs can say: handlens runs ls")
    found = analysis.agreement([run.evaluate(options["on"]) for run in runs])
    drawn: Figures = {"agreement": lambda: found.plot(options["top"])} if found.wrong.any() else {}
    figures = _save(drawn, runs_folder() / "errors.png", options["save"])
    if as_json:
        print_json({"runs": [run.name for run in runs], "split": options["on"], **found.to_dict(), "figures": figures})
        return 0
    _show_agreement(found)
    _tell(figures)
    return 0


def _show_agreement(found: Agreement) -> None:
    places = {times: ", ".join(map(str, found.indices(times, 8))) if times else "" for times in range(len(found.counts))}
    rows = [(found.named(times), number, f"{found.by_chance[times]:.1f}", places[times]) for times, number in enumerate(found.counts)]
    columns = {"wrong in": "left", "images": "right", "if mistakes fell by lot": "right", "the worst of them": "left"}
    show_table(columns, rows[::-1])


def _save(figures: Figures, home: Path, wanted: Path | None) -> dict[str, str]:
    """Write the figures; a name for each is put into the file's, unless there is only one and the user named the file."""
    from handlens import files, plots

    path = wanted or home
    places = {name: path.with_name(f"{path.stem}-{name}{path.suffix or '.png'}") for name in figures}
    if wanted and len(figures) == 1:
        places = dict.fromkeys(figures, wanted)
    return {name: str(files.write_atomic(places[name], plots.png(draw()))) for name, draw in figures.items()}


def _tell(figures: dict[str, str]) -> None:
    for name, path in figures.items():
        remark(f"{name.capitalize():<10} {path}")


def _show(report: dict[str, Any]) -> None:
    """The short tables; piped, one table for a program. The rest is in the figures and in --json."""
    shows: dict[str, Callable[[Any], None]] = {"pairs": _show_pairs, "pair": _show_images, "clusters": _show_clusters}
    shows |= {"strokes": _show_strokes, "writers": _show_writers}
    tables = [name for name in shows if report.get(name)]
    for name in tables if sys.stdout.isatty() else tables[:1]:
        shows[name](report[name])
        if sys.stdout.isatty():
            tell()


def _show_pairs(pairs: list[ConfusedPair]) -> None:
    show_table({"class": "left", "taken for": "left", "times": "right"}, [(pair.true, pair.predicted, pair.count) for pair in pairs])


def _show_images(chosen: Selection) -> None:
    columns = {"image": "right", "class": "left", "taken for": "left", "how sure": "right", "loss": "right"}
    rows = zip(chosen.indices, chosen.true, chosen.predicted, chosen.probabilities, chosen.losses, strict=True)
    show_table(columns, [(index, true, guess, f"{sure:.1%}", f"{loss:.2f}") for index, true, guess, sure, loss in rows])


def _show_clusters(clusters: list[Cluster]) -> None:
    rows = [
        (number, len(one.indices), ", ".join(f"{pair.count}x {pair.true} as {pair.predicted}" for pair in one.pairs[:3]))
        for number, one in enumerate(clusters, start=1)
    ]
    show_table({"cluster": "right", "mistakes": "right", "commonest": "left"}, rows)


def _show_strokes(strokes: dict[str, list[Group]]) -> None:
    _show_groups([(name, group) for name, found in strokes.items() for group in found])


def _show_writers(writers: list[Group]) -> None:
    _show_groups([("writer", group) for group in writers])


def _show_groups(groups: list[tuple[str, Group]]) -> None:
    rows = [(name, one.name, one.n, f"{one.accuracy:.2%}", "{:.2%} to {:.2%}".format(*one.interval)) for name, one in groups]
    show_table({"measure": "left", "group": "left", "images": "right", "accuracy": "right", "95 % interval": "left"}, rows)


def _plain(value: Any) -> Any:
    """A result as JSON has it."""
    from handlens.evaluation import ConfusedPair, Selection

    if isinstance(value, Selection):
        return value.to_dict()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [vars(one) if isinstance(one, ConfusedPair) else one.to_dict() for one in value]
