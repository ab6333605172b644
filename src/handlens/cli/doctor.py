"""`handlens doctor`."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import FILE, json_option, out, print_json, show_table, tell
from handlens.errors import FileError, UsageError, nearest
from handlens.files import read_bytes

if TYPE_CHECKING:
    from handlens.doctor import Diagnosis

_FAILED = 5
_MOST_BYTES = 1 << 20
_FLAGS = ("--verbose", "--json", "--args")
_WIDE = 140  # letters of a line where nobody looks at a terminal


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("script", required=False, type=FILE, metavar="SCRIPT.py")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENT ...]")
@click.option("--args", "words", metavar="WORDS", help="The program's arguments, in quotes; they may as well stand behind its name.")
@click.option("--verbose", is_flag=True, help="Every probe and its number, all that was looked for, and what the program printed.")
@click.option("--explain", "cause", metavar="ID", help="What one mistake is, how it is seen, and lines with it and without it.")
@json_option
def doctor(script: Path | None, arguments: tuple[str, ...], words: str | None, verbose: bool, cause: str | None, as_json: bool) -> int:
    """Run a training program of your own for some seconds, and say what is wrong with it: which line, why, and what to try.

    The program runs as it is, in a process of its own; its loops are cut short, and what it writes goes aside. Words after its name
    go to the program; three are the doctor's, unless the program's text has them too: --verbose, --json, and --args "WORDS".
    Exit code 0: nothing was found; 1: a mistake is named; 5: it ends with an exception that the doctor does not know, or ends itself with
    an exit status other than 0 before it has trained anything.
    """
    if cause is not None:
        return _explain(cause, as_json)
    if script is None:
        raise UsageError("Which program?", hint="handlens doctor my_training.py")
    mine, arguments = _mine(script, arguments)
    arguments = (*_split(words or ""), *arguments)
    verbose, as_json = verbose or "--verbose" in mine, as_json or "--json" in mine
    from handlens.doctor import examine

    diagnosis, finished = examine(script, arguments, measuring=verbose)
    if as_json:
        print_json(dataclasses.asdict(diagnosis) | {"losses": [one if math.isfinite(one) else None for one in diagnosis.losses]})
    else:
        _tell(diagnosis, verbose)
        if verbose:
            tell(f"\nThe program printed:\n{(finished.stdout + finished.stderr).rstrip()[-4000:]}")
    return 1 if diagnosis.causes else _FAILED if diagnosis.failure else 0


def _mine(script: Path, arguments: tuple[str, ...]) -> tuple[set[str], tuple[str, ...]]:
    """The options behind the program's name that are the doctor's, as the program's text knows none of them; and the other arguments."""
    text = b""
    with contextlib.suppress(FileError):  # which is told when it is examined
        text = read_bytes(script, _MOST_BYTES)
    mine = {option for option in _FLAGS if option in arguments and option.encode() not in text}
    kept: list[str] = []
    for before, argument in itertools.pairwise(("", *arguments)):
        if argument not in mine:
            kept += _split(argument) if before == "--args" and before in mine else [argument]
    return mine, tuple(kept)


def _split(words: str) -> list[str]:
    try:
        return shlex.split(words)
    except ValueError as error:
        raise UsageError(f"--args cannot be read: {error}.", where=words, hint="A quotation mark has no second one.") from error


def _tell(diagnosis: Diagnosis, verbose: bool) -> None:
    for line in str(diagnosis).splitlines():
        tell(line, whole=line.startswith("  "))
    if verbose:
        if diagnosis.failure and diagnosis.causes:
            tell(f"  It ends with {diagnosis.failure}")
        for name, finding in diagnosis.findings.items():
            tell(f"  {name}: {finding.evidence} (line {finding.line}, {finding.sure:.0%} sure)")
        for name, raised in diagnosis.unasked.items():
            tell(f"  {name}: could not be looked for. {raised.splitlines()[0]}")
        rows = [(one.name, one.number, one.usual) for one in diagnosis.measured]
        tell()
        show_table({"probe": "left", "number": "left", "usual": "left"}, rows)
    if diagnosis.checked:
        said = f"Looked for {len(diagnosis.checked)} mistakes in {diagnosis.seconds:.1f} s"
        tell(f"\n{said}: {', '.join(diagnosis.checked)}." if verbose else f"\n{said}.  More: --verbose")


def _explain(name: str, as_json: bool) -> int:
    from handlens.doctor import all_causes
    from handlens.doctor.demo import NAMES, Demo, outcome

    if name not in all_causes():
        raise UsageError(f"There is no mistake '{name}'.", hint=nearest(name, all_causes()))
    cause = all_causes()[name]
    how, demo = " ".join((cause.look.__doc__ or "").split()), Demo(cause.DEMO)
    shown = {"with_it": (demo.wrong, outcome(demo.wrong)), "without_it": (demo.right, outcome(demo.right))}
    if as_json:
        told = {"id": name, "what": cause.__doc__, "sentence": cause.SENTENCE, "change": cause.CHANGE, "how_it_is_seen": how}
        print_json(told | {key: {"code": code, "gives": gives} for key, (code, gives) in shown.items()})
        return 0
    tell(f"{name}: {cause.__doc__}")
    tell(f"\n{cause.SENTENCE}")
    tell(f"Try            {cause.CHANGE}")
    tell(f"How it is seen {how}\n")
    for line in beside(*(["With it" if key == "with_it" else "Without it", "", *_lines(*pair)] for key, pair in shown.items())):
        tell(line, whole=True)
    tell(f"\n{NAMES}")
    return 0


def _lines(code: str, gives: str) -> list[str]:
    return [*code.splitlines(), "", *(f"gives  {line}" for line in gives.splitlines())]


def beside(left: list[str], right: list[str]) -> list[str]:
    """Two texts beside each other, or one below the other where that is too wide for the terminal."""
    width = max(map(len, left))
    if width + 3 + max(map(len, right)) > (out().width if sys.stdout.isatty() else _WIDE):
        return [*left, "", *right]
    return [f"{one:{width}} | {other}".rstrip() for one, other in itertools.zip_longest(left, right, fillvalue="")]
