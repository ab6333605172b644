"""A layer is made and never used."""

from __future__ import annotations

import re

from torch import nn

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.evaluations import arguments
from handlens.doctor.probes import called

SENTENCE = "A layer is made in __init__, and forward does not use it."
CHANGE = "Call it in forward, or take it out."
DEMO = """\
  class Net(nn.Module):
      def __init__(self):
          super().__init__()
          self.layers, self.dropout = net(), nn.Dropout(0.5)
      def forward(self, x):
-         return self.layers(x)
+         return self.layers(self.dropout(x))
  model = Net()
  print("two calls in training mode differ:", not torch.equal(model(images), model(images)))
"""
_NETWORK = re.compile("model|net|module", re.IGNORECASE)  # what a network is called in a function


def look(case: Case) -> Finding | None:
    """A part of the network is never called in training, and its weights get no gradient."""
    if case.model is None or case.images is None or not case.training:
        return None
    names = called(case.model, *(arguments(case.training, case.model) or [case.images]))
    if not names:
        return None
    for name, module in case.model.named_modules():
        leaf = name and not any(True for _ in module.children()) and "." not in name
        if not leaf or name in names or any(id(weights) in case.reached for weights in module.parameters()) or _used(case, name):
            continue
        return Finding(case.line_of_model(name), f"self.{name} ({type(module).__name__}) is never called.", LIKELY)
    return None


def _used(case: Case, name: str) -> bool:
    """Whether some code but the one that makes it speaks of it, as of a part of a network: `self.head`, `model.head`."""
    making = {node.lineno for node in case.script.assignments(name)}
    lines = [text.split("#")[0] for number, text in enumerate(case.script.lines, start=1) if number not in making]
    owners = {owner for line in lines for owner in re.findall(rf"(\w+)\.\s*{re.escape(name)}\b", line)}
    networks = {"self", *(owner for owner, value in case.names.items() if isinstance(value, nn.Module))}
    return any("getattr" in line for line in lines) or any(owner in networks or _NETWORK.search(owner) for owner in owners)
