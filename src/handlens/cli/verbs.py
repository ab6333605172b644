"""From words to a verb, and from what goes wrong to a sentence and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from keyword import iskeyword
from typing import Any

import click

from handlens import __version__
from handlens.cli.help import HELP, INTERRUPTED, VERBS
from handlens.cli.pipes import silence, write
from handlens.errors import HandlensError, nearest


class Verbs(click.Group):
    """The verbs, each in the module of its name, as the command of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order in which one needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module."""
        if cmd_name not in VERBS:
            return None
        name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        command: click.Command = getattr(importlib.import_module(f"handlens.cli.{name}"), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Answer a misspelt verb with the nearest one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no verb '{args[0]}'. {nearest(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The help of all verbs, which is written before click is imported."""
        return HELP.rstrip()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="handlens")
def handlens() -> None:
    """A learning lab for image classification with PyTorch."""


def run(words: list[str]) -> int:
    """Run a command line and give its exit code; an error is a few lines, never a traceback unless `--debug` is among the words."""
    with _ended_like_an_interrupt(), warnings.catch_warnings():
        warnings.showwarning = _note  # type: ignore[assignment]
        code = _run([word for word in words if word != "--debug"], "--debug" in words)
    _flush()
    return code


@contextlib.contextmanager
def _ended_like_an_interrupt() -> Iterator[None]:
    """`kill PID`, a shutdown, or a time limit (SIGTERM) do what Ctrl-C does: what is done is saved, and how to go on is told."""
    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(words: list[str], debug: bool) -> int:
    try:
        with handlens.make_context("handlens", words) as context:  # as `main` of click, which would drop what an interrupt tells
            result: Any = handlens.invoke(context)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as help_:
        write(help_.format_message() + "\n")
        return 0
    except (KeyboardInterrupt, click.Abort) as stop:
        _complain(" ".join(["Interrupted.", *getattr(stop, "__notes__", [])[:1]]), apart=sys.stderr.isatty())
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _explain(error)


def _explain(error: Exception) -> int:
    """Print an error as what happened, where, and what to do; give its exit code."""
    if isinstance(error, HandlensError):
        _complain(f"Error: {error}")
        return error.exit_code
    if isinstance(error, click.ClickException):
        where = f"\nSee: {error.ctx.command_path} --help" if isinstance(error, click.UsageError) and error.ctx else ""
        _complain(f"Error: {error.format_message()}{where}")
        return 2
    _complain(f"Error: handlens has a fault here: {type(error).__name__}: {error}\nAdd --debug to see where, and report it.")
    return 5


def _note(message: Warning | str, *_where: object) -> None:
    """A warning as a sentence, without the line of our code that it comes from."""
    _complain(f"Note: {message}")


def _complain(sentence: str, *, apart: bool = False) -> None:
    """On stderr; `apart`: on a line of its own, where the terminal has shown a ^C."""
    from handlens.cli.terminal import say

    say("\n" * apart + sentence)


def _flush() -> None:
    """Write what is left; a reader that has gone away (`| head`) is no error."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        with contextlib.suppress(OSError):
            silence(1)
