"""The numbers of different images are mixed."""

from __future__ import annotations

import ast
import contextlib
import copy
import re
from collections import defaultdict

import torch
from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.causes import labels_shuffled
from handlens.doctor.evaluations import arguments
from handlens.doctor.probes import run
from handlens.doctor.seen import tensors
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
_MOST = 13  # images: a number that is seldom one of channels, heads or patches
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
            owner = None
            with contextlib.suppress(Exception):
                owner = _mixing_class(case, given)
            line = _line(case, owner) or case.line_of_forward()
            return Finding(line, f"When one image of the batch is changed, the scores of {counted(others, 'other')} change.")
    return None


def changed_at(images: Tensor, place: int) -> Tensor:
    """The images, of which one is turned around: it has the same mean and spread, by which one may divide."""
    changed = images.clone()
    changed[place] = changed[place].flatten().flip(0).view_as(changed[place])
    return changed


def touched(network: nn.Module, given: list[Tensor], place: int) -> int:
    """How many images get other scores when one is changed; 0 if the scores are not those of the images, or never the same.

    Args:
        network: is left as it is.
        given: the images, and what else the network gets for each.
        place: which image is changed.
    """
    images, *rest = given
    before, after, again = (run(network, one, *rest) for one in (images, changed_at(images, place), images))
    if before.shape != after.shape or before.ndim != 2 or len(before) != len(images) or not torch.equal(before, again):
        return 0
    moved = (before - after).abs().amax(1) > 1e-4 * before.abs().max()
    moved[place] = False
    return int(moved.sum())


def _mixing_class(case: Case, given: list[Tensor]) -> ast.ClassDef | None:
    """The class of the first part of the network that gets the images apart from each other, and gives them mixed."""
    assert case.lively is not None
    network, calls = copy.deepcopy(case.lively).eval(), defaultdict[nn.Module, list[list[Tensor]]](list)
    for module in network.modules():
        module.register_forward_hook(lambda module, inputs, output: calls[module].append([*tensors(inputs)[:1], *tensors(output)[:1]]))
    images, *rest = given
    for batch in (images, changed_at(images, 0)):
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(0)
            network(batch, *rest)
    for module, seen in calls.items():
        pairs = seen[0], seen[len(seen) // 2]
        if any(len(pair) != 2 for pair in pairs):  # a part that gets its images by a name, or gives none
            continue
        (before, after), (before_changed, after_changed) = pairs
        if _apart(before, before_changed, len(images)) and not _apart(after, after_changed, len(images)):
            return next((node for node in case.script.classes() if node.name == type(module).__name__), None)
    return None


def _apart(one: Tensor, other: Tensor, count: int) -> bool:
    """Whether two tensors differ at the first place alone of a dimension that goes over the images, whichever that is."""
    along = [dim for dim in range(one.ndim) if one.shape[dim] == count]
    return any(torch.allclose(one.movedim(dim, 0)[1:], other.movedim(dim, 0)[1:], atol=1e-5) for dim in along)


def _all_at_once(case: Case) -> Finding | None:
    """All images were mixed before there were batches: they have nothing in common with others of their class, and a line turns them."""
    line = next((number for number, text in enumerate(case.script.lines, start=1) if _TURNED.search(text.split("#")[0])), 0)
    found = labels_shuffled.without_likeness(case) if line else None
    return Finding(line, found) if found else None


def _line(case: Case, owner: ast.ClassDef | None = None) -> int:
    """The first line, of that class if it is known, that turns a batch; else the only one that gives it another shape."""
    lines = range(owner.lineno, (owner.end_lineno or owner.lineno) + 1) if owner else range(1, len(case.script.lines) + 1)
    for number in lines:
        if _MIXES.search(case.script.line(number).split("#")[0]):
            return number
    shaped = [call.lineno for call in case.script.calls("view", "reshape") if call.lineno in lines]
    forward = case.script.method(owner.name, "forward") if owner else None
    if len(shaped) == 1 and (owner or case.script.in_forward(shaped[0])):
        return shaped[0]
    return forward.lineno if forward else 0
