"""The numbers of different images are mixed."""

from __future__ import annotations

import contextlib
import re

import torch
from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.causes import labels_shuffled
from handlens.doctor.evaluations import arguments
from handlens.doctor.probes import run
from handlens.words import counted

SENTENCE = "The shape is right, but each row now holds pixels of many images."
CHANGE = "Keep the batch first: flatten(1), or view(len(x), -1)."
DEMO = """\
  class Net(nn.Module):
      def __init__(self):
          super().__init__()
          self.layers = net()
      def forward(self, x):
-         return self.layers(x.reshape(784, -1).t())
+         return self.layers(x.flatten(1))
  model = Net()
  learn(model)
  print("accuracy", round(accuracy(model), 2))
"""
EXPLAINS = (*NOT_LEARNING, "labels_shuffled")
_MOST = 16  # images
_MIXES = re.compile(
    r"\.t\(\)|\.T\b|transpose\(\s*0|permute\(\s*[1-9]|(view|reshape)\(\s*-1\s*,\s*[\w.]*(len|size|shape|batch)|(view|reshape)\((784|64|28|8)\b"
)
_TURNED = re.compile(r"(view|reshape)\(\s*(784|64|28|8)\b[^)]*,\s*-1\s*\)\s*\.(t\(\)|T\b|transpose|permute)")


def look(case: Case) -> Finding | None:
    """The rows that go in hold other pixels than the images did; or a row of the output depends on other images."""
    return _before(case) or _inside(case) or _all_at_once(case)


def _before(case: Case) -> Finding | None:
    """The program mixes them on the way to the network."""
    batches = {number: event for number, event in enumerate(case.seen.events) if event.kind == "batch" and "images" in event.about}
    for number, event in enumerate(case.seen.events):
        if event.kind != "forward" or "images" not in event.about or number - 1 not in batches:
            continue
        before, images = batches[number - 1].images, event.images
        if before.numel() != images.numel() or not before.is_floating_point() or torch.equal(before.flatten(), images.flatten()):
            continue
        if torch.equal(before.flatten().sort().values, images.flatten().sort().values) and len(images) == len(before):
            mine, theirs = (batch.flatten(1).sort(1).values for batch in (images, before))
            if not torch.equal(mine, theirs):
                return Finding(
                    _line(case) or event.line, f"Of {len(images)} rows {int((mine != theirs).any(1).sum())} hold pixels of other images."
                )
    return None


def _inside(case: Case) -> Finding | None:
    """Another image in the batch changes the scores of this one."""
    handed = arguments(case.training, case.model) or ([] if case.images is None else [case.images])
    given = [one[:_MOST] for one in handed if one is not None]
    if case.lively is None or not given or len(given[0]) < 4 or any(one.shape != given[0].shape[:1] for one in given[1:]):
        return None  # what comes with the images may bind them together, as the edges of a graph do
    with contextlib.suppress(Exception):
        others = max(touched(case.lively, given, place) for place in (0, -1))  # of a sequence, what comes late weighs most
        if others:
            return Finding(
                _line(case) or case.line_of_forward(),
                f"When one image of the batch is changed, the scores of {counted(others, 'other')} change.",
            )
    return None


def touched(network: nn.Module, given: list[Tensor], place: int) -> int:
    """How many images get other scores when one is changed; 0 if the scores are not those of the images, or never the same.

    Args:
        network: is left as it is.
        given: the images, and what else the network gets for each.
        place: which image is changed.
    """
    images, *rest = given
    changed = images.clone()
    changed[place] = changed[place].flatten().flip(0).view_as(changed[place])  # with the same mean and spread, by which one may divide
    before, after, again = (run(network, one, *rest) for one in (images, changed, images))
    if before.shape != after.shape or before.ndim != 2 or len(before) != len(images) or not torch.equal(before, again):
        return 0
    moved = (before - after).abs().amax(1) > 1e-4 * before.abs().max()
    moved[place] = False
    return int(moved.sum())


def _all_at_once(case: Case) -> Finding | None:
    """All images were mixed before there were batches: they have nothing in common with others of their class, and a line turns them."""
    line = next((number for number, text in enumerate(case.script.lines, start=1) if _TURNED.search(text.split("#")[0])), 0)
    found = labels_shuffled.without_likeness(case) if line else None
    return Finding(line, found) if found else None


def _line(case: Case) -> int:
    """The first line that turns a batch; else the only one in forward that gives it another shape."""
    for number, text in enumerate(case.script.lines, start=1):
        code = text.split("#")[0]
        if _MIXES.search(code):
            return number
    shaped = [call.lineno for call in case.script.calls("view", "reshape") if case.script.in_forward(call.lineno)]
    return shaped[0] if len(shaped) == 1 else 0
