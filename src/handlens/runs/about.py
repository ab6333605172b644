"""`run.json`: what stands beside a training: its id, its owner's words, and how to make its network again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from handlens import files
from handlens.config import Config, make_config
from handlens.errors import ConfigError, RunDamaged
from handlens.runs.written import read_json, write_json

FILE = "run.json"
_PATIENCE_S = 10.0
_MOST_PIXELS = 1 << 24


@dataclass(frozen=True)
class About:
    """What a run's folder says about itself.

    Attributes:
        id: sorts by the time at which the run began.
        created: that time, for people.
        note, tags: what its owner wrote about it.
        failure: why it failed, in words; empty if it did not.
        image_shape: channels, height, width.
        model_options: the keywords that make one of our networks again.
        frozen: the parameters that were kept as they are; None if all learned.
        model_file, model_sha256: a learner's own file, and what it was at the time.
        classes: their names, in the order of the network's outputs.
        ink: the images are bright strokes on black, as MNIST's; pictures of one's own are then prepared as such.
        data_fingerprint: of the images and labels it learned from.
        learned: the data sets whose training images it has learned from, also those of the run whose weights it began with.
        config_sha256: what `config.json` was; another config would quietly give another training.
    """

    id: str
    created: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    failure: str = ""
    image_shape: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    frozen: tuple[str, ...] | None = None
    model_options: dict[str, Any] | None = None
    ink: bool = False
    model_file: str = ""
    model_sha256: str = ""
    data_fingerprint: str = ""
    learned: tuple[str, ...] = ()
    config_sha256: str = ""

    def write(self, folder: Path) -> None:
        """Replace the file in a run's folder."""
        write_json(folder / FILE, asdict(self))


def read_about(folder: Path) -> About:
    """Read the file of a run's folder.

    Raises:
        RunDamaged: it is not there, or not what it should be.
    """
    content = read_json(folder / FILE)
    if not content.keys() <= {field.name for field in fields(About)} or not _fits(content):
        raise RunDamaged(f"'{FILE}' does not say what a run is.", where=str(folder / FILE))
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
    return About(**known)


def _fits(values: dict[str, Any]) -> bool:
    texts = [values.get(field.name, "") for field in fields(About) if field.type == "str"]
    shape, options = values.get("image_shape", []), values.get("model_options")
    lists = [values.get(name, []) for name in ("tags", "classes", "learned")] + [[] if values.get("frozen") is None else values["frozen"]]
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(values.get("ink", False), bool)
        and bool(values.get("id"))
        and all(isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in lists)
        and isinstance(shape, list)
        and all(type(size) is int and size > 0 for size in shape)
        and len(shape) <= 3
        and math.prod(shape) <= _MOST_PIXELS
        and (options is None or isinstance(options, dict))
    )


def rewrite(folder: Path, change: Callable[[About], About]) -> About:
    """Change what a run's folder says about itself; of many who do so at a time, none undoes what another did.

    Raises:
        RunBusy: somebody else takes very long to do so.
        RunDamaged, FileError: it cannot be read, or not be written.
    """
    with files.lock(folder / f"{FILE}.lock", wait_s=_PATIENCE_S):
        about = change(read_about(folder))
        about.write(folder)
    return about


def read_config(folder: Path, about: About) -> Config:
    """The config with which a run began.

    Raises:
        RunDamaged: it is not there, or has changed since: nobody could say then what was trained.
    """
    path = folder / "config.json"
    content = read_json(path)
    if files.sha256(path) != about.config_sha256:
        raise RunDamaged(
            "config.json has changed since the training began.", where=str(path), hint="To train with other knobs, begin a new run."
        )
    try:
        return make_config(content)
    except ConfigError as error:
        raise RunDamaged(error.what, where=str(path), hint=error.hint) from error
