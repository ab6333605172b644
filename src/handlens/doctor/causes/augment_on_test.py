"""The test images are changed at random."""

from __future__ import annotations

import ast
import contextlib
import re

import torch
from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of
from handlens.doctor.seen import Event
from handlens.doctor.sets import sets

SENTENCE = "The test images are changed at random, so the score is lower and another one each time."
CHANGE = "Give the test set a transform without random changes."
DEMO = """\
  model = net()
  learn(model)
  for turn in range(2):
-     shown = test_images.roll(random.randrange(14), dims=-1)
+     shown = test_images
      print(f"test accuracy {accuracy(model, shown):.2f}")
"""
_READ = 4  # times: a shift may be the same one twice


def look(case: Case) -> Finding | None:
    """The first image of a set that is tested on is another one when it is asked for again."""
    known = sets(case)
    if not case.training or known[0] is known[1]:
        return None
    tested = {row for event in case.tests if id(event) in case.answered for row in event.about.get("rows", [])}
    first: dict[int, Event] = {}
    for event in case.seen.of("batch"):
        new = tested & set(event.rows) and not case.trained_rows & set(event.rows) and event.loader is not None
        if new and not _is_image(event.labels):  # to take the noise away may be what is learned
            first.setdefault(id(event.loader), event)
    still = [event for event in first.values() if not _changes_by_itself(event)]
    if any(_changes_by_itself(event) and not any(_same_labels(event, other) for other in still) for event in first.values()):
        return Finding(_line(case), "The first test image differs each time it is read.")
    return None


def _changes_by_itself(event: Event) -> bool:
    with contextlib.suppress(Exception):
        first, *again = (event.loader.dataset[0][0] for _ in range(_READ))
        return isinstance(first, Tensor) and any(not torch.equal(first, one) for one in again)
    return False


def _same_labels(event: Event, other: Event) -> bool:
    """Whether these are the same images, as they are and with noise: it is to be seen what noise does."""
    return event.labels is not None and other.labels is not None and torch.equal(event.labels, other.labels)


def _is_image(target: Tensor | None) -> bool:
    return target is not None and target.is_floating_point() and target[0].numel() >= 16


def _line(case: Case) -> int:
    """Where the transform of the test set is named; else where the change is made."""
    named = [node for node in case.script.nodes if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Call)]
    of_test = [
        node for node in named if re.search("(test|val).*(trans|tf|aug|prep)|(trans|tf|aug|prep).*(test|val)", name_of(node.targets[0]))
    ]
    made = [call.lineno for call in case.script.nodes if isinstance(call, ast.Call) and name_of(call.func).startswith("Random")]
    given = [target.lineno for target, value in case.script.pairs() if re.search("test|val", ast.unparse(target)) and _changes(case, value)]
    known = next((node.lineno for node in of_test), 0) or next(iter(given), 0)
    return known or min(made, default=0) or case.script.find("Random", "rand(", "randn", "random.")


def _changes(case: Case, value: ast.expr) -> bool:
    """Whether a set is made with a function or class of the program's that draws random numbers, be it in a list with a name."""
    given = {name_of(one) for one in ast.walk(value)}
    given |= {name_of(one) for target, made in case.script.pairs() if name_of(target) in given for one in ast.walk(made)}
    makers = [node for node in case.script.nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in given]
    return any(case.script.find("rand", within=maker) for maker in makers)
