"""The test images are changed at random."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

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


def look(case: Case) -> Finding | None:
    """The first image of a set that is tested on is another one when it is asked for again."""
    lines = {event.line for event in case.training}
    tested = {row for event in case.evaluations if event.line not in lines for row in event.about.get("rows", [])}
    batches = case.seen.of("batch")
    for event in batches:
        if tested & set(event.rows) and not case.trained_rows & set(event.rows) and event.loader is not None:
            with contextlib.suppress(Exception):
                first, again = (event.loader.dataset[0][0] for _ in range(2))
                if isinstance(first, Tensor) and not torch.equal(first, again):
                    line = case.script.find("Random", "rand(", "randn", "random.")
                    return Finding(line, "The first test image differs each time it is read.")
    return None
