"""int8: an ONNX file whose weights and activations are whole numbers of 8 bits: a quarter of the size, and not quite what the run says."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from handlens import files, metrics
from handlens.errors import FailedError, UsageError
from handlens.export import onnx_file
from handlens.export.agreement import Ask
from handlens.export.subject import Subject
from handlens.runs import Run

_CALIBRATED_ON = 512
_BATCH = 64
_ROUNDS = 5
_MOST_LOST = 0.02


@dataclass(frozen=True)
class Quantized:
    """A quantised file beside the float one.

    Attributes:
        file: where it is.
        size_bytes, float_size_bytes: how large each is.
        n: test images that both were asked about.
        accuracy, float_accuracy: on them.
        interval: where the quantised one's accuracy on all such images lies with 95 % confidence.
        same: share of images of which both say the same.
        images_per_s, float_images_per_s: one thread, batches of 64.
    """

    file: Path
    size_bytes: int
    float_size_bytes: int
    n: int
    accuracy: float
    float_accuracy: float
    interval: tuple[float, float]
    same: float
    images_per_s: float
    float_images_per_s: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"file": str(self.file)}


def quantize(run: Run, file: str | Path, *, say: Callable[[str], None] = lambda _sentence: None) -> Quantized:
    """Write a run as an ONNX file of 8-bit numbers, and measure it beside the float one.

    The ranges of the activations are found on images that it has learned from (static quantisation, Jacob et al. 2018).

    Raises:
        UsageError, DataError: the run's data are not here; without them nothing could be measured.
        FailedError: something is not installed, or the file loses more than two points of accuracy: it is not kept then.
    """
    target, test = Path(file), run.split("test")
    if not len(test):
        raise UsageError("There are no test images to measure a quantised network on.")
    say("The run is measured for its card.")
    subject = Subject.of(run)
    content = onnx_file.build(subject)
    say("Ranges are found on training images, and both files are measured.")
    small = _quantized(
        content, run.split("train").images[:_CALIBRATED_ON].cpu(), subject.texts | {"quantised": "int8, weights and activations"}
    )
    found = _measured(target, content, small, test.images.cpu(), test.labels.cpu().numpy())
    if found.accuracy < found.float_accuracy - _MOST_LOST:
        raise FailedError(
            f"Quantised, it reads {found.accuracy:.1%} of the test images, and {found.float_accuracy:.1%} as it is. It is not kept.",
            hint="Use the float file: leave out --int8.",
        )
    files.write_atomic(target, small)
    return found


def _quantized(content: bytes, images: Tensor, texts: dict[str, str]) -> bytes:
    import onnx
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        """Gives batches of images to find ranges by."""

        def __init__(self) -> None:
            self.left = iter(images.split(_BATCH))

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            some = next(self.left, None)
            return None if some is None else {onnx_file.INPUT: some.numpy()}

    with tempfile.TemporaryDirectory() as folder:
        before, after = str(Path(folder, "float.onnx")), str(Path(folder, "int8.onnx"))
        files.write_atomic(before, content)
        disabled = logging.root.manager.disable
        logging.disable(max(logging.WARNING, disabled))  # it advises steps that the exporter has made already
        try:
            quantization.quantize_static(before, after, Reader(), per_channel=True)
        finally:
            logging.disable(disabled)
        model = onnx.load_model(after)
    del model.metadata_props[:]
    return onnx_file.with_texts(model, texts)


def _measured(file: Path, content: bytes, small: bytes, images: Tensor, labels: NDArray[np.int64]) -> Quantized:
    asks = [onnx_file.asking(small), onnx_file.asking(content)]
    said = [np.concatenate([ask(some).argmax(1) for some in images.split(_BATCH)]) for ask in asks]
    right = [int((answers == labels).sum()) for answers in said]
    speeds = _speeds(asks, images[: 16 * _BATCH])
    n = len(labels)
    interval = metrics.accuracy_interval(right[0], n)
    same = float((said[0] == said[1]).mean())
    return Quantized(file, len(small), len(content), n, right[0] / n, right[1] / n, interval, same, *speeds)


def _speeds(asks: list[Ask], images: Tensor) -> list[float]:
    """Images a second of each, in turns, the best of some rounds: what else the machine does only makes them slower."""
    best = [float("inf")] * len(asks)
    for _ in range(_ROUNDS):
        for place, ask in enumerate(asks):
            start = time.perf_counter()
            for some in images.split(_BATCH):
                ask(some)
            best[place] = min(best[place], time.perf_counter() - start)
    return [len(images) / seconds for seconds in best]
