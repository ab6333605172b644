"""The verbs of `handlens course` for a class: learners join it and say how it goes, its instructor keeps it or ends it."""

from __future__ import annotations

from pathlib import Path

import click

from handlens.cli.terminal import FILE, folder_option, say, tell


def send(folder: Path | None) -> None:
    """Tell the class what waits, if there is one; a line on stderr if it does not answer."""
    from handlens.course import folder as folders
    from handlens.course import joined

    if trouble := joined.send(folders.find_folder(folder)):
        say(trouble)


@click.command(short_help="Join a class, so that its board shows how you are doing.")
@click.argument("address", metavar="ADDRESS")
@click.option("--name", metavar="NAME", default="", help="Your name or nickname.  [none: you are called by your number]")
@click.option("--code", metavar="CODE", default="", help="Of the class, or of your own page.  [from the ADDRESS]")
@folder_option
def join(address: str, name: str, code: str, folder: Path | None) -> int:
    """Join a class at the ADDRESS that its board shows. From then on the results of your checks go there, and never your code."""
    from handlens.course import folder as folders
    from handlens.course import joined

    seat = joined.join(folders.find_folder(folder), address, code, " ".join(name.split())[:40])
    tell(f"You have joined, with number {seat.number}. The board gets what your checks say, and never your code.")
    tell('For help: handlens course stuck "what it is about". To leave: handlens course leave')
    return 0


@click.command(short_help="Leave the class.")
@folder_option
def leave(folder: Path | None) -> int:
    """Belong to no class any more. What the board has, it keeps until the class ends."""
    from handlens.course import folder as folders
    from handlens.course import joined

    tell("You have left the class." if joined.leave(folders.find_folder(folder)) else "You were in no class.")
    return 0


@click.command(short_help="Tell the instructor that you need help.")
@click.argument("text", nargs=-1, metavar="[TEXT]")
@click.option("--done", is_flag=True, help="You need help no more.")
@folder_option
def stuck(text: tuple[str, ...], done: bool, folder: Path | None) -> int:
    """Raise your hand on the board of the class. A check that passes takes it down again."""
    from handlens.course import folder as folders
    from handlens.course import joined

    place = folders.find_folder(folder)
    joined.needed_seat(place)
    said = {} if done else {"text": " ".join(text)[:200]}
    joined.note(place, "done" if done else "stuck", **said)
    tell("Good: your hand is down." if done else "Your hand is up; somebody will come. When it is settled: handlens course stuck --done")
    send(folder)
    return 0


@click.command(short_help="Answer the question that the class is asked.")
@click.argument("letter", default="", metavar="[LETTER]")
@click.option("--question", "name", metavar="NAME", default="", help="Another question, of the lessons.  [what the class is asked now]")
@folder_option
def answer(letter: str, name: str, folder: Path | None) -> int:
    """Answer with a LETTER; without one the question is shown. As long as its answer is not told you can answer anew."""
    from handlens.course import folder as folders
    from handlens.course import joined, questions
    from handlens.errors import RunNotFound, UsageError

    place = folders.find_folder(folder)
    joined.needed_seat(place)
    asked = {} if name else joined.asked_now(place)
    name = name or asked.get("name", "")
    if not name:
        raise RunNotFound("The class is asked nothing just now.", hint="Another question: --question NAME")
    question = questions.find(name)
    if not letter:
        tell(f"{question}\n\nAnswer: handlens course answer LETTER")
        return 0
    if told := asked.get("right"):
        raise UsageError(f"The answer is told already: {told}.")
    chosen = questions.letter_of(question, letter)
    joined.note(place, "answer", question=question.name, letter=chosen)
    tell(f"Your answer is {chosen}) {question.options[chosen].text}")
    send(folder)
    return 0


@click.group("class", short_help="For the instructor: keep a class as a table, or end it.")
def class_() -> None:
    """The class that was begun with handlens lab --class."""


@class_.command()
@click.argument("file", type=FILE, metavar="FILE.csv")
def export(file: Path) -> int:
    """Write names, results and answers into FILE.csv."""
    from handlens.errors import RunNotFound
    from handlens.files import write_atomic
    from handlens.web.classroom import kept_class
    from handlens.web.projector import table

    board = kept_class()
    if board is None:
        raise RunNotFound("There is no class.", hint="Begin one: handlens lab --class")
    write_atomic(file, "\ufeff" + table(board), mode=0o600)
    tell(f"The class is in {file}, with names; learners: {len(board.learners)}.")
    return 0


@class_.command()
def end() -> int:
    """End the class: names and results are deleted. What you have exported stays."""
    from handlens.web.classroom import end_class

    tell("The class has ended. Its names and results are deleted." if end_class() else "There was no class.")
    return 0


COMMANDS = (join, leave, stuck, answer, class_)
