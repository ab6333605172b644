"""`handlens compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.pipes import write
from handlens.cli.terminal import FILE, json_option, out, print_json, remark, show_table, tell

if TYPE_CHECKING:
    from handlens.compare import Comparison


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option(
    "--format", "format_", type=click.Choice(["table", "csv", "md", "html"]), default="table", help="How the table is printed.  [table]"
)
@click.option("--plot", type=FILE, metavar="FILE.png", help="Where the curves go.  [compare.png beside the runs]")
@json_option
def compare(runs: tuple[str, ...], format_: str, plot: Path | None, as_json: bool) -> int:
    """Put runs side by side: what they reached on the test images, whether that is luck, what it cost, which knobs differ, their curves."""
    from handlens import compare as compare_runs
    from handlens import files, plots
    from handlens.runs import runs_folder

    found = compare_runs(*runs)
    picture = files.write_atomic(plot or runs_folder() / "compare.png", plots.png(found.plot()))
    images = None
    if found.disagreements:
        beside = picture.with_name(f"{picture.stem}-disagreements.png")
        images = files.write_atomic(beside, plots.png(found.plot_disagreements()))
    if as_json:
        words = {"disagreements": found.disagreements, "paired": [pair.to_dict() for pair in found.paired], "sentences": found.sentences}
        print_json({"runs": found.rows, **words, "plot": str(picture), "disagreements_plot": images and str(images)})
        return 0
    if format_ == "table":
        _show(found)
        _show_pairs(found)
        remark(f"Curves   {picture}")
        if images:
            remark(f"Images   {images}")
    else:
        write({"csv": found.to_csv, "md": found.to_markdown, "html": found._repr_html_}[format_]())
    return 0


def _show_pairs(found: Comparison) -> None:
    """Each pair on the same images if there are more than two runs, and what can be said in words."""
    if len(found.runs) > 2 and found.paired and sys.stdout.isatty():
        columns = {"first": "left", "second": "left", "only first right": "right", "only second right": "right", "p": "right"}
        rows = [(one.first, one.second, one.test.only_first, one.test.only_second, f"{one.test.p:.2g}") for one in found.paired]
        show_table(columns, rows, "Pairs of runs on the same images (McNemar's test; p is not corrected for the number of pairs)")
    for sentence in found.sentences:
        remark(sentence)


def _show(found: Comparison) -> None:
    """On a terminal a column for each run, as many side by side as fit; for a program a line for each."""
    cells = found.cells()
    if not sys.stdout.isatty():
        show_table(dict.fromkeys(found.columns, "left"), cells)
        return
    heads = max(map(len, found.columns))
    while cells:
        widths = [max(map(len, column)) + 2 for column in cells]
        fitting = max(1, sum(heads + sum(widths[: count + 1]) <= out().width for count in range(len(cells))))
        names, *lines = zip(found.columns, *cells[:fitting], strict=True)
        show_table({names[0]: "left"} | dict.fromkeys(names[1:], "right"), lines)
        cells = cells[fitting:]
        tell()
