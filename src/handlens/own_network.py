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
        return _seen_by_the_doctor(plan_new(config, images=dataset))
    except ModelError as error:
        if better := _in_the_doctors_words(error, config, dataset):
            raise better from error
        raise


def _in_the_doctors_words(error: ModelError, config: Config, dataset: Dataset) -> ModelError | None:
    if ":" not in config.model or not Path(config.model.rpartition(":")[0]).is_file():
        return None
    found = _diagnosis(config, dataset)
    if not found.causes:
        return None
    where = f"{found.place}, line {found.line}" if found.line else error.where
    return ModelError(f"{found.sentence} {found.evidence}", where=where, hint=found.change)


def _seen_by_the_doctor(planned: Plan) -> Plan:
    if ":" not in planned.config.model or planned.dataset is None:
        return planned
    found = _diagnosis(planned.config, planned.dataset)
    if not found.causes:
        return planned
    where = f" ({found.place}, line {found.line}: {found.code})" if found.line else ""
    return replace(planned, remark=f"{found.sentence}{where} {found.evidence} {found.change}")


def _diagnosis(config: Config, dataset: Dataset) -> Diagnosis:
    from handlens.doctor.network import look_over

    few = slice(0, _LOOKED_AT)
    return look_over(config.model, dataset.train.images[few], dataset.train.labels[few])
