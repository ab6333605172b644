"""`handlens mine`: the user's own digits."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import FILE, Bar, json_option, print_json, remark, show_table, tell
from handlens.errors import UsageError
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.data.mine import Digit, Outcome

_MOST_REFUSED = 20

Outcomes = list["Outcome"]


def _anyway_option(function: click.decorators.FC) -> click.decorators.FC:
    return click.option("--anyway", is_flag=True, help="Keep what may be more than one digit, too: the largest counts.")(function)


@click.group()
def mine() -> None:
    """Your own digits: draw, scan or photograph them, keep them, and see how well a network reads your hand.

    They are a data set called mine: handlens evaluate RUN --on mine, handlens train --with mine.
    """


@mine.command(short_help="Write a page to be printed, to write your digits on.")
@click.argument("file", type=FILE, metavar="FILE.pdf|FILE.png", default="sheet.pdf")
def template(file: Path) -> int:
    """Write a page to be printed, with ten cells for each digit: sheet.pdf, if you name no other."""
    from handlens.data.mine import save_template

    tell(f"Page     {save_template(file)}")
    remark("Print it, write your digits, photograph it, and: handlens mine sheet PHOTO")
    return 0


@mine.command(short_help="Keep pictures of single digits.")
@click.argument("places", nargs=-1, required=True, metavar="FOLDER|PICTURE...")
@click.option("--label", metavar="0-9", help="What all of them are.  [from the name of the folder, or of the file]")
@_anyway_option
@json_option
def add(places: tuple[str, ...], label: str | None, anyway: bool, as_json: bool) -> int:
    """Keep pictures of single digits, one in each.

    What each is, its folder says (7/a.png), or its name (7_a.png, a-7.png; of 7_3.png the first counts), or --label. A FOLDER may be a zip
    file of one.
    """
    from handlens.data.mine import add_pictures

    return _tell(_watched(add_pictures(*places, label=label, anyway=anyway)), as_json)


@mine.command(short_help="Keep the digits on a photo of the page.")
@click.argument("photo", metavar="PHOTO")
@click.option("--show", type=FILE, metavar="FILE.png", help="Draw the page laid flat, with what was found.")
@_anyway_option
@json_option
def sheet(photo: str, show: Path | None, anyway: bool, as_json: bool) -> int:
    """Keep the digits on a PHOTO or scan of the page that `handlens mine template` makes, turned and slanted as it may be."""
    from handlens.data.mine import add_sheet

    code = _tell(_watched(add_sheet(photo, anyway=anyway)), as_json)
    if show:
        remark(f"Picture  {_draw_sheet(photo, show)}")
    return code


def _draw_sheet(photo: str, target: Path) -> Path:
    from handlens import files, plots
    from handlens.data.mine.sheet import read_sheet

    found = read_sheet(photo)
    boxes = [(tuple(map(float, cell.box)), str(cell.label), 1.0) for cell in found.cells]
    return files.write_atomic(target, plots.png(plots.plot_sheet(found.pixels, boxes)))  # type: ignore[arg-type]


def _watched(outcomes: Iterable[Outcome]) -> Outcomes:
    """All of them, with what is kept so far told if somebody stops it."""
    done: Outcomes = []
    try:
        with Bar(1) as bar:
            for outcome in outcomes:
                done.append(outcome)
                bar.move(0, "reading", counted(len(done), "picture"))
    except KeyboardInterrupt as stop:
        stop.add_note(f"{counted(sum(one.kept for one in done), 'digit is', 'digits are')} kept; the same command goes on.")
        raise
    return done


def _tell(outcomes: Outcomes, as_json: bool) -> int:
    """What became of the pictures; exit code 3 if none of them is among the digits."""
    kept = [one.digit for one in outcomes if one.kept and one.digit]
    refused = [one for one in outcomes if one.digit is None]
    code = 3 if len(refused) == len(outcomes) else 0
    if as_json:
        print_json([one.to_dict() for one in outcomes])
        return code
    if refused:
        show_table({"left out": "left", "why": "left"}, [(one.name, one.said) for one in refused[:_MOST_REFUSED]])
    twice = len(outcomes) - len(kept) - len(refused)
    for sentence in (*_of_the_refused(refused), *_of_the_kept(kept, twice)):
        remark(sentence)
    return code


def _of_the_refused(refused: Outcomes) -> Iterator[str]:
    if len(refused) > _MOST_REFUSED:
        yield f"... and {counted(len(refused) - _MOST_REFUSED, 'other')} left out."
    if any(one.unlabelled for one in refused):
        yield "To say what a picture is: handlens mine add PICTURE --label 7"
    if any(one.doubtful for one in refused):
        yield "If the largest digit of a picture is meant: --anyway"


def _of_the_kept(kept: list[Digit], twice: int) -> Iterator[str]:
    counts, ways = collections.Counter(digit.label for digit in kept), collections.Counter(digit.how for digit in kept)
    if kept:
        yield f"Kept {counted(len(kept), 'digit')}: {', '.join(f'{label}: {counts[label]}' for label in sorted(counts))}."
        yield f"Labels from {', '.join(f'{_WAYS[how]} ({number})' for how, number in ways.items())}."
        tests = sum(digit.part == "test" for digit in kept)
        if tests:
            yield f"Kept apart for the test, never to be learned from: {tests} of them."
        yield "How a run reads your digits: handlens mine compare RUN"
    else:
        yield "No new digit is kept."
    if twice:
        yield f"{counted(twice, 'digit was', 'digits were')} there already."


_WAYS = {"folder": "the folder's name", "name": "the file's name", "sheet": "the row of the sheet", "given": "you", "mended": "you"}


@mine.command(short_help="How many there are of each digit.")
@click.option("--all", "every", is_flag=True, help="Each digit with its id, the newest last.")
@json_option
def ls(every: bool, as_json: bool) -> int:
    """How many there are of each digit, and where they came from."""
    from handlens.data.mine import digits
    from handlens.data.mine.digits import home, nothing_yet

    kept = digits()
    if as_json:
        print_json([digit.to_dict() for digit in kept])
        return 0
    if not kept:
        raise nothing_yet()
    if every:
        columns = ("id", "label", "part", "how", "added", "source")
        show_table(dict.fromkeys(columns, "left"), [tuple(digit.to_dict().values()) for digit in kept])
        return 0
    _show_counts(kept)
    for how, number in collections.Counter(digit.how for digit in kept).most_common():
        remark(f"{number:,} labelled by {_WAYS[how]}, the last of them: {[digit for digit in kept if digit.how == how][-1].source}")
    remark(f"Folder   {home()}")
    return 0


def _show_counts(kept: list[Digit]) -> None:
    of = {part: collections.Counter(digit.label for digit in kept if digit.part == part) for part in ("train", "test")}
    rows = [(label, of["train"][label] + of["test"][label], of["train"][label], of["test"][label]) for label in range(10)]
    total = ("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))
    show_table({"digit": "left", "kept": "right", "to learn from": "right", "for the test": "right"}, [*rows, total])


@mine.command(short_help="Draw them: what was drawn, and what the network sees.")
@click.option("--label", metavar="0-9", help="Only these.")
@click.option("--save", type=FILE, metavar="FILE.png", default=Path("mine.png"), help="Where it goes.  [mine.png]")
def show(label: str | None, save: Path) -> int:
    """Draw your digits: what was drawn, what the network sees, and the id of each."""
    from handlens import files, plots
    from handlens.data import mine as own

    tell(f"Picture  {files.write_atomic(save, plots.png(own.show(label)))}")
    return 0


@mine.command(short_help="Say what a digit really is.")
@click.argument("digit", metavar="ID")
@click.argument("label", metavar="0-9")
def label(digit: str, label: str) -> int:
    """Say that digit ID is really another one. Ids are in `mine ls --all` and in the picture of `mine show`."""
    from handlens.data.mine import relabel

    new = relabel(digit, label)
    tell(f"{new.id} is a {new.label} now.")
    return 0


@mine.command(short_help="Forget digits.")
@click.argument("digits", nargs=-1, required=True, metavar="ID...")
def rm(digits: tuple[str, ...]) -> int:
    """Forget digits, and delete their pictures here. What they were made of stays where it is."""
    from handlens.data.mine import remove

    for reference in digits:
        gone = remove(reference)
        tell(f"Forgot {gone.id}, a {gone.label} from {gone.source}")
    return 0


@mine.command(short_help="Write them for another program.")
@click.argument("target", type=FILE, metavar="FOLDER|FILE.zip|FILE.csv")
@click.option("--format", "kind", metavar="png|zip|csv|idx", help="How.  [by the name; a folder of PNG files]")
@click.option("--drawn", is_flag=True, help="With png and zip: the pictures as they were drawn, not 28x28.")
def export(target: Path, kind: str | None, drawn: bool) -> int:
    """Write your digits for another program: PNG files of 28x28 in a folder for each digit, a zip file, CSV, or MNIST's IDX files."""
    from handlens.data.mine import export as write

    tell(f"Written  {write(target, kind, drawn=drawn)}")
    return 0


@mine.command(short_help="How well a run, or two, read your hand.")
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN]")
@click.option("--save", type=FILE, metavar="FILE.png", default=Path("mine-compare.png"), help="Where the figure goes.  [mine-compare.png]")
@json_option
def compare(runs: tuple[str, ...], save: Path, as_json: bool) -> int:
    """How well does RUN generalise to your hand? Accuracy on your digits, digit by digit, beside that on its own test images.

    With two runs, such as before and after training with your digits: whether the second one is better, on the same digits.
    """
    if len(runs) > 2:
        raise UsageError(f"One run or two can be compared here, not {len(runs)}.", hint="More of them: handlens compare RUN RUN RUN")
    from handlens import files, plots
    from handlens.analysis import own_hand
    from handlens.cli.loading import find_result

    found = own_hand(*(find_result(run, None, None) for run in runs))
    picture = files.write_atomic(save, plots.png(found.plot()))
    if as_json:
        print_json({**found.to_dict(), "plot": str(picture)})
        return 0
    show_table(*found.table())
    for sentence in found.sentences:
        remark(sentence)
    remark(f"Picture  {picture}")
    return 0
