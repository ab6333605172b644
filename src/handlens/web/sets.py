"""The routes of Data about data sets: which there are, how even they are, and what augmentation makes of them."""

from __future__ import annotations

import functools
from typing import Any

import torch
from pydantic import Field

from handlens import data, seeds
from handlens.data import AUGMENTATIONS, Augmentation, Dataset
from handlens.data.catalog import DATASETS, MINE
from handlens.data.inspection import mean_images
from handlens.data.say import Say, images_in_words
from handlens.data.shelf import Status
from handlens.errors import UsageError
from handlens.web import fetching
from handlens.web.absent import check_here, published
from handlens.web.asked import Asked, Body
from handlens.web.pictures import as_png
from handlens.web.tiles import tiled

_MOST_CLASSES = 100
_SAMPLES = 6
_FORMS = 6
_quiet: Say = lambda *_: None  # noqa: E731


class Preview(Body):
    """An augmentation to be looked at, on a data set.

    Attributes:
        name: of the data set.
        angle, shift, scale, shear, bend, tilt, thickness, noise, coarse, blur, cut, flip, centred: as in `Augmentation`, within
            the reach of the sliders.
        seed: decides the amounts.
    """

    name: str = Field(max_length=64)
    angle: float = Field(0, ge=0, le=90)
    shift: float = Field(0, ge=0, le=0.5)
    scale: float = Field(0, ge=0, le=0.6)
    shear: float = Field(0, ge=0, le=60)
    bend: float = Field(0, ge=0, le=0.3)
    tilt: float = Field(0, ge=0, le=0.4)
    thickness: float = Field(0, ge=0, le=3)
    noise: float = Field(0, ge=0, le=1)
    coarse: float = Field(1, ge=0.15, le=1)
    blur: float = Field(0, ge=0, le=3)
    cut: float = Field(0, ge=0, le=0.3)
    flip: bool = False
    centred: bool = False
    seed: int = Field(42, ge=0, lt=1 << 31)


def known(_asked: Asked) -> dict[str, Any]:
    """Every data set: whether it is here, how large it is, and where it comes from; and the named augmentations."""
    changes = {name: dict(vars(change)) for name, change in AUGMENTATIONS.items()}
    return {"sets": [_described(status) for status in data.status()], "augmentations": changes}


def _described(status: Status) -> dict[str, Any]:
    entry = DATASETS.get(status.name)
    about: dict[str, Any] = {"title": status.name}
    if entry:
        about = {"title": entry.title, "homepage": entry.homepage, "files": published(status.name)}
    shown = {"name": status.name, "here": status.on_disk, "folder": str(status.folder), "size_bytes": status.size_bytes}
    told = {
        "licence": status.licence,
        "description": status.description,
        "fetching": bool(entry) and not status.on_disk and fetching.is_going_on(status.name),
    }
    return {"homepage": "", "files": [], **about, **shown, **told}


def look(asked: Asked) -> dict[str, Any]:
    """A data set that is here: its classes, how many images each has, their mean, and some of them."""
    dataset = _loaded(asked.path["name"])
    classes, images = dataset.classes[:_MOST_CLASSES], dataset.train.images
    means = mean_images(dataset)
    return {
        "name": dataset.name,
        "images": images_in_words(dataset.image_shape),
        "counts": {name: split.counts[:_MOST_CLASSES] for name, split in dataset.splits.items() if len(split)},
        "totals": {name: len(split) for name, split in dataset.splits.items()},
        "more": len(dataset.classes) - len(classes),
        "classes": [
            {
                "name": name,
                "mean": as_png(means[label]),
                "samples": [as_png(image.numpy()) for image in images[_firsts(dataset, label)]],
            }
            for label, name in enumerate(classes)
        ],
    }


def augmented(asked: Asked) -> dict[str, Any]:
    """Some images, each as it is and in some of the forms in which a network would see it."""
    wanted = asked.read(Preview)
    images, names = _some_images(wanted.name)
    change = Augmentation(**wanted.model_dump(exclude={"name", "seed"}))
    repeated = images.float().div(255).repeat_interleave(_FORMS, 0)
    forms = change(repeated, seeds.generator("augment", wanted.seed)).clamp(0, 1).mul(255).round().byte()
    rows = torch.cat([images[:, None], forms.unflatten(0, (len(images), _FORMS))], 1)
    return {"picture": as_png(tiled(rows.numpy())), "classes": names, "forms": _FORMS, "side": rows.shape[-1]}


def _loaded(name: str) -> Dataset:
    """The data set of exactly that name, if it is here. Nothing is fetched."""
    _status(name)  # there is one of that name
    check_here(name)
    return data.load_known(name, val=0, offline=True, say=_quiet)


def _status(name: str) -> Status:
    found = next((status for status in data.status() if status.name == name), None)
    if found is None:
        raise UsageError("There is no data set of this name here.", hint="handlens data ls lists them.")
    return found


def _some_images(name: str) -> tuple[torch.Tensor, list[str]]:
    """One image of each of the first classes, N,C,H,W, and the names of these."""
    status = _status(name)
    return _kept(name, str(status.folder)) if status.on_disk and name != MINE else _chosen(name)


@functools.lru_cache(4)
def _kept(name: str, _folder: str) -> tuple[torch.Tensor, list[str]]:
    """A folder's name says what is in it, so the images are read once."""
    return _chosen(name)


def _chosen(name: str) -> tuple[torch.Tensor, list[str]]:
    dataset = _loaded(name)
    labels = [label for label, count in enumerate(dataset.train.counts) if count][:_SAMPLES]
    places = [_firsts(dataset, label)[0] for label in labels]
    return dataset.train.images[places].clone(), [dataset.classes[label] for label in labels]


def _firsts(dataset: Dataset, label: int) -> list[int]:
    """Where the first training images of a class are."""
    found: list[int] = (dataset.train.labels == label).nonzero()[:_SAMPLES, 0].tolist()
    return found
