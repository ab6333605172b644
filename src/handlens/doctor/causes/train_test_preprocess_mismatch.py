"""Images to train on and images to test on are prepared differently."""

from __future__ import annotations

import contextlib
import re

import torch

from handlens.doctor.case import Case, spread
from handlens.doctor.cause import Finding
from handlens.doctor.sets import sets

SENTENCE = "Images for training and for testing are prepared differently."
CHANGE = "Use the same scaling for both."
DEMO = """\
  model = net()
  learn(model, images - 0.5)
- print("test accuracy", round(accuracy(model, test_images * 5), 2))
+ print("test accuracy", round(accuracy(model, test_images - 0.5), 2))
"""


def look(case: Case) -> Finding | None:
    """Mean or spread differ much more than two training batches do."""
    seen = [
        event.images for event in case.training if "images" in event.about and event.images.is_floating_point() and len(event.images) >= 8
    ]
    lines = {event.line for event in case.training}
    tested = [
        event
        for event in case.evaluations
        if "images" in event.about
        and len(event.images) >= 8
        and event.model is case.model
        and event.line not in lines
        and spread(event.images)[1] > 0  # blank images are asked on purpose
    ]
    if len(seen) < 2 or not tested:
        return None
    batches = [spread(images) for images in seen]
    means, deviations = torch.tensor(batches, dtype=torch.float64).T
    least = (0.6, 2.5) if _augmented(case) else (0.25, 1.6)
    for event in tested:
        mean, deviation = spread(event.images)
        away = abs(mean - float(means.mean()))
        larger = max(deviation, float(deviations.mean())) / max(1e-9, min(deviation, float(deviations.mean())))
        if (away > 5 * float(means.std()) and away > least[0] * float(deviations.mean())) or (
            larger > least[1] and abs(deviation - float(deviations.mean())) > 5 * float(deviations.std())
        ):
            evidence = (
                f"Training batches have mean {float(means.mean()):.3f} and std {float(deviations.mean()):.3f}, "
                f"a test batch has {mean:.3f} and {deviation:.3f}."
            )
            return Finding(_line(case, event.line), evidence)
    return None


def _augmented(case: Case) -> bool:
    """Whether training images are changed at random, by the text or because the first one differs when it is read again."""
    trained, _ = sets(case)
    if case.script.find("Random", "augment", "Augment", "jitter", "noise"):
        return True
    with contextlib.suppress(Exception):
        first, again = (trained[0][0] for _ in range(2))
        return not torch.equal(first, again)
    return False


def _line(case: Case, line: int) -> int:
    """Where the test images are prepared, if a line says so."""
    for number, text in enumerate(case.script.lines, start=1):
        code = text.split("#")[0]
        if (
            re.search(r"test|val", code, re.IGNORECASE)
            and re.search(r"transform|Compose|ToTensor|_tf\b|/\s*255|mean|Normalize|float\(|load|X|x_|images", code)
            and "=" in code
            and "def " not in code
        ):
            return number
    return line
