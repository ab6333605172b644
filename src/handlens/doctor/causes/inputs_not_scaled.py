"""The pixels go from 0 to 255."""

from __future__ import annotations

import ast
import contextlib
import re

from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.probes import run

SENTENCE = "The pixels go from 0 to 255, far too large for starting weights."
CHANGE = "Divide the images by 255."
DEMO = """\
- x = images * 255
+ x = images * 255 / 255
  learn(net(), x)
"""
_LIGHT = (200, 900)  # 255 where it is lightest, and less the mean and divided by the spread of MNIST 827
_PIXELS = 16  # in the smallest picture: what has fewer numbers is none
EXPLAINS = (*NOT_LEARNING, "init_too_large", "train_test_preprocess_mismatch")


def look(case: Case) -> Finding | None:
    """What reaches the first layer with weights are pixels up to 255, and divided by 255 they are learned no worse: the cure is tested."""
    values = case.input
    if values is None or not values.is_floating_point() or values[0].numel() < _PIXELS:
        return None
    if not _LIGHT[0] <= float(values.max()) <= _LIGHT[1] or float(values.min()) < -300:
        return None
    if (case.start is not None and case.images is not None and _scale_free(case.start, case.images)) or not _cured(case):
        return None
    evidence = f"The largest number that reaches the first layer is {float(values.max()):g}"
    if case.first_loss is not None:
        evidence += f"; the first loss is {case.first_loss:.3g}, and guessing would give {case.chance:.2f}"
    return Finding(_line(case), evidence + ".")


def _cured(case: Case) -> bool:
    """Whether a copy learns no worse if what it gets is divided by 255; where that cannot be tried, it is believed."""
    if case.probe is None:
        return True
    whole, divided = (case.probe.train(scale=scale).last for scale in (1, 1 / 255))
    return not divided > 1.1 * whole


def _scale_free(model: nn.Module, images: Tensor) -> bool:
    """Whether a network gives the same for images that are divided by 255: a norm follows its first layer."""
    with contextlib.suppress(Exception):
        given, scaled = (run(model, some, training=True) for some in (images, images / 255))
        return bool((given - scaled).abs().mean() < 0.2 * given.abs().mean())
    return False


def _line(case: Case) -> int:
    """Where the pixels become floats: of those to train on, and rather on the way in than in a function that gets what is ready."""
    made = [node.lineno for node in case.script.calls("float", "astype", "PILToTensor", "from_numpy", "tensor", "as_tensor", "to")]
    made = [line for line in made if not re.search(r"==|\.eq\(|argmax", case.script.line(line))]  # that is an accuracy
    others = [line for line in made if _of_test(case.script.line(line))]
    inside = [line for line in made if case.script.enclosing(line, ast.FunctionDef, ast.ClassDef)]
    return min(made, key=lambda line: (line in others, line in inside, line), default=0) or case.line_of_data()


def _of_test(code: str) -> bool:
    return bool(re.search("test", code)) and "train" not in code
