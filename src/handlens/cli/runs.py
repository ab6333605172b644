"""`handlens runs`: what one does with runs that are there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import json_option, print_json, say, show_table, tell
from handlens.errors import RunNotFound, UsageError

if TYPE_CHECKING:
    from handlens.runs import About, Run


@click.group()
def runs() -> None:
    """List, show, rename, note, tag, repeat, remove runs."""


@runs.command()
@json_option
def ls(as_json: bool) -> int:
    """List all runs, oldest first.

    A folder that cannot be read is listed with the reason.
    """
    from handlens.runs import no_runs, runs_folder, scan

    found, broken = scan()
    if as_json:
        ruins = [{"name": ruin.name, "status": "broken", "reason": ruin.reason} for ruin in broken]
        print_json([run.to_dict() for run in found] + ruins)
        return 0 if found or broken else RunNotFound.exit_code
    if not found and not broken:
        raise no_runs()
    say(f"Runs in {runs_folder().resolve()}")
    columns = dict.fromkeys(("name", "model", "data"), "left") | dict.fromkeys(("epochs", "val accuracy", "time"), "right")
    rows = [
        (
            run.name,
            run.config.model,
            run.config.data,
            f"{len(run.rows)}/{run.config.epochs}",
            *_score(run),
            _status(run),
            _remarks(run.about),
        )
        for run in found
    ]
    rows += [(ruin.name, "", "", "", "", "", f"broken: {ruin.reason}", "") for ruin in broken]
    if sys.stdout.isatty():  # a column less leaves room for longer names
        show_table(columns | {"status": "left"}, [(*row[:-2], "; ".join(filter(None, row[-2:]))) for row in rows])
    else:
        show_table(columns | {"status": "left", "note": "left"}, rows)
    return 0


def _score(run: Run) -> tuple[str, str]:
    """What it reached with the weights that are used, and how long the training took."""
    return _cell("val_accuracy", run.used_row.get("val_accuracy")), f"{sum(run.history.get('time_s', [])):.1f} s"


def _cell(name: str, value: float | None) -> str:
    """A figure of an epoch, as people read it."""
    if value is None:
        return ""
    kinds = {"epoch": ".0f", "images_per_s": ",.0f", "time_s": ".1f", "lr": "g"}
    return f"{value:.2%}" if name.endswith("accuracy") else f"{value:{kinds.get(name, '.4f')}}"


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
        "weights used": f"{found.default_checkpoint} epoch, {int(found.used_row.get('epoch', 0))} of {len(found.rows)}",
        "torch": found.env.get("torch"),
        "device": found.env.get("device"),
        **{f"config.{name}": value for name, value in found.config.changes().items()},
    }
    show_table({"what": "left", "value": "left"}, list(facts.items()))
    if not sys.stdout.isatty():
        return 0  # one table, for a program; the epochs are in rows.jsonl and in --json
    tell()
    columns = ["epoch", *(name for name in found.history if name.endswith(("loss", "accuracy"))), "lr", "time_s", "images_per_s"]
    headings = [name.replace("_", " ") for name in columns]  # which may then be of two lines
    show_table(dict.fromkeys(headings, "right"), [[_cell(name, row.get(name)) for name in columns] for row in found.rows])
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

    if any(word.split() != [word] for word in tags):
        raise UsageError("A tag is one word, without blanks.", hint=f"Several tags are several words: handlens runs tag {run} task-1 good")
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
    from handlens.runs import RESERVED, existing_place, load_run, runs_folder, to_trash

    names = dict.fromkeys(run)
    for name in names:  # before any is removed
        if name in RESERVED or name.startswith("best:"):
            raise UsageError(f"'{name}' is no run's own name.", hint=f"Its name is {load_run(name).name}: write that to remove it.")
        existing_place(runs_folder(), name)
    for name in names:
        say(f"{name} is now in {to_trash(runs_folder(), name)}")
    return 0


@runs.command()
@click.argument("run", default="latest")
@click.option("--name", metavar="NAME", help="What the new run is called.")
@json_option
def repeat(run: str, name: str | None, as_json: bool) -> int:
    """Train RUN once more, from its very first weights.

    On the same machine and versions it comes out with the same bits.
    """
    from handlens.cli import training

    return training.repeat(run, name, as_json)
