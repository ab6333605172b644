"""The test runs with dropout or batch norm as in training."""

from __future__ import annotations

import contextlib

import torch

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.probes import drops, run
from handlens.doctor.seen import Event
from handlens.words import counted

SENTENCE = "During the test the network is still in training mode: dropout or batch norm behave otherwise there."
CHANGE = "Write model.eval() before the test, and model.train() before training on."
DEMO = """\
  model = net().insert(3, nn.Dropout(0.5))
  learn(model)
+ model.eval()
  print("test accuracy", [round(accuracy(model), 2) for _ in range(2)])
"""


_OWN = "During the test the network is still in training mode, in which parts of it behave otherwise."
_TRAINING = 3  # its place among the arguments
_ON_PURPOSE = ("mc_dropout", "MC dropout", "Monte Carlo", "monte carlo")


def look(case: Case) -> Finding | None:
    """Calls outside training, for images that were not trained on, with those layers switched on; guesses are made of what they give."""
    asked = case.tests if case.training else []
    if case.script.find(*_ON_PURPOSE):
        return None
    own = sorted({kind for event in asked if event.model is case.model for kind in event.own})
    differs = bool(own) and _differ(case, own)
    live = [event for event in asked if event.live or (differs and event.own and event.model is case.model)]
    if not live or len(live) < 0.5 * len(asked):
        return _always_dropped(case, asked)
    fresh = [event for event in live if not set(event.about.get("rows", [])) & case.trained_rows]
    if not any(_asked(case, event) for event in fresh):
        return None
    kinds = " and ".join(dict.fromkeys(kind for event in live for kind in event.live or event.own))
    evidence = f"{len(live)} of {counted(len(asked), 'call')} in the test ran with {kinds} in training mode."
    return Finding(fresh[0].line, evidence, sentence="" if any(event.live for event in live) else _OWN)


def _differ(case: Case, own: list[str]) -> bool:
    """Whether the network gives something else while the program's own parts are in training, be it before a softmax or a sigmoid."""
    if case.model is None or case.images is None:
        return False
    with contextlib.suppress(Exception):
        training, evaluating = run(case.model, case.images, awake=own), run(case.model, case.images)
        ways = (training, training.softmax(-1), training.log_softmax(-1), training.sigmoid())
        return training.shape == evaluating.shape and not any(torch.allclose(one, evaluating, rtol=1e-3, atol=1e-4) for one in ways)
    return False


def _always_dropped(case: Case, asked: list[Event]) -> Finding | None:
    """The function drops in evaluation mode too: where it is not told, it takes it for training."""
    untold = [
        node
        for node in case.script.calls("dropout", "dropout2d", "dropout1d", "alpha_dropout")
        if not any(word.arg in ("training", None) for word in node.keywords) and len(node.args) < _TRAINING
    ]
    asked = [event for event in asked if event.model is case.model]
    if not untold or not asked or case.model is None or case.images is None or not drops(case.model, case.images):
        return None
    return Finding(
        untold[0].lineno,
        f"The network was asked {counted(len(asked), 'time')} in the test, and dropout was at work; after eval() it still is.",
        sentence="F.dropout does not know of eval(): it drops in the test as well.",
        change="Tell it: F.dropout(x, p, training=self.training), or use nn.Dropout.",
    )


def _asked(case: Case, event: Event) -> bool:
    """Whether it is asked for a class: torch makes a guess of what it gives, or NumPy may, and it was trained with classes."""
    elsewhere = case.script.find(".numpy(", ".tolist(", "topk(")
    return id(event) in case.answered or bool(elsewhere and event.model is case.model and case.labels is not None)
