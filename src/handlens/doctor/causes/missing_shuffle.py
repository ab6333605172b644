"""Batches hold one class at a time."""

from __future__ import annotations

import math

import torch

from handlens.doctor.case import Case, entropy
from handlens.doctor.cause import Finding

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
    if classes < 4 or within > 0.45 * math.log(classes):
        return None
    kinds = sum(len(labels.unique()) for labels in batches) / len(batches)
    sorting = case.script.calls("sort", "argsort", "sorted", "lexsort")
    line = case.line_of_loader() or (sorting[0].lineno if sorting else case.line_of_training())
    return Finding(line, f"A batch of {len(batches[0])} images holds {kinds:.1f} classes on average, of {classes}.")
