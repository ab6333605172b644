"""`handlens compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.pipes import write
from handlens.cli.terminal import json_option, out, print_json, remark, show_table, tell

if TYPE_CHECKING:
    from handlens.compare import Comparison


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option(
    "--format", "format_", type=click.Choice(["table", "csv", "md", "html"]), default="table", help="How the table is printed.  [table]"
)
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.png", help="Where the curves go.  [compare.png beside the runs]")
@json_option
def compare(runs: tuple[str, ...], format_: str, plot: Path | None, as_json: bool) -> int:
    """Put runs side by side: what they reached on the test images, what it cost, which knobs differ, and their curves."""
    from handlens import compare as compare_runs
    from handlens import files, plots
    from handlens.runs import runs_folder

    found = compare_runs(*runs)
    picture = files.write_atomic(plot or runs_folder() / "compare.png", plots.png(found.plot()))
    if as_json:
        print_json({"runs": found.rows, "disagreements": found.disagreements, "plot": str(picture)})
        return 0
    if format_ == "table":
        _show(found)
        if found.disagreements is not None:
            remark(f"They disagree on {found.disagreements:,} of the test images.")
        remark(f"Curves   {picture}")
    else:
        write({"csv": found.to_csv, "md": found.to_markdown, "html": found._repr_html_}[format_]())
    return 0


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
