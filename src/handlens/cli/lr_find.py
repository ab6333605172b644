"""`handlens lr-find`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from handlens.cli.terminal import FILE, json_option, print_json, tell
from handlens.cli.train import knob_options, only_preset, resolve
from handlens.config import FIELDS


@click.command("lr-find")
@click.argument("presets", nargs=-1, metavar="[PRESET]")
@knob_options
@click.option("--save", type=FILE, metavar="FILE.png", help="Where the curve goes.  [lr-find.png]")
@json_option
def lr_find(presets: tuple[str, ...], save: Path | None, as_json: bool, **options: Any) -> int:
    """Find a learning rate: take steps that grow from tiny to huge with a network that is thrown away, and look where the loss falls.

    The knobs are those of `handlens train`.
    """
    knobs = {name: value for name, value in options.items() if name in FIELDS and value is not None}
    config, _ = resolve(only_preset(presets), None, knobs)
    from handlens import files, plots
    from handlens.cli.loading import dataset_of
    from handlens.lr_find import search
    from handlens.training import trying
    from handlens.transfer import plan_new

    planned = plan_new(config, images=dataset_of(config))
    with trying(planned):
        found = search(planned)
    picture = files.write_atomic(save or Path("lr-find.png"), plots.png(found.show()))
    if as_json:
        print_json({"suggestion": found.suggestion, "said": found.said, "lrs": found.lrs, "losses": found.losses, "plot": str(picture)})
        return 0
    tell(found.said)
    tell(f"Curve    {picture}")
    return 0
