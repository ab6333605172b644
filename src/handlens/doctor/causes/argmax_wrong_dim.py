"""The best image of each class is looked for, not the best class of each image."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "This picks the best image for each class, not the best class for each image."
CHANGE = "Use argmax(1), or dim=1."
DEMO = """\
  scores = net()(images)
- guesses = scores.argmax(0)
+ guesses = scores.argmax(1)
  print(len(guesses), "guesses for", len(images), "images")
"""


def look(case: Case) -> Finding | None:
    """Argmax over the first dimension of scores N,K, and its result compared with labels."""
    for number, event in enumerate(case.seen.events):
        if event.kind == "argmax" and event.dim == 0 and event.shape[1] == case.outputs > 1 and event.shape[0] > 1:
            following = case.seen.events[number + 1 : number + 4]
            if case.failure or any(one.kind == "compare" for one in following):
                return Finding(
                    event.line,
                    f"argmax over dimension 0 of {event.shape[0]}x{event.shape[1]} scores "
                    f"gives {event.shape[1]} numbers, for {event.shape[0]} images.",
                )
    return None
