"""The test runs with dropout or batch norm as in training."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.seen import Event

SENTENCE = "During the test the network is still in training mode: dropout or batch norm behave otherwise there."
CHANGE = "Write model.eval() before the test, and model.train() before training on."
DEMO = """\
  model = net().insert(3, nn.Dropout(0.5))
  learn(model)
+ model.eval()
  print("test accuracy", [round(accuracy(model), 2) for _ in range(2)])
"""


def look(case: Case) -> Finding | None:
    """Calls outside training, for images that were not trained on, with those layers switched on; guesses are made of what they give."""
    asked = case.tests if case.training else []
    live = [event for event in asked if event.live]
    if not live or len(live) < 0.5 * len(asked):
        return None
    fresh = [event for event in live if not set(event.about.get("rows", [])) & case.trained_rows]
    if not any(_asked(case, event) for event in fresh) or case.script.find("mc_dropout", "MC dropout", "Monte Carlo", "monte carlo"):
        return None
    kinds = " and ".join(dict.fromkeys(kind for event in live for kind in event.live))
    return Finding(fresh[0].line, f"{len(live)} of {len(asked)} calls in the test ran with {kinds} in training mode.")


def _asked(case: Case, event: Event) -> bool:
    """Whether it is asked for a class: torch makes a guess of what it gives, or NumPy may, and it was trained with classes."""
    elsewhere = case.script.find(".numpy(", ".tolist(", "topk(")
    return id(event) in case.answered or bool(elsewhere and event.model is case.model and case.labels is not None)
