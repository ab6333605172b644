"""`handlens runs`: what one does with runs that are there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import json_option, print_json, say, show_table, tell
from handlens.errors import RunNotFound

if TYPE_CHECKING:
    from handlens.runs import About, Run


@click.group()
def runs() -> None:
    """List, show, rename, note, tag, repeat, remove runs."""


@runs.command()
@json_option
def ls(as_json: bool) -> int:
    """List all runs, oldest first; a folder that cannot be read is listed with the reason."""
    from handlens.runs import no_runs, runs_folder, scan

    found, broken = scan()
    if as_json:
        ruins = [{"name": ruin.name, "status": "broken", "reason": ruin.reason} for ruin in broken]
        print_json([run.to_dict() for run in found] + ruins)
        return 0 if found or broken else RunNotFound.exit_code
    if not found and not broken:
        raise no_runs()
    say(f"Runs in {runs_folder().resolve()}")
    columns = (
        dict.fromkeys(("name", "model", "data"), "left")
        | dict.fromkeys(("epochs", "val accuracy", "time"), "right")
        | {"status": "left", "note": "left"}
    )
    rows = [
        (
            run.name,
            run.config.model,
            run.config.data,
            f"{len(run.rows)}/{run.config.epochs}",
            *_score(run.history),
            _status(run),
            _remarks(run.about),
        )
        for run in found
    ]
    show_table(columns, rows + [(ruin.name, "", "", "", "", "", f"broken: {ruin.reason}", "") for ruin in broken])
    return 0


def _score(history: dict[str, list[float]]) -> tuple[str, str]:
    accuracy = history.get("val_accuracy")
    return f"{accuracy[-1]:.2%}" if accuracy else "", f"{sum(history.get('time_s', [])):.1f} s"


def _status(run: Run) -> str:
    return f"failed: {run.about.failure}" if run.status == "failed" else run.status


def _remarks(about: About) -> str:
    return " ".join([about.note, *(f"#{tag}" for tag in about.tags)]).strip()


@runs.command()
@click.argument("run", default="latest")
@json_option
def show(run: str, as_json: bool) -> int:
    """Show all about RUN: its config, its epochs, where it is."""
    from handlens.runs import load_run

    found = load_run(run)
    if as_json:
        print_json(found.to_dict())
        return 0
    facts = {
        "name": found.name,
        "id": found.about.id,
        "status": _status(found),
        "note": _remarks(found.about),
        "folder": found.folder,
        "checkpoint": f"{found.pointer.last.file}, epoch {found.pointer.last.epoch}",
        "torch": found.env.get("torch"),
        "device": found.env.get("device"),
        **{f"config.{name}": value for name, value in found.config.changes().items()},
    }
    show_table({"what": "left", "value": "left"}, list(facts.items()))
    if not sys.stdout.isatty():
        return 0  # one table, for a program; the epochs are in rows.jsonl and in --json
    tell()
    columns = list(found.history)
    rows = [[f"{row[name]:.4f}" if isinstance(row.get(name), float) else row.get(name) for name in columns] for row in found.rows]
    show_table(dict.fromkeys(columns, "right"), rows)
    return 0


@runs.command()
@click.argument("run", default="latest")
@json_option
def path(run: str, as_json: bool) -> int:
    """Print the folder of RUN."""
    from handlens.runs import load_run

    folder = str(load_run(run).folder.absolute())
    print_json({"folder": folder}) if as_json else tell(folder)
    return 0


@runs.command()
@click.argument("run")
@click.argument("text")
def note(run: str, text: str) -> int:
    """Write a note on RUN, in place of the one it has."""
    from handlens.runs import load_run

    load_run(run).annotate(note=text)
    return 0


@runs.command()
@click.argument("run")
@click.argument("tags", nargs=-1)
@click.option("--remove", is_flag=True, help="Take the tags off instead.")
def tag(run: str, tags: tuple[str, ...], remove: bool) -> int:
    """Put TAGS on RUN."""
    from handlens.runs import load_run

    found = load_run(run)
    found.tag(*tags, remove=remove)
    tell(" ".join(found.about.tags))
    return 0


@runs.command()
@click.argument("run")
@click.argument("name")
def rename(run: str, name: str) -> int:
    """Give RUN another name."""
    from handlens.runs import load_run

    tell(str(load_run(run).rename(name).folder))
    return 0


@runs.command()
@click.argument("run", nargs=-1, required=True)
def rm(run: tuple[str, ...]) -> int:
    """Move runs to the trash beside the runs; each needs its exact name."""
    from handlens.errors import UsageError
    from handlens.runs import RESERVED, load_run, runs_folder, to_trash

    for name in run:
        if name in RESERVED or name.startswith("best:"):
            raise UsageError(f"'{name}' is no run's own name.", hint=f"Its name is {load_run(name).name}: write that to remove it.")
        say(f"{name} is now in {to_trash(runs_folder(), name)}")
    return 0


@runs.command()
@click.argument("run", default="latest")
@click.option("--name", metavar="NAME", help="What the new run is called.")
@json_option
def repeat(run: str, name: str | None, as_json: bool) -> int:
    """Train RUN once more, from its very first weights: the same bits on the same machine and versions."""
    from handlens.cli import training

    return training.repeat(run, name, as_json)
