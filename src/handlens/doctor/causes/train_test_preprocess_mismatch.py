"""Images to train on and images to test on are prepared differently."""

from __future__ import annotations

import ast
import contextlib
import re

import torch
from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of
from handlens.doctor.seen import spread
from handlens.doctor.sets import sets

SENTENCE = "Images for training and for testing are prepared differently."
CHANGE = "Prepare both in the same way: the same division by 255, the same mean and std."
DEMO = """\
  model = net()
  learn(model, images - 0.5)
- print("test accuracy", round(accuracy(model, test_images * 5), 2))
+ print("test accuracy", round(accuracy(model, test_images - 0.5), 2))
"""
_IMAGES = r"transform|Compose|ToTensor|_tf\b|/\s*255|mean|Normalize|float\(|load|X|x_|images"
_NUMBERS = rf"{_IMAGES}|\bx\b|_x\b|pixels"
_TESTED = r"(?i:(?<![a-z])(test|val(?!u)))"
_SCORES = "loss|acc|correct|score|hits|right"
_SHAPES = ("view", "reshape", "flatten", "squeeze", "unsqueeze", "permute", "to")


def look(case: Case) -> Finding | None:
    """Mean or spread differ much more than two training batches do, and most of the images could be none of those."""
    seen = [
        event.images
        for event in case.training
        if event.model is case.model and "images" in event.about and event.images.is_floating_point() and len(event.images) >= 8
    ]
    tested = [
        event
        for event in case.tests
        if "images" in event.about
        and len(event.images) >= 8
        and event.model is case.model
        and spread(event.images)[1] > 0  # blank images are asked on purpose
        and not _drawn(case, event.images)
    ]
    if len(seen) < 2 or not tested or _fills_in(case):
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
            if _known(event.images, [*seen, *_wanted(case, seen[0])]) or any(
                _altered(event.images, other.images) for other in tested if other is not event
            ):
                continue
            evidence = (
                f"Training batches have mean {float(means.mean()):.3f} and std {float(deviations.mean()):.3f}, "
                f"a test batch has {mean:.3f} and {deviation:.3f}."
            )
            return Finding(_line(case, event.line), evidence)
    return None


def _drawn(case: Case, images: Tensor) -> bool:
    """Whether another network made them."""
    given = (one for event in case.seen.of("forward") for one in event.about.get("outputs", []))
    return any(one.numel() == images.numel() and torch.equal(one.flatten(), images.flatten()) for one in given)


def _fills_in(case: Case) -> bool:
    """Whether images are given back, and learned by a part of them: the network gets them masked, on purpose."""
    for step in case.steps:
        given = step.forwards[-1].about if step.forwards else {}
        if "output" not in given or given["output"].numel() != given["images"].numel():
            continue
        target = step.loss.about.get("target") if step.loss else None
        if step.loss is None or (target is not None and target.is_floating_point() and target.numel() != given["output"].numel()):
            return True
    return False


def _wanted(case: Case, given: Tensor) -> list[Tensor]:
    """The images that a network learned to give back of ones like `given`, which may be changed on purpose, as by noise."""
    targets = [step.loss.target for step in case.steps if step.loss and "target" in step.loss.about]
    return [one for one in targets if one.is_floating_point() and one.ndim > 1 and one[0].numel() == given[0].numel()]


def _known(images: Tensor, seen: list[Tensor]) -> bool:
    """Whether training images have the means and spreads that these have: a batch of one class may differ from a mixed one."""
    given, trained = _spreads(images), torch.cat([_spreads(batch) for batch in seen], dim=1)
    low, high = trained.quantile(torch.tensor([0.01, 0.99], dtype=torch.float64), dim=1)
    inside = ((given >= low[:, None]) & (given <= high[:, None])).all(0)
    return bool(inside.float().mean() > 0.5)


def _spreads(images: Tensor) -> Tensor:
    """Mean and standard deviation of each image, in two rows."""
    flat = images.flatten(1).double()
    return torch.stack([flat.mean(1), flat.std(1)])


def _altered(images: Tensor, others: Tensor) -> bool:
    """Whether they are those images, changed on purpose: with noise, or by an attack; not by another scale alone."""
    if images.shape != others.shape or not others.is_floating_point():
        return False
    one, other = images.flatten(1), others.flatten(1)
    alike = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].abs()
    return 0.6 < float(alike) < 0.9999


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
    """Where the test images are prepared, if a line says so: rather where what the network is asked for gets its name."""
    prepared = (number for number, text in enumerate(case.script.lines, 1) if _prepares(text.split("#")[0]))
    return _named(case, line) or _calculated(case) or next(prepared, 0) or _by_condition(case) or line


def _named(case: Case, line: int) -> int:
    """The last line before that gives `X_test` a value that is made of itself, in `model(X_test)`; not only another shape."""
    asked = {name_of(one) for node in case.script.nodes if isinstance(node, ast.Call) and node.lineno == line for one in node.args}
    made = [node for node in case.script.nodes if isinstance(node, ast.Assign) and node.lineno < line and not _shaped(node.value)]
    own = [
        node.lineno
        for node in made
        for name in {name_of(target) for target in node.targets} & asked - {""}
        if any(name_of(one) == name for one in ast.walk(node.value))
    ]
    return max(own, default=0)


def _shaped(value: ast.expr) -> bool:
    """Whether it is something in another shape: `x.reshape(-1, 28, 28)`."""
    return isinstance(value, ast.Call) and name_of(value.func) in _SHAPES and not any(isinstance(one, ast.BinOp) for one in ast.walk(value))


def _calculated(case: Case) -> int:
    """Where something called test is calculated: `X_test = X[800:] / 255`."""
    for target, value in case.script.pairs():
        name = ast.unparse(target)
        if re.search(_TESTED, name) and not re.search(_SCORES, name, re.IGNORECASE) and _scales(value):
            return target.lineno
    return 0


def _scales(value: ast.expr) -> bool:
    """Whether pixels are calculated with, and neither paths nor counts."""
    sums = [node for node in ast.walk(value) if isinstance(node, ast.BinOp)]
    texts = [one for node in sums for one in (node.left, node.right) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    counts = [one for node in sums for one in ast.walk(node) if isinstance(one, ast.Call) and name_of(one.func) in ("len", "int", "sum")]
    return bool(sums) and not texts and not counts and bool(re.search(_NUMBERS, ast.unparse(value)))


def _by_condition(case: Case) -> int:
    """Where the set that is tested on prepares an image in one of two ways."""
    method = case.script.method(type(sets(case)[1]).__name__, "__getitem__")
    nodes = list(ast.walk(method)) if method else []
    return next((node.lineno for kind in (ast.IfExp, ast.If) for node in nodes if isinstance(node, kind)), 0)


def _prepares(code: str) -> bool:
    told = re.sub(r"\w*loader\w*", "", code, flags=re.IGNORECASE)
    named = re.search(r"test|val", code, re.IGNORECASE) and re.search(_IMAGES, told)
    return bool(named) and "=" in code and "def " not in code
