"""Images and labels were mixed separately."""

from __future__ import annotations

import ast
import math

import torch
from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import name_of, parents
from handlens.doctor.seen import rows

SENTENCE = "Images and labels were mixed separately, so they no longer belong together."
CHANGE = "Mix both with the same permutation."
DEMO = """\
- x, y = images[torch.randperm(200)], labels[torch.randperm(200)]
+ order = torch.randperm(200)
+ x, y = images[order], labels[order]
  model = net()
  learn(model, x, y)
  print("test accuracy", round(accuracy(model), 2))
"""
EXPLAINS = (*NOT_LEARNING, "init_too_large")
_PIXELS = (torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64)
_FEW = 16
_ENOUGH = 100  # images: of fewer, the share that chance gives is not told from a real one


def look(case: Case) -> Finding | None:
    """Images of a class have nothing in common, though they have for the test images, or two mixings stand in the program."""
    mixed = case.script.calls("randperm", "permutation", "shuffle", "sort", "argsort", "roll", "flip", "sample")
    found = without_likeness(case) if mixed else ""
    return Finding(_line(case, mixed), found) if found else None


def without_likeness(case: Case) -> str:
    """How little images of a class have in common, in words; empty if they have enough."""
    pairs = labelled(case)
    if pairs is None:
        return ""
    images, labels = pairs
    classes = len(labels.unique())
    agreement = centroid_agreement(images, labels)
    if classes < 3 or len(labels) < _ENOUGH or not _as_by_chance(agreement, labels):
        return ""
    if not _as_by_chance(_neighbour_agreement(images, labels), labels):  # a class may have several shapes, far from each other
        return ""
    tested = _tested(case)
    if tested is not None and centroid_agreement(*tested) < 2 / classes:
        return ""
    return (
        f"Images of the same class are no more alike than others: "
        f"{agreement:.0%} are nearest to their own class, {1 / classes:.0%} by chance."
    )


def _as_by_chance(agreement: float, labels: Tensor) -> bool:
    """Whether a share is what guessing gives: far less of it is no accident either."""
    chance = 1 / len(labels.unique())
    return abs(agreement - chance) <= 3 * math.sqrt(chance / len(labels))


def _neighbour_agreement(images: Tensor, labels: Tensor) -> float:
    """Share of the images whose nearest other one is of the same class."""
    apart = torch.cdist(images, images).fill_diagonal_(torch.inf)
    return float((labels[apart.argmin(1)] == labels).double().mean())


def _line(case: Case, mixed: list[ast.Call]) -> int:
    """The last mixing; rather one that nothing else can share, or labels that are taken by other numbers than images."""
    own = [node.lineno for node in case.script.nodes if isinstance(node, ast.Assign) and _mixes_alone(node, mixed)]
    return max(own, default=0) or _taken_apart(case) or _in_place(mixed) or _used_once(case, mixed) or mixed[-1].lineno


def _in_place(mixed: list[ast.Call]) -> int:
    """The last of several `shuffle(x)` whose value nobody takes; 0 if there are not several."""
    alone = [call for call in mixed if name_of(call.func) == "shuffle" and isinstance(getattr(call, "parent", None), ast.Expr)]
    return alone[-1].lineno if len({ast.unparse(call.args[0]) for call in alone if call.args}) > 1 else 0


def _used_once(case: Case, mixed: list[ast.Call]) -> int:
    """`x = x[order]`, where nothing else is taken by that order."""
    orders = dict.fromkeys(name_of(node.targets[0]) for node in case.script.nodes if isinstance(node, ast.Assign) and node.value in mixed)
    for order in filter(None, orders):
        uses = [node for node in case.script.nodes if isinstance(node, ast.Name) and node.id == order and isinstance(node.ctx, ast.Load)]
        around = [parents(use) for use in uses[:1]]
        taken = next((one for above in around for one in above if isinstance(one, ast.Assign)), None)
        if len(uses) == 1 and taken and isinstance(taken.value, ast.Subscript) and name_of(taken.value.value) == name_of(taken.targets[0]):
            return taken.lineno
    return 0


def _mixes_alone(node: ast.Assign, mixed: list[ast.Call]) -> bool:
    """`y = y[torch.randperm(len(y))]`, or `y = permutation(y)`."""
    name, value = name_of(node.targets[0]), node.value
    if isinstance(value, ast.Subscript):
        return any(call in mixed for call in ast.walk(value.slice))
    return isinstance(value, ast.Call) and value in mixed and bool(value.args) and name == name_of(value.args[0]) != ""


def _taken_apart(case: Case) -> int:
    """`y = labels[i : i + 50]` after `x = images[order[i : i + 50]]`, where a batch is made; 0 if both are taken alike."""
    loop = next(iter(case.script.loops_around(case.line_of_training())), None)
    assigned = [node for node in ast.walk(loop) if isinstance(node, ast.Assign)] if loop else []
    taken = [(node, node.value.slice) for node in assigned if isinstance(node.value, ast.Subscript)]
    numbers = {name_of(one) for _, part in taken for one in ast.walk(part)}
    batch = [(node.lineno, ast.unparse(part)) for node, part in taken if name_of(node.targets[0]) not in numbers]
    return batch[1][0] if len(batch) == 2 and batch[0][1] != batch[1][1] else 0


def labelled(case: Case) -> tuple[Tensor, Tensor] | None:
    """Images that were trained on, each once, as rows of numbers, with their class; None if they are no pictures of classes."""
    found = [
        (step.forwards[-1].images.flatten(1).double(), step.loss.target)
        for step in case.steps
        if step.forwards
        and step.loss
        and "images" in step.forwards[-1].about
        and "target" in step.loss.about
        and step.loss.target.ndim == 1
        and not step.loss.target.is_floating_point()
        and len(step.loss.target) == len(step.forwards[-1].images)
        and _is_picture(step.forwards[-1].images)
    ] or _by_hand(case)
    if not found:
        return None
    images, labels = torch.cat([one for one, _ in found]), torch.cat([one for _, one in found])
    once = list({row: place for place, row in enumerate(rows(images))}.values())  # a program may show the same images at each step
    return images[once], labels[once]


def _by_hand(case: Case) -> list[tuple[Tensor, Tensor]]:
    """Without a network: what is multiplied first of all, with the labels that the loss after it gets."""
    found: list[tuple[Tensor, Tensor]] = []
    images: Tensor | None = None
    for event in case.seen.of("call", "loss") if not case.seen.models else []:
        if event.kind == "call":
            images = event.images if images is None else images
        elif images is not None and event.grad and "target" in event.about:
            target, given = event.target, images
            alike = target.ndim == 1 and not target.is_floating_point() and len(target) == len(given)
            if alike and _is_picture(given) and len(given.unique()) > 2:  # not places of ones among zeros, which are like no other
                found.append((given.flatten(1).double(), target))
            images = None
    return found


def _is_picture(images: Tensor) -> bool:
    """Whether likeness means something: not of a few numbers, or of the numbers of words."""
    return images.dtype in _PIXELS and images[0].numel() >= _FEW


def _tested(case: Case) -> tuple[Tensor, Tensor] | None:
    trained = {id(event.loader) for event in case.seen.of("batch")[:1]}
    for event in case.seen.of("batch"):
        if id(event.loader) not in trained and "images" in event.about and event.labels is not None and len(event.labels) >= 100:
            return event.images.flatten(1).double(), event.labels
    return None


def centroid_agreement(images: Tensor, labels: Tensor) -> float:
    """Share of the images that are nearer to the mean of the others of their class than to the mean of any other class."""
    kinds = labels.unique()
    sums = torch.stack([images[labels == kind].sum(0) for kind in kinds])
    counts = torch.stack([(labels == kind).sum() for kind in kinds]).double()
    right = 0
    for image, label in zip(images, labels, strict=True):
        own = (kinds == label).double()
        centres = (sums - own[:, None] * image) / (counts - own).clamp_min(1)[:, None]
        right += int(kinds[(centres - image).square().sum(1).argmin()] == label)
    return right / len(labels)
