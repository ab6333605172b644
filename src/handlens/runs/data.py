"""From a run's config back to its images, and to what a picture needs to be like them."""

from __future__ import annotations

from handlens import data
from handlens.config import OWN, Config
from handlens.data import Dataset
from handlens.data.catalog import MINE
from handlens.errors import UsageError
from handlens.prediction import Preparation
from handlens.runs.about import About


def images_of(name: str, config: Config, about: About) -> Dataset:
    """The data set of the catalogue, or of the cache, that a run was trained on.

    Raises:
        UsageError: it was the user's own, or is another one now.
        DataError: it cannot be had.
    """
    # A run that somebody sent could name any folder of this machine.
    if config.data.startswith(OWN) or not data.is_known(config.data):
        raise UsageError(
            f"Run '{name}' was trained on data of your own.",
            hint=f"Give it again: hl.load_run('{name}', data=...).",
        )
    return whole(data.load_known(config.data, val=config.val), name, config, about)


def whole(found: Dataset, name: str, config: Config, about: About) -> Dataset:
    """The data set of a run with the images that were added to it, if these are here: only who learns from them needs them.

    Raises:
        UsageError: it is another one now.
        DataError: what was added is here, and cannot be read.
    """
    if config.with_data and not data.is_known(config.with_data):
        return found
    return the_same(data.with_added(found, config.with_data), name, config, about)


def the_same(found: Dataset, name: str, config: Config, about: About) -> Dataset:
    """The data set, if it is the one that a run was trained on. One's own digits may have become more since: then it is still looked at.

    Raises:
        UsageError: it is another one.
    """
    if not has_changed(found, about) or MINE in (config.data, config.with_data):
        return found
    raise UsageError(
        f"Run '{name}' was trained on other images than those that are {config.data} now.",
        hint=f"Give them: hl.load_run('{name}', data=...).",
    )


def has_changed(found: Dataset, about: About) -> bool:
    """Whether a run learned from other images than these."""
    return about.data_fingerprint not in ("", found.fingerprint)


def preparation_of(config: Config, about: About) -> Preparation:
    """What a picture has to go through before the network of a run can read it."""
    known = data.DATASETS.get(config.data)
    return Preparation(about.image_shape, known.ink if known else about.ink)
