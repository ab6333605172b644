"""The pixels were divided by 255 twice."""

from __future__ import annotations

import re

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding

SENTENCE = "The images were already 0 to 1; here they are divided by 255 a second time."
CHANGE = "Divide once."
DEMO = """\
- x = images / 255
+ x = images
  learn(net(), x)
"""
_SCALES = re.compile(r"\b255\b|(/|div_?\()\s*256\b|ToTensor|to_tensor|to_float|to_image")
EXPLAINS = (*NOT_LEARNING, "init_too_large", "wrong_norm_stats")


def look(case: Case) -> Finding | None:
    """What reaches the first layer with weights is tiny."""
    values = case.input
    if values is None or not values.is_floating_point() or values[0].numel() < 16:
        return None
    largest, deviation = float(values.abs().max()), float(values.double().std())
    if not 0 < largest < 0.05 or deviation > 0.02:
        return None
    scaling = [number for number, line in enumerate(case.script.lines, start=1) if _SCALES.search(line.split("#")[0])]
    places = [number for number in scaling if "255" in case.script.line(number)] or scaling
    if not places:  # no pixels, but other small numbers, as of sound
        return None
    places = [number for number in places if case.script.line(number).count("255") > 1][:1] or _before_training(case, places) or places
    return Finding(places[-1], f"The pixels that reach the first layer go up to {largest:.4f} only.")


def _before_training(case: Case, places: list[int]) -> list[int]:
    return [number for number in places if number < case.line_of_training()]
