"""`handlens data`: what pictures are there, and how to get others."""

from __future__ import annotations

from pathlib import Path

import click

from handlens.cli.terminal import json_option, print_json, say, show_table, tell


@click.group()
def data() -> None:
    """List, fetch, show, import, check data sets."""


@data.command()
@json_option
def ls(as_json: bool) -> int:
    """List the data sets, and whether they are on this machine."""
    from handlens.data import DATASETS, status

    found = status()
    if as_json:
        print_json([{"name": one.name, "on_disk": one.on_disk, "folder": str(one.folder), "size_bytes": one.size_bytes} for one in found])
        return 0
    columns = {"name": "left", "on this machine": "left", "size": "right", "licence": "left", "what it is": "left"}
    rows = [
        (
            one.name,
            "yes" if one.on_disk else "no",
            f"{one.size_bytes / 1e6:.0f} MB",
            DATASETS[one.name].licence,
            DATASETS[one.name].description,
        )
        for one in found
    ]
    show_table(columns, rows)
    return 0


@data.command()
@click.argument("name", default="mnist")
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="FOLDER", help="Look for its files here first.")
def fetch(name: str, data_dir: Path | None) -> int:
    """Get data set NAME, saying what, how large, and from where.

    Nothing happens if it is there.
    """
    from handlens.cli.loading import load_dataset

    tell(repr(load_dataset(name, 0.1, data_dir)))
    return 0


@data.command()
@click.argument("name", required=False)
@json_option
def path(name: str | None, as_json: bool) -> int:
    """Print the folder of data set NAME, or of all."""
    from handlens.data import status
    from handlens.data.cache import root
    from handlens.data.catalog import find

    if name:
        find(name)
    folder = str(next((one.folder for one in status() if one.name == name), root()))
    print_json({"folder": folder}) if as_json else tell(folder)
    return 0


@data.command()
@click.argument("name", default="mnist")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.png", help="Where the picture goes.  [NAME.png here]")
@json_option
def show(name: str, plot: Path | None, as_json: bool) -> int:
    """Show data set NAME: its classes, and a picture of some images."""
    from handlens import files, plots
    from handlens.cli.loading import load_dataset

    dataset = load_dataset(name, 0.1)
    picture = files.write_atomic(plot or Path(f"{name}.png"), plots.png(dataset.show(32)))
    if as_json:
        splits = {part: {"images": len(split), "per_class": split.counts} for part, split in dataset.splits.items()}
        print_json(
            {"name": name, "classes": list(dataset.classes), "image_shape": dataset.image_shape, "splits": splits, "plot": str(picture)}
        )
        return 0
    counts = [split.counts for split in dataset.splits.values()]
    rows = [(label, *(f"{count[index]:,}" for count in counts)) for index, label in enumerate(dataset.classes)]
    show_table(
        {"class": "left"} | dict.fromkeys(dataset.splits, "right"),
        [*rows, ("all", *(f"{len(split):,}" for split in dataset.splits.values()))],
    )
    say(f"Picture  {picture}")
    return 0


@data.command(name="import")
@click.argument("folder", type=click.Path(path_type=Path))
def import_(folder: Path) -> int:
    """Take a data set's files from FOLDER.

    Which set it is, their checksums say.
    """
    from handlens.data import import_folder

    tell(f"Imported into {import_folder(folder, say=say).folder}")
    return 0


@data.command()
@click.argument("name", required=False)
@json_option
def check(name: str | None, as_json: bool) -> int:
    """Read each byte of data set NAME and compare checksums.

    Without NAME of all that are here. Exit code 1 if one is damaged.
    """
    from handlens.data import check as verify
    from handlens.data import status
    from handlens.errors import DataDamaged

    names = [name] if name else [one.name for one in status() if one.on_disk]
    damage: dict[str, str] = {}
    for one in names:
        try:
            verify(one)
        except DataDamaged as error:
            damage[one] = str(error)
    if as_json:
        print_json([{"name": one, "damage": damage.get(one)} for one in names])
    else:
        show_table({"name": "left", "finding": "left"}, [(one, damage.get(one, "right, byte for byte")) for one in names])
    return 1 if damage else 0
