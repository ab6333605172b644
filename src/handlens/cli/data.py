"""`handlens data`: what pictures are there, and how to get others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import FILE, json_option, print_json, say, show_table, tell

if TYPE_CHECKING:
    from handlens.data.inspection import Twin


@click.group()
def data() -> None:
    """List, fetch, show, import, check data sets."""


@data.command()
@json_option
def ls(as_json: bool) -> int:
    """List the data sets, and whether they are on this machine."""
    from handlens.data import status

    found = status()
    if as_json:
        print_json([{"name": one.name, "on_disk": one.on_disk, "folder": str(one.folder), "size_bytes": one.size_bytes} for one in found])
        return 0
    columns = {"name": "left", "on this machine": "left", "size": "right", "licence": "left", "what it is": "left"}
    rows = [(one.name, "yes" if one.on_disk else "no", f"{one.size_bytes / 1e6:.0f} MB", one.licence, one.description) for one in found]
    show_table(columns, rows)
    return 0


@data.command()
@click.argument("name", default="mnist")
@click.option("--data-dir", type=FILE, metavar="FOLDER", help="Look for its files here first.")
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
    from handlens.data.shelf import unknown

    folders = {one.name: one.folder for one in status()}
    if name and name not in folders:
        raise unknown(name)
    folder = str(folders[name] if name else root())
    print_json({"folder": folder}) if as_json else tell(folder)
    return 0


@data.command()
@click.argument("name", default="mnist")
@click.option("--plot", type=FILE, metavar="FILE.png", help="Where the picture goes.  [NAME.png here]")
@click.option("--augment", metavar="none|light|robust|photo|handwriting", help="Draw what the augmentation makes of some images.")
@json_option
def show(name: str, plot: Path | None, augment: str | None, as_json: bool) -> int:
    """Show data set NAME: its classes, and a picture of some images."""
    from handlens import files, plots
    from handlens.cli.loading import load_dataset
    from handlens.data import preview

    dataset = load_dataset(name, 0.1)
    figure = preview(dataset.train, augment) if augment else dataset.show(32)
    picture = files.write_atomic(plot or Path(f"{dataset.name}.png"), plots.png(figure))
    if as_json:
        splits = {part: {"images": len(split), "per_class": split.counts} for part, split in dataset.splits.items()}
        about = {"name": dataset.name, "classes": list(dataset.classes), "image_shape": dataset.image_shape}
        print_json({**about, "splits": splits, "plot": str(picture)})
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
@click.argument("source", type=FILE, metavar="FOLDER|FILE.zip|FILE.csv")
@click.option("--name", metavar="NAME", help="What the data set is called.  [made from the name of FOLDER]")
@click.option("--image-size", type=int, metavar="N", help="Height and width in pixels.  [the median of the images, at most 224]")
def import_(source: Path, name: str | None, image_size: int | None) -> int:
    """Make a data set of your own images.

    They are a FOLDER with a folder for each class, a zip file of one, or a CSV file of pixels.

    A FOLDER with the published files of a data set of the catalogue is taken for that; which one it is, their checksums say.
    """
    from handlens.cli.loading import telling
    from handlens.data import import_folder, import_images, shelf, sources

    with telling() as tell_step:
        if image_size is None and sources.is_official(source):
            folder = import_folder(source, name, say=tell_step).folder
        else:
            name = import_images(source, name, image_size=image_size, say=tell_step)
            folder = shelf.check(name).folder
    tell(f"Imported into {folder}")
    if name:
        say(f"To train on it: handlens train --data {name}")
    return 0


@data.command()
@click.argument("name")
def rm(name: str) -> int:
    """Delete data set NAME, which you imported, from the cache. The images it was made of stay where they are."""
    from handlens.data import shelf

    tell(f"Deleted {shelf.remove(name)}")
    return 0


@data.command()
@click.argument("name", required=False)
@click.option("--plot", type=FILE, metavar="FILE.png", help="Where the picture of NAME goes.  [NAME-check.png here]")
@click.option("--near", type=float, default=0.985, metavar="X", help="From which correlation on two images are nearly equal.  [0.985]")
@json_option
def check(name: str | None, plot: Path | None, near: float, as_json: bool) -> int:
    """Read each byte of data set NAME and compare checksums.

    Without a NAME, all that are here are read. Exit code 1 if one is damaged.

    With a NAME it also says how even the classes are and which images are in it twice, and draws that.
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
    if name and not damage:
        return _inspect(name, plot, near, as_json)
    if as_json:
        print_json([{"name": one, "damage": damage.get(one)} for one in names])
    else:
        show_table({"name": "left", "finding": "left"}, [(one, damage.get(one, _RIGHT)) for one in names])
    return 1 if damage else 0


_RIGHT = "right, byte for byte"
_MOST_ROWS = 20


def _inspect(name: str, plot: Path | None, near: float, as_json: bool) -> int:
    """The findings about one data set that is not damaged."""
    from handlens import files, plots
    from handlens.cli.loading import load_dataset
    from handlens.data import inspect, shelf, stored

    found = shelf.check(name)
    unreadable = found.about.unreadable if isinstance(found, stored.Stored) else {}
    inspection = inspect(load_dataset(name, 0.1), near=near, unreadable=unreadable)
    picture = files.write_atomic(plot or Path(f"{name}-check.png"), plots.png(inspection.plot()))
    if as_json:
        print_json([{**inspection.to_dict(), "damage": None, "plot": str(picture)}])
        return 0
    tell(f"{name} is {_RIGHT}.")
    for sentence in inspection.sentences():
        tell(sentence)
    for path, reason in list(unreadable.items())[:_MOST_ROWS]:
        tell(f"  {path}: {reason}")
    if inspection.twins:
        tell()
        rows = [_row(twin) for twin in inspection.twins[:_MOST_ROWS]]
        show_table({"correlation": "right", "image": "left", "and": "left", "class": "left", "and class": "left"}, rows)
    say(f"Picture  {picture}")
    return 0


def _row(twin: Twin) -> tuple[str, ...]:
    first, second = (f"{split} {place}" for split, place in twin.places)
    return "equal" if twin.correlation == 1 else f"{min(twin.correlation, 0.9999):.4f}", first, second, *twin.classes
