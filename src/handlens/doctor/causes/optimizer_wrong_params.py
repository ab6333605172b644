"""The optimizer holds other weights than those of the network that is trained."""

from __future__ import annotations

from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, NOT_LEARNING, Finding

SENTENCE = "The optimizer does not hold the weights that this network learns with."
CHANGE = "Make the optimizer after the network, with all of its weights: model.parameters()."
DEMO = """\
  model = net()
- optimizer = torch.optim.SGD(net().parameters(), lr=0.1)
+ optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
  for step in range(2):
      model.zero_grad()
      loss = loss_fn(model(images), labels)
      loss.backward()
      optimizer.step()
      print(f"loss {loss.item():.4f}")
"""
EXPLAINS = (*NOT_LEARNING, "missing_zero_grad", "model_reset_each_epoch")


def look(case: Case) -> Finding | None:
    """Weights that get gradients and are in no optimizer."""
    wanted = {name: one for name, one in ((case.parameters.get(key), leaf) for key, leaf in case.reached.items()) if name}
    if not wanted or not case.seen.of("step") or not case.optimized:
        return None
    left = [name for name, leaf in wanted.items() if id(leaf) not in case.optimized]
    if not left or (case.loaded and len(left) < len(wanted)) or _moved(case, [wanted[name] for name in left]):
        return None
    made = case.seen.of("optimizer")
    line = next((event.line for event in reversed(made) if event.line), 0)
    if len(left) == len(wanted):
        return Finding(line, f"None of the {len(wanted)} weights that get gradients is in the optimizer.")
    shown = ", ".join(left[:3])
    return Finding(line, f"{len(left)} of {len(wanted)} weights get gradients and are never moved: {shown}.", sure=LIKELY)


def _moved(case: Case, leaves: list[Tensor]) -> bool:
    """Whether the program moves them by itself."""
    ways = [(step.backward.moved or {}).get(id(leaf), 0.0) for step in case.steps for leaf in leaves]
    return any(way > 0 for way in ways)
