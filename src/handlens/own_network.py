"""A network of the user's own is seen by the doctor before it is trained, on the command line and in the lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from handlens.config import Config
from handlens.data import Dataset
from handlens.errors import ModelError
from handlens.plan import Plan
from handlens.transfer import plan_new

if TYPE_CHECKING:
    from handlens.doctor import Diagnosis

_LOOKED_AT = 256  # images


def plan_seen(config: Config, dataset: Dataset) -> Plan:
    """The plan of a training, as `plan_new` makes it, with a remark on a network of the user's own that would learn badly.

    Raises:
        ModelError: the network cannot be used; in the words of the doctor, where it knows better.
    """
    try:
        planned = plan_new(config, images=dataset)
    except ModelError as error:
        if better := _in_the_doctors_words(error, config, dataset):
            raise better from error
        raise
    return seen(planned, _file(config))


def seen(planned: Plan, file: str) -> Plan:
    """The plan with a remark on a network of the user's own that learns badly; as it is, if there is nothing to say.

    Args:
        planned: of a training that begins, or goes on.
        file: where its network stands; empty, if it is none of the user's own.
    """
    if not file or planned.dataset is None:
        return planned
    found = _diagnosis(file, planned.config, planned.dataset)
    if not found.causes:
        return planned
    where = f" ({found.place}, line {found.line}: {found.code})" if found.line else ""
    return replace(planned, remark=f"{found.sentence}{where} {found.evidence} {found.change}")


def _file(config: Config) -> str:
    return config.model.rpartition(":")[0]


def _in_the_doctors_words(error: ModelError, config: Config, dataset: Dataset) -> ModelError | None:
    if not Path(_file(config)).is_file():
        return None
    found = _diagnosis(_file(config), config, dataset)
    if not found.causes:
        return None
    where = f"{found.place}, line {found.line}" if found.line else error.where
    return ModelError(f"{found.sentence} {found.evidence}", where=where, hint=found.change)


def _diagnosis(file: str, config: Config, dataset: Dataset) -> Diagnosis:
    from handlens.doctor.network import look_over

    few = slice(0, _LOOKED_AT)
    return look_over(f"{file}:{config.model.rpartition(':')[2]}", dataset.train.images[few], dataset.train.labels[few])
