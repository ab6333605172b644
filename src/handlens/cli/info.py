"""`handlens info`: what this machine has, and what is missing."""

from __future__ import annotations

import click

from handlens.cli.terminal import json_option, print_json, show_table, tell


@click.command()
@json_option
def info(as_json: bool) -> int:
    """Versions, device, folders, and what is missing with the way to mend it."""
    from handlens import device
    from handlens.data import status
    from handlens.data.cache import root
    from handlens.runs import runs_folder

    facts: dict[str, object] = {
        **device.environment(),
        "device": device.title(device.choose()),
        "runs": str(runs_folder().resolve()),
        "data": str(root()),
        **{f"data.{one.name}": "here" if one.on_disk else "not here yet" for one in status()},
    }
    problems = [problem for problem in (device.problem(),) if problem]
    if any(one.name == "mnist" and not one.on_disk for one in status()):
        problems.append("mnist is not on this machine: handlens data fetch mnist")
    if as_json:
        print_json({**facts, "problems": problems})
        return 0
    show_table({"what": "left", "value": "left"}, [(name, "none" if value == "" else value) for name, value in facts.items()])
    tell()
    for problem in problems:
        tell(f"Missing: {problem}")
    if not problems:
        tell("Nothing is missing.")
    tell("Other data sets: handlens data ls")
    tell("Another build of torch (with CUDA 2.7 GB, for the processor alone 0.2 GB): README.md, 'Which torch', has the lines.")
    return 0
