"""Batches hold one class at a time."""

from __future__ import annotations

import ast
import math
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, RandomSampler

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import covers
from handlens.doctor.seen import entropy

SENTENCE = "The data is sorted and not mixed: each batch holds one or two classes only."
CHANGE = "Turn on shuffle=True in the training DataLoader."
DEMO = """\
- order = labels.argsort()
+ order = torch.randperm(200)
  model = net()
  learn(model, images[order], labels[order], lr=0.5)
  print("test accuracy", round(accuracy(model), 2))
"""
EXPLAINS = ("lr_too_high", "labels_shuffled")
_TURNS = 3  # from one class to another in a batch, for each class in it: more than in what is sorted


def look(case: Case) -> Finding | None:
    """The labels of the batches vary far less than those of all that were seen."""
    batches = [
        step.loss.target
        for step in case.steps
        if step.loss and "target" in step.loss.about and step.loss.target.ndim == 1 and not step.loss.target.is_floating_point()
    ]
    batches = [labels for labels in batches if len(labels) >= 8]
    if len(batches) < 3:
        return None
    within = sum(map(entropy, batches)) / len(batches)
    known = torch.cat(batches).unique()
    classes = max(case.outputs, len(known))
    kinds = sum(len(labels.unique()) for labels in batches) / len(batches)
    if classes < 4 or within > 0.45 * math.log(classes) or not _changing(case, kinds):
        return None
    if _mixed(case, batches, kinds):
        return None
    line, change = _place(case)
    return Finding(line, f"A batch of {len(batches[0])} images holds {kinds:.1f} classes on average, of {classes}.", change=change)


def _changing(case: Case, kinds: float) -> bool:
    """Whether there are more classes in all batches than in one, or the only one is a loader's: not a target that stays as it is."""
    shape = next(step.loss.shapes[0][1:] for step in case.steps if step.loss and "target" in step.loss.about)
    losses = [event for event in case.seen.of("loss") if "classes" in event.about and event.shapes[0][1:] == shape]
    seen = {label for event in losses for label in event.classes}
    given = [event.labels for event in case.seen.of("batch") if event.labels is not None and event.labels.ndim == 1]
    return len(seen) > 1.5 * kinds or (len(seen) == 1 and any(set(labels.tolist()) == seen for labels in given))


def _place(case: Case) -> tuple[int, str]:
    """Where the order comes from, and what to do there if it is no loader that can mix."""
    for loader in _loaders(case):
        method = case.script.method(type(loader.dataset).__name__, "__iter__")
        if isinstance(loader.dataset, IterableDataset) and method:
            line = next((node.lineno for node in ast.walk(method) if isinstance(node, ast.For)), method.lineno)
            return line, "Mix the order of the images in __iter__, before its loop: random.shuffle(order)."
    if line := case.line_of_loader():
        return line, ""
    loops = case.script.loops_around(case.line_of_training())
    counted = [call for call in case.script.calls("arange") if loops and covers(loops[-1], call.lineno)]
    made = counted or case.script.calls("sort", "argsort", "sorted", "lexsort")
    return made[0].lineno if made else case.line_of_training(), "Take the images in an order by chance: torch.randperm(len(images))."


def _loaders(case: Case) -> list[DataLoader[Any]]:
    """The loaders of the images that were trained on."""
    events = [event for event in case.seen.of("batch") if event.loader is not None and set(event.rows) & case.trained_rows]
    return list({id(event.loader): event.loader for event in events}.values())


def _mixed(case: Case, batches: list[torch.Tensor], kinds: float) -> bool:
    """Whether the few classes of a batch are all that there are at that time, as with one task after the other."""
    loaders = _loaders(case)
    if loaders and all(isinstance(one.sampler, RandomSampler) for one in loaders):
        return True
    changes = sum(int((labels[1:] != labels[:-1]).sum()) for labels in batches) / len(batches)
    return changes > _TURNS * kinds
