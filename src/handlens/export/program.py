"""pt2: the network as a program of `torch.export`, which runs without its Python class. Open it only from people you trust."""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from handlens.errors import FailedError, ModelError
from handlens.export.agreement import Agreement, agree
from handlens.export.subject import Raw, Subject


def build(subject: Subject) -> bytes:
    """The network, its preparation, class names and card as what `torch.export.load` reads, with a free number of images.

    Raises:
        ModelError: its forward cannot be followed.
    """
    file = io.BytesIO()
    torch.export.save(follow(subject), file, extra_files=dict(subject.texts))
    return file.getvalue()


def follow(subject: Subject) -> torch.export.ExportedProgram:
    """The network with its preparation, followed step by step; the number of images is free.

    Raises:
        ModelError: its forward cannot be followed.
    """
    free = {0: torch.export.Dim("batch", min=1)}
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(Raw(subject.network).eval(), (subject.example,), dynamic_shapes=(free,))
    except Exception as error:  # it raises whatever it stumbles over in a learner's forward
        raise not_possible(subject, "a program that can be followed", error) from error


def not_possible(subject: Subject, what: str, error: Exception) -> ModelError:
    """That a format cannot hold a network."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    fixed = any("pecialized" in line or "constant" in line for line in lines)
    reason = "it takes only as many images as it was tried with" if fixed else (lines or [type(error).__name__])[0][:200]
    hint = (
        "Does forward say len(images)? Write images.shape[0], or flatten(1)."
        if fixed
        else "A forward must not decide by its images' values."
    )
    name = type(subject.network).__name__
    return ModelError(f"{name} cannot become {what}: {reason}.", hint=f"{hint} --format safetensors always works.")


def check(content: bytes, subject: Subject) -> Agreement:
    """Let PyTorch read and run the file.

    Raises:
        FailedError: it does not say what the run says, or is no such file.
    """
    try:
        program = torch.export.load(io.BytesIO(content)).module()
    except Exception as error:  # a damaged archive makes it raise many kinds
        raise FailedError(f"PyTorch cannot read the file: {(str(error).splitlines() or [''])[0]}") from error

    def ask(images: Tensor) -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(program(images).numpy())

    return agree(ask, subject, "torch.export.load")
