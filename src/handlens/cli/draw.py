"""`handlens draw`: the web lab, where one draws."""

from __future__ import annotations

import click

from handlens.cli.lab import lab, lab_options


@click.command()
@lab_options
def draw(**options: object) -> int:
    """Open the lab where one draws: the same as `handlens lab`, which begins there."""
    code: int = click.get_current_context().invoke(lab, **options)
    return code
