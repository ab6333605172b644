"""safetensors: the weights alone with all that makes a run of them again. The format to send to somebody who has handlens."""

from __future__ import annotations

from pathlib import Path

import torch

from handlens.errors import RunDamaged
from handlens.export import parcel
from handlens.export.agreement import Agreement, failed
from handlens.export.subject import Subject


def build(subject: Subject) -> bytes:
    """The run in one file; see `parcel`."""
    return parcel.of_run(subject.run, subject.card).to_bytes()


def check(content: bytes, subject: Subject) -> Agreement:
    """Whether each weight is in the file, bit for bit.

    Raises:
        FailedError: one is not, or the file is not as it was written.
    """
    try:
        found = parcel.from_bytes(content, Path("file"))
    except RunDamaged as error:
        raise failed(error.what) from error
    wanted = subject.run.weights()
    if found.weights.keys() != wanted.keys() or not all(torch.equal(found.weights[name], tensor) for name, tensor in wanted.items()):
        raise failed("a weight differs")
    return Agreement(0, 0.0, "every weight bit for bit")
