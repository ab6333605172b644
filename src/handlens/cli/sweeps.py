"""`handlens sweeps`: what one reads of sweeps that are there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.pipes import write
from handlens.cli.terminal import json_option, print_json, remark, show_table
from handlens.errors import HandlensError

if TYPE_CHECKING:
    from handlens.sweep import Sweep


@click.group()
def sweeps() -> None:
    """List and show sweeps."""


@sweeps.command()
@json_option
def ls(as_json: bool) -> int:
    """List all sweeps, by name.

    A sweep that cannot be read is listed with the reason.
    """
    from handlens import files
    from handlens.sweep import find_folder, load_sweep, sweeps_folder

    find_folder("latest")
    names = [path.name for path in files.entries(sweeps_folder()) if (path / "sweep.json").is_file()]
    rows: list[tuple[object, ...]] = []
    listed: list[dict[str, object]] = []
    for name in names:
        try:
            one = load_sweep(name)
            rows.append(_line(one))
            listed.append({"name": name, "axes": one.axes, "points": len(one.table), "complete": one.is_complete})
        except HandlensError as error:
            rows.append((name, "", "", "", f"broken: {error.what}"))
            listed.append({"name": name, "status": "broken", "reason": error.what})
    if as_json:
        print_json(listed)
        return 0
    show_table({"name": "left", "axes": "left", "points": "right", "best": "right", "status": "left"}, rows)
    return 0


def _line(one: Sweep) -> tuple[object, ...]:
    best = one.best
    state = "complete" if one.is_complete else "to go on: --resume"
    return one.name, ", ".join(one.axes), len(one.table), f"{best.val_accuracy:.2%}" if best else "", state


@sweeps.command()
@click.argument("name", default="latest")
@click.option("--sort", default="val_accuracy", metavar="COLUMN", help="The best first by this column of the table.  [val_accuracy]")
@click.option("--csv", "format_", flag_value="csv", help="Print the table as CSV.")
@click.option("--markdown", "format_", flag_value="markdown", help="Print the table as Markdown.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="Only the first N rows.")
@json_option
def show(name: str, sort: str, format_: str | None, top: int | None, as_json: bool) -> int:
    """Show what the sweep NAME has found: the table, figures, and findings in words."""
    from handlens.sweep import load_sweep

    found = load_sweep(name)
    if as_json:
        print_json(found.to_dict() | {"table": found.sorted(sort)[:top]})
    elif format_:
        lines = {"csv": found.to_csv, "markdown": found.to_markdown}[format_](sort).splitlines(keepends=True)
        heads = 2 if format_ == "markdown" else 1
        write("".join(lines[: top and top + heads]))
    else:
        show_sweep(found, sort, top, write_all(found))
    return 0


def show_sweep(found: Sweep, sort: str = "val_accuracy", top: int | None = None, written: Sequence[Path] = ()) -> None:
    """The table, the findings, and where the figures are."""
    numbers = ("point", "val_accuracy", "low", "high", "val_loss", "epochs", "time_s")
    used = [column for column in found.columns if column not in ("low", "high") or len(found.trials.spec.seeds) > 1]
    places = [found.columns.index(column) for column in used]
    rows = [[cells[place] for place in places] for cells in found.cells(sort)[:top]]
    show_table({column.replace("_", " "): "right" if column in numbers else "left" for column in used}, rows)
    for sentence in found.sentences:
        remark(sentence)
    for path in written:
        remark(f"{path.stem.replace('_', ' ').capitalize():<22} {path}")


def write_all(found: Sweep) -> list[Path]:
    """The figures, the table and the findings, in the sweep's folder."""
    from handlens import files, plots

    folder = found.trials.folder
    drawn = [files.write_atomic(folder / "plots" / f"{name}.png", plots.png(figure)) for name, figure in found.figures().items()]
    files.write_atomic(folder / "table.csv", found.to_csv())
    sentences = "".join(f"- {sentence}\n" for sentence in found.sentences)
    words = f"# What the sweep {found.name} found\n\n{sentences}\n{found.to_markdown()}"
    return [*drawn, files.write_atomic(folder / "findings.md", words)]
