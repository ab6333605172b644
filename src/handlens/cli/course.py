"""`handlens course`."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.classroom import COMMANDS, send
from handlens.cli.terminal import FILE, folder_option, json_option, print_json, remark, say, show_table, tell
from handlens.errors import HandlensError
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.course import Exercise, Result

_WAIT_S = 0.3


@click.group()
def course() -> None:
    """The session's lessons, and exercises that check themselves.

    Begin with: handlens course start
    """


@course.command(short_help="Lay the lessons and exercises out for you.")
@click.argument("folder", type=FILE, default="course")
@click.option("--instructor", is_flag=True, help="The instructor's guide too; it has the answers.")
@json_option
def start(folder: Path, instructor: bool, as_json: bool) -> int:
    """Lay lessons and exercises out in FOLDER: ./course if you name no other. Files that are there already stay as they are."""
    from handlens.course.folder import start as lay_out

    written = lay_out(folder, instructor=instructor)
    if as_json:
        print_json({"folder": str(folder), "written": [str(path) for path in written]})
        return 0
    tell(f"{counted(len(written), 'new file')} in {folder}; what was there already is as it was.")
    tell(f"Begin with {folder}/exercises/01_linear_fit.py, then: handlens course check linear-fit")
    return 0


@course.command(short_help="The exercises, and which of them are done.")
@folder_option
@json_option
def ls(folder: Path | None, as_json: bool) -> int:
    """List the exercises, and what the last check of each said."""
    from handlens.course import EXERCISES, progress
    from handlens.course.folder import find_folder

    kept = progress.read(find_folder(folder))
    if as_json:
        print_json([{**dataclasses.asdict(one), "state": progress.state_of(one, kept), "last": kept.get(one.name)} for one in EXERCISES])
        return 0
    rows = [(one.number, one.name, progress.state_of(one, kept), one.title, one.session) for one in EXERCISES]
    show_table({"": "right", "exercise": "left", "state": "left", "what": "left", "in the session": "left"}, rows)
    done = sum(row[2] == "passed" for row in rows)
    remark(f"{done} of {len(rows)} passed.")
    return 0


@course.command(short_help="Is an exercise done? What is still missing?")
@click.argument("names", nargs=-1, metavar="[NAME|NUMBER ...]")
@folder_option
@json_option
def check(names: tuple[str, ...], folder: Path | None, as_json: bool) -> int:
    """Check exercises; all that you have begun, if you name none.

    Your file runs in a process of its own, with limits on time, memory and files, and is judged by what it does. Exit code 0: passed;
    1: not yet.
    """
    results = [_checked(exercise, folder) for exercise in _chosen(names, folder)]
    if as_json:
        print_json([dataclasses.asdict(result) for result in results])
    else:
        for number, result in enumerate(results):
            if number:
                tell()
            _tell(result)
        if len(results) > 1:
            tell(f"\n{sum(map(bool, results))} of {len(results)} passed.")
        if not results:
            tell("Nothing is begun yet. Open course/exercises/01_linear_fit.py, and check it by its name.")
    send(folder)
    return 0 if results and all(results) else 1


def _chosen(names: Sequence[str], folder: Path | None) -> list[Exercise]:
    from handlens.course import EXERCISES, material
    from handlens.course import folder as folders
    from handlens.course.check import attempt_in
    from handlens.course.plan import find

    if names:
        return [find(name) for name in names]
    place = folders.find_folder(folder) / "exercises"
    there = [attempt_in(one, place / one.file) for one in EXERCISES if (place / one.file).is_file()]
    return [one.exercise for one in there if one.unread or one.text != material.stub(one.exercise)]


def _checked(exercise: Exercise, folder: Path | None) -> Result:
    from handlens.course.check import check_file

    return check_file(exercise, folder)


def _tell(result: Result) -> None:
    for line in str(result).splitlines():
        tell(line, whole=line.startswith("  "))


@course.command(short_help="Check each time you save.")
@click.argument("names", nargs=-1, metavar="[NAME|NUMBER ...]")
@folder_option
def watch(names: tuple[str, ...], folder: Path | None) -> int:
    """Check an exercise each time you save its file, until Ctrl-C. Without a NAME, all of them are watched."""
    from handlens.course import EXERCISES
    from handlens.course.folder import path_of
    from handlens.course.plan import find

    paths = {one: path_of(one, folder) for one in ([find(name) for name in names] or EXERCISES)}
    saves = Saves(list(paths.values()))
    say(f"Watching {counted(len(paths), 'file')} in {next(iter(paths.values())).parent}. Save one to check it; Ctrl-C ends.")
    while True:
        time.sleep(_WAIT_S)
        saved = saves.new()
        for one in (one for one, path in paths.items() if path in saved):
            _check_saved(one, folder)


class Saves:
    """Which files were saved: those that have changed, and not once more since they were last asked about.

    An editor may still be writing what has just changed, or have taken it away for a moment.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._told = self._before = {path: self._state(path) for path in paths}

    def new(self) -> list[Path]:
        """Those that were not told before."""
        now = {path: self._state(path) for path in self._told}
        new = [path for path, state in now.items() if state and state == self._before[path] != self._told[path]]
        self._told, self._before = self._told | {path: now[path] for path in new}, now
        return new

    @staticmethod
    def _state(path: Path) -> tuple[int, int] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def _check_saved(exercise: Exercise, folder: Path | None) -> None:
    """Check it, and go on whatever comes."""
    try:
        _tell(_checked(exercise, folder))
        sys.stdout.flush()
        send(folder)
    except HandlensError as error:
        say(f"{exercise.name} could not be checked. {error}")


@course.command(short_help="A hint; there are three, each says more.")
@click.argument("name", metavar="NAME|NUMBER")
@click.argument("level", type=click.IntRange(1, 3), default=1, metavar="[1|2|3]")
@json_option
def hint(name: str, level: int, as_json: bool) -> int:
    """Give a hint: 1 asks, 2 says how, 3 shows the lines."""
    from handlens.course.material import hints
    from handlens.course.plan import find

    exercise = find(name)
    text = hints(exercise)[level - 1]
    if as_json:
        print_json({"exercise": exercise.name, "level": level, "hint": text})
        return 0
    for line in text.splitlines():
        tell(line, whole=True)
    if level < 3:
        remark(f"\nMore: handlens course hint {exercise.name} {level + 1}")
    return 0


@course.command(short_help="A solution, to compare with yours.")
@click.argument("name", metavar="NAME|NUMBER")
def solution(name: str) -> int:
    """Print a solution; your file stays as it is."""
    from handlens.course.material import solution as text_of
    from handlens.course.plan import find

    for line in text_of(find(name)).splitlines():
        tell(line, whole=True)
    return 0


@course.command(short_help="Begin an exercise again; yours is kept.")
@click.argument("name", metavar="NAME|NUMBER")
@folder_option
def reset(name: str, folder: Path | None) -> int:
    """Put the stub back. What you wrote is kept in exercises/mine."""
    from handlens.course.folder import reset as put_back
    from handlens.course.plan import find

    aside = put_back(find(name), folder)
    tell(f"{find(name).file} is the stub again." + (f" Yours is {aside}" if aside else ""))
    return 0


@course.command("catch-up", short_help="Come late? Go on at exercise N.")
@click.argument("number", type=int, metavar="N")
@folder_option
def catch_up(number: int, folder: Path | None) -> int:
    """Put solutions in place of all exercises before N, so that you can go on there. What you wrote is kept in exercises/mine."""
    from handlens.course.folder import catch_up as catch

    done = catch(number, folder)
    for exercise, aside in done:
        if aside:
            tell(f"Yours of {exercise.name} is {aside}")
    tell(f"{counted(len(done), 'exercise is', 'exercises are')} solved; go on with number {number}.")
    return 0


@course.command(short_help="Is this computer ready for the class?")
@json_option
def preflight(as_json: bool) -> int:
    """Look for what the course needs, and say one fix for each thing that is missing. Exit code 0: ready, 1: not yet."""
    from handlens.course.preflight import look, report

    problems = look()
    if as_json:
        print_json({"ready": not problems, "problems": [{"what": what, "fix": fix} for what, fix in problems]})
    else:
        for line in report(problems).splitlines():
            tell(line, whole=True)
    return 1 if problems else 0


@course.command(short_help="A folder for a room without internet.")
@click.argument("folder", type=FILE)
@click.option("--for", "systems", default="", metavar="windows,macos,linux", help="For which systems wheels are fetched.  [this one]")
@click.option("--wheels", type=FILE, metavar="FOLDER", help="Take wheels from a folder where they are there, before any are fetched.")
@json_option
def pack(folder: Path, systems: str, wheels: Path | None, as_json: bool) -> int:
    """Put wheels, MNIST, Fashion-MNIST and the course into FOLDER, with START.html and install.py: it installs without internet."""
    from handlens.course.pack import make_pack

    packed = make_pack(folder, [one.strip() for one in systems.split(",") if one.strip()], wheels, say)
    if as_json:
        print_json(dataclasses.asdict(packed))
        return 0
    size = f"{packed.size_bytes / 1e6:,.0f} MB"
    tell(f"{counted(packed.wheels, 'wheel')} for Python {packed.python} and {counted(packed.data, 'data set')}, {size}, are in {folder}.")
    tell("On the other computers: copy the folder there, and open START.html.")
    return 0


@course.command("dev-check", short_help="For authors: are the exercises as they should be?")
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@json_option
def dev_check(names: tuple[str, ...], as_json: bool) -> int:
    """Carry the rules of the exercises out: stub and empty file fail kindly, right programs pass, mistakes are named, no cheat passes."""
    from handlens.course import EXERCISES
    from handlens.course.dev_check import dev_check as carry_out
    from handlens.course.plan import find

    tried, complaints = 0, list[str]()
    for exercise in [find(name) for name in names] or EXERCISES:
        count, found = carry_out([exercise])
        tried, complaints = tried + count, [*complaints, *found]
        say(f"{exercise.name}: {count} programs, {len(found)} not as they should be")
    if as_json:
        print_json({"tried": tried, "complaints": complaints})
    else:
        tell("\n".join(complaints) if complaints else f"All {tried} programs came out as they should.")
    return 1 if complaints else 0


for command in COMMANDS:
    course.add_command(command)
