"""`handlens import`."""

from __future__ import annotations

from pathlib import Path

import click

from handlens.cli.terminal import FILE, json_option, print_json, remark, show_table


@click.command("import")
@click.argument("source", type=FILE, metavar="FILE|FOLDER")
@click.option("--name", default="", metavar="NAME", help="The run's name.  [that of the file]")
@json_option
def import_(source: Path, name: str, as_json: bool) -> int:
    """Make a run of what somebody sent: a safetensors file of handlens export, or the folder of a run.

    No code in it is run; each byte is checked by its sha256 before the run is there.
    """
    from handlens.export import import_run
    from handlens.models import MODELS

    run = import_run(source, name)
    if as_json:
        print_json(run.to_dict())
        return 0
    facts = {"run": run.name, "folder": run.folder, "network": run.config.model, "data": run.config.data, "sha256": run.pointer.last.sha256}
    show_table({"what": "left", "value": "left"}, [*facts.items()])
    if run.config.model in MODELS:
        remark(f"Now: handlens evaluate {run.name}")
    else:
        remark(f"Its network is somebody's own code, which was not run. Read it; if you trust it: --model {run.folder / 'model.py'}:Class")
    return 0
