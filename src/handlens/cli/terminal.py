"""What the verbs share: tables, JSON, and sentences on the right stream. Results go to stdout, what goes on to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from handlens.files import printable

if TYPE_CHECKING:
    from handlens.evaluation import Evaluation

Function = TypeVar("Function", bound=Callable[..., Any])


def json_option(function: Function) -> Function:
    """`--json`: the result as one JSON value on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def out() -> Console:
    """The console of results."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """The console of what goes on."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())


def say(sentence: str, done: float | None = None) -> None:
    """Tell on stderr what goes on."""
    if done is None:
        err().print(Text(plain(sentence)))


def tell(sentence: str = "") -> None:
    """A result in words, on stdout."""
    out().print(Text(plain(sentence)))


def plain(text: str) -> str:
    """Without what would move the cursor or change the title of a terminal: notes and names may come from anybody."""
    return "\n".join(printable(line, len(line) or 1) for line in text.split("\n"))


def remark(sentence: str) -> None:
    """A sentence that belongs to a table: below it on a terminal; on stderr when the table is piped to a program."""
    (tell if sys.stdout.isatty() else say)(sentence)


def print_json(value: object) -> None:
    """One JSON value on stdout; NaN and infinity cannot get into it."""
    print(json.dumps(value, indent=2, allow_nan=False, default=str))


def show_table(columns: Mapping[str, str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table on a terminal, tab-separated values when piped.

    Args:
        columns: headings, and `left` or `right` for each.
        rows: the cells.
        title: stands above it on a terminal.
    """
    texts = [["" if cell is None else plain(str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in ([*columns], *texts):
            print("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in line))
        return
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading, side in columns.items():
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    for line in texts:
        table.add_row(*(Text(cell) for cell in line))
    out().print(table)


def show_classes(evaluation: Evaluation) -> None:
    """The scores of each class."""
    columns = {"class": "left", "precision": "right", "recall": "right", "F1": "right", "images": "right"}
    scores = zip(evaluation.classes, evaluation.per_class, strict=True)
    rows = [(name, f"{one.precision:.2%}", f"{one.recall:.2%}", f"{one.f1:.4f}", f"{one.support:,}") for name, one in scores]
    show_table(columns, rows, f"{evaluation.split.capitalize()} images, class by class")


class Bar:
    """A progress bar on stderr while its `with` lasts; nothing where stderr is no terminal."""

    def __init__(self, total: float) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[detail]}"), TimeRemainingColumn(compact=True))
        self.total = total
        self.progress = Progress(*columns, console=err(), transient=True, redirect_stdout=False, redirect_stderr=False)
        self.task: TaskID | None = None

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.progress.stop()

    def move(self, done: float, description: str, detail: str = "") -> None:
        """Show how far it is, what it is about, and a detail behind the bar."""
        if self.task is None:
            self.task = self.progress.add_task(description, total=self.total, detail=detail)
        self.progress.update(self.task, completed=done, description=description, detail=detail)

    def say(self, sentence: str) -> None:
        """A line above the bar."""
        self.progress.console.print(Text(plain(sentence)))
