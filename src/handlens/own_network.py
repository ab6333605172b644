"""A network of the user's own is seen by the doctor before it is trained, on the command line and in the lab."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from handlens.config import Config
from handlens.data import Dataset
from handlens.errors import ModelError
from handlens.plan import Plan

if TYPE_CHECKING:
    from handlens.doctor import Diagnosis

_LOOKED_AT = 256  # images


@contextlib.contextmanager
def explaining(config: Config, dataset: Dataset) -> Iterator[None]:
    """What is wrong with a network of the user's own is said as the doctor says it, where it knows better.

    Raises:
        ModelError: the network cannot be used.
    """
    try:
        yield
    except ModelError as error:
        if ":" not in config.model or not Path(config.model.rpartition(":")[0]).is_file():
            raise
        found = _diagnosis(config, dataset)
        if not found.causes:
            raise
        where = f"{found.place}, line {found.line}" if found.line else error.where
        raise ModelError(f"{found.sentence} {found.evidence}", where=where, hint=found.change) from error


def seen_by_the_doctor(planned: Plan) -> Plan:
    """The same plan, with a remark on a network of the user's own that would learn badly."""
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
