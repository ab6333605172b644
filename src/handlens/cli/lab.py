"""`handlens lab`: the web lab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from handlens.cli.terminal import tell


def lab_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `lab` and `draw`."""
    for option in (
        click.option(
            "--lan", is_flag=False, flag_value="auto", default="", metavar="[ADDRESS]", help="Let a phone in the same network draw."
        ),
        click.option("--class", "in_class", is_flag=True, help="Let a class join by the network, and see on one page how it goes."),
        click.option("--read-only", is_flag=True, help="One may look and draw, but keep and train nothing."),
        click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Where to listen, or at the next free one.  [8712]"),
        click.option("--run", metavar="RUN", default="", help="The run that answers.  [handlens's own, else the newest]"),
        click.option("--no-browser", is_flag=True, help="Only print the address."),
    ):
        function = option(function)
    return function


@click.command()
@lab_options
def lab(run: str, no_browser: bool, **how: Any) -> int:
    """Open the lab in the browser: draw and watch a network answer, train one, and look inside.

    It listens on this machine only (but for --lan and --class), and nothing leaves it. The printed link works once; Ctrl-C closes the lab.
    """
    from handlens.runs import load_run
    from handlens.web.serving import Opening, open_lab

    name = load_run(run).name if run else ""
    open_lab(lambda line: tell(line, whole=True), Opening(run=name, browser=not no_browser, **how))
    return 0
