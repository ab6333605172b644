"""What the verbs share: tables, JSON, and sentences on the right stream. Results go to stdout, what goes on to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from handlens.cli.pipes import silence, write
from handlens.files import printable

if TYPE_CHECKING:
    from handlens.evaluation import Evaluation
    from handlens.metrics import ClassScore

_LONGEST = 40  # letters that are kept together; a path of more is broken where it must be

Function = TypeVar("Function", bound=Callable[..., Any])


class FilePath(click.Path):
    """A path that is no name at all on this system, with a zero byte in it, say, is a wrong value like others."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make it a `Path`."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:
            self.fail(f"{printable(str(value))!r} cannot be the name of a file.", param, ctx)


FILE = FilePath(path_type=Path)


def folder_option(function: Function) -> Function:
    """`--folder`: where the learner's files are."""
    return click.option("--folder", type=FILE, metavar="FOLDER", help="Your course folder.  [here, or ./course]")(function)


def json_option(function: Function) -> Function:
    """`--json`: the result as one JSON value on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def checkpoint_option(function: Function) -> Function:
    """`--checkpoint`: the weights with which a run is looked at."""
    known = click.Choice(["last", "best", "previous", "start"])
    return click.option("--checkpoint", type=known, help="Which weights.  [best if the run could stop early, else last]")(function)


def on_option(function: Function) -> Function:
    """`--on`: the images that a run is looked at with."""
    places = "test|val|train|mine|DATASET|FOLDER"
    return click.option("--on", default="test", metavar=places, help="Which images; a FOLDER has a folder for each class.  [test]")(
        function
    )


class Screen(Console):
    """A console whose reader may go away (`| head`): nobody is told any more, and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(file=stream, highlight=False, soft_wrap=not stream.isatty())

    def on_broken_pipe(self) -> None:
        """In place of rich's own, which would end the process."""
        silence(self.file.fileno())


def out() -> Console:
    """The console of results."""
    return Screen(sys.stdout)


def err() -> Console:
    """The console of what goes on."""
    return Screen(sys.stderr)


def say(sentence: str, done: float | None = None) -> None:
    """Tell on stderr what goes on."""
    if done is None:
        err().print(Text(plain(sentence)))


def tell(sentence: str = "", *, whole: bool = False) -> None:
    """A result in words, on stdout; `whole`: a line that will be copied, so that no line break may get into it."""
    out().print(Text(plain(sentence)), soft_wrap=whole or None)


def plain(text: str) -> str:
    """Without what would move the cursor or change the title of a terminal: notes and names may come from anybody."""
    return "\n".join(printable(line, len(line) or 1) for line in text.split("\n"))


def remark(sentence: str) -> None:
    """A sentence that belongs to a table: below it on a terminal; on stderr when the table is piped to a program."""
    (tell if sys.stdout.isatty() else say)(sentence)


def print_json(value: object) -> None:
    """One JSON value on stdout; NaN and infinity cannot get into it."""
    write(json.dumps(value, indent=2, allow_nan=False, default=str) + "\n")


def show_table(columns: Mapping[str, str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table on a terminal, or a block for each row where it is too narrow; tab-separated values when piped.

    Args:
        columns: headings, and `left` or `right` for each.
        rows: the cells.
        title: stands above it on a terminal.
    """
    texts = [["" if cell is None else plain(str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        lines = ["\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in line) for line in ([*columns], *texts)]
        write("".join(f"{line}\n" for line in lines))
        return
    headings, screen = [*columns], out()
    widths = [max(_longest_word(cell) for cell in column) for column in zip(headings, *texts, strict=True)]
    if sum(widths) + 2 * len(widths) <= screen.width + 2:
        screen.print(_table(title, headings, list(columns.values()), widths, texts))
        return
    for number, line in enumerate(texts):
        block = [(heading, cell) for heading, cell in zip(headings, line, strict=True) if cell]
        screen.print(_table("" if number else title, ["", ""], ["left", "left"], [max(map(len, headings)), 1], [*block, ("", "")]))


def _longest_word(cell: str) -> int:
    return min(_LONGEST, max(map(len, cell.split()), default=0))


def _table(title: str, headings: list[str], sides: list[str], widths: list[int], rows: Sequence[Sequence[str]]) -> Table:
    """No column is narrower than its longest word."""
    table = Table(title=title or None, title_justify="left", show_header=any(headings), header_style="bold", box=None)
    table.pad_edge, table.padding = False, (0, 2, 0, 0)
    for heading, side, width in zip(headings, sides, widths, strict=True):
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold", min_width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def show_classes(evaluation: Evaluation) -> None:
    """The scores of each class."""
    columns = {"class": "left", "precision": "right", "recall": "right", "F1": "right", "images": "right"}
    scores = zip(evaluation.classes, evaluation.per_class, strict=True)
    rows = [(name, *_score(one), f"{one.support:,}") for name, one in scores]
    show_table(columns, rows, f"{evaluation.split.capitalize()} images, class by class")


def _score(one: ClassScore) -> tuple[str, str, str]:
    """Nothing where there is no image of a class: 0 % would be a verdict."""
    return (f"{one.precision:.2%}", f"{one.recall:.2%}", f"{one.f1:.4f}") if one.support else ("", "", "")


class Bar:
    """A progress bar on stderr while its `with` lasts; nothing where stderr is no terminal."""

    def __init__(self, total: float) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[detail]}"), TimeRemainingColumn(compact=True))
        self.total = total
        nobody = not sys.stderr.isatty()
        self.progress = Progress(*columns, console=err(), transient=True, redirect_stdout=False, redirect_stderr=False, disable=nobody)
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
