"""Units that give 0 for every image."""

from __future__ import annotations

import contextlib
import copy

import torch
from torch import Tensor, nn

from handlens.doctor.case import LEARNING, Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.probes import activations

SENTENCE = "Nearly all units of a layer are asleep: they give 0 for every image, so nothing goes through."
CHANGE = "Look at how weights and biases start; leave them as PyTorch makes them."
DEMO = """\
  model = net()
- nn.init.constant_(model[1].bias, -30.0)
  learn(model)
  print(f"{(model[:3](images) == 0).all(0).sum()} of 32 units are 0 for every image")
"""
EXPLAINS = ("lr_too_low", "vanishing_sigmoid")


def look(case: Case) -> Finding | None:
    """In some layer more than 90 % of the units give 0 for a whole batch, before the first step or after."""
    if case.start is None or case.model is None or case.images is None or case.learned or case.rate_grows:
        return None
    for when, model in (("before the first step", case.start), ("at the end", case.model)):
        for output in activations(model, case.images, (nn.ReLU,)) or _functional(case, model):
            dead = float((output == 0).flatten(1).all(0).double().mean())
            if dead > 0.9:
                line = case.script.find("nn.init", "bias", ".fill_(", "constant_(") if when.startswith("before") else case.line_of_model("")
                return Finding(line, f"{dead:.0%} of a layer's units give 0 for all {len(case.images)} images {when}.", LIKELY)
    return None


def _functional(case: Case, model: nn.Module) -> list[Tensor]:
    """What goes into layers with weights, where ReLU is a function: all zeros beside the first one's input."""
    found: list[Tensor] = []
    network = copy.deepcopy(model).eval()
    for module in network.modules():
        if isinstance(module, LEARNING):
            module.register_forward_pre_hook(lambda _module, inputs: found.append(inputs[0].detach()))
    with contextlib.suppress(Exception), torch.no_grad():
        network(case.images)
    return found[1:]
