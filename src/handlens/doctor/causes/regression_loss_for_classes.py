"""Class numbers are learned as if they were quantities."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import name_of, parents

SENTENCE = "The class numbers are learned as quantities: a 7 would be more than a 3."
CHANGE = "Give the network one output a class, and take CrossEntropyLoss."
DEMO = """\
- model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))
- learn(model, y=labels.float().unsqueeze(1), loss_fn=nn.MSELoss(), lr=0.001)
- guesses = model(test_images).round().squeeze(1)
+ model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
+ learn(model)
+ guesses = model(test_images).argmax(1)
  print("accuracy", round((guesses == test_labels).float().mean().item(), 2))
"""
EXPLAINS = (*NOT_LEARNING, "init_too_large")
_DISTANCES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


def look(case: Case) -> Finding | None:
    """A loss of distances, one output, and targets that are a few whole numbers."""
    for event in case.seen.of("loss"):
        if event.name not in _DISTANCES or not event.grad or "target" not in event.about:
            continue
        target, scores = event.target.float(), event.scores
        values = target.unique()
        single = scores.ndim == 1 or scores.shape[-1] == 1
        if (
            single
            and 3 <= len(values) <= 20
            and bool((target == target.round()).all())
            and bool((target >= 0).all())
            and float(target.max()) < 100
        ):
            images = case.images
            if images is not None and images[0].numel() >= 16 and not _is_regression(case):
                line = case.script.find("MSELoss(", "mse_loss(", "L1Loss(", "SmoothL1Loss(", "l1_loss(")
                shapes = " and ".join("x".join(map(str, shape)) for shape in event.shapes)
                return Finding(
                    line or event.line, f"{event.name} of shapes {shapes}, with {len(values)} different whole numbers as targets."
                )
    return None


def _is_regression(case: Case) -> bool:
    """Whether nobody ever asks for a class, or it is told how far off the guesses are."""
    asked = case.seen.of("compare", "argmax") or case.script.find("acc", "correct", "digit", "class_")
    return not asked or _tells_distance(case)


def _tells_distance(case: Case) -> bool:
    """Whether a mean of distances is taken, as of `(guess - true).abs().mean()`: between classes there are none."""
    for call in case.script.calls("abs"):
        averaged = any(isinstance(above, ast.Call) and name_of(above.func) == "mean" for above in parents(call))
        if averaged and not re.search("grad|weight", ast.unparse(call)):
            return True
    return False
