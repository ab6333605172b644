"""ONNX: a file that many programs run, on many machines (https://onnx.ai). Judged by onnxruntime."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from handlens.errors import FailedError, UsageError
from handlens.export.agreement import Agreement, Ask, agree
from handlens.export.program import follow, not_possible
from handlens.export.subject import Subject

INPUT, OUTPUT = "images", "logits"
_THREADS = 1


def build(subject: Subject) -> bytes:
    """The network, its preparation, class names and card as an ONNX model whose number of images is free.

    Raises:
        UsageError: the extra `export` is missing.
        ModelError: the network does something that ONNX cannot.
    """
    _needed()
    followed = follow(subject)
    with _quiet():
        try:
            program = torch.onnx.export(followed, dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False)
        except Exception as error:  # the exporter raises whatever it has no counterpart for
            raise not_possible(subject, "ONNX", error) from error
    assert program is not None
    return with_texts(program.model_proto, subject.texts)


def with_texts(model: Any, texts: dict[str, str]) -> bytes:
    """An ONNX model as bytes, with texts by name among what it says about itself."""
    for name, text in texts.items():
        model.metadata_props.add(key=name, value=text)
    content: bytes = model.SerializeToString()
    return content


def check(content: bytes, subject: Subject) -> Agreement:
    """Let onnxruntime run the file.

    Raises:
        FailedError: it does not say what the run says, or is no such file.
    """
    return agree(asking(content), subject, "onnxruntime")


def asking(content: bytes) -> Ask:
    """How an ONNX file is asked."""
    onnxruntime = _needed()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has its own kinds, which are no names of its module
        raise FailedError(f"onnxruntime cannot read the file: {str(error).splitlines()[0]}") from error

    def ask(images: Tensor) -> NDArray[np.float32]:
        (logits,) = session.run([OUTPUT], {INPUT: images.numpy()})
        return np.asarray(logits)

    return ask


def _needed() -> Any:
    """onnxruntime, if all that this format needs is there."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # nothing leaves this machine
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UsageError(f"ONNX needs {error.name}, which is not installed.", hint='pip install "handlens[export]"') from error
    return onnxruntime


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of what is none of the user's business: torchvision that is not there, names it changes."""
    import tqdm  # onnxscript brings it

    logger = logging.getLogger("torch.onnx")
    level, watch = logger.level, tqdm.tqdm.monitor_interval
    logger.setLevel(logging.ERROR)
    tqdm.tqdm.monitor_interval = 0  # its bars would leave a thread behind
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        tqdm.tqdm.monitor_interval = watch
