"""`handlens compare`."""

from __future__ import annotations

from pathlib import Path

import click

from handlens.cli.terminal import json_option, print_json, remark, show_table


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
        show_table({name: "left" if name == "run" else "right" for name in found.columns}, found.cells())
        if found.disagreements is not None:
            remark(f"\nThey disagree on {found.disagreements:,} of the test images.")
        remark(f"Curves   {picture}")
    else:
        print({"csv": found.to_csv, "md": found.to_markdown, "html": found._repr_html_}[format_](), end="")
    return 0
