"""Layers that PyTorch does not see."""

from __future__ import annotations

from torch import nn

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.words import counted

SENTENCE = "PyTorch does not see layers in a plain list or dict, so they never learn."
CHANGE = "Use nn.ModuleList (or nn.ModuleDict)."
DEMO = """\
  class Net(nn.Module):
      def __init__(self):
          super().__init__()
-         self.layers = [nn.Linear(784, 32), nn.Linear(32, 10)]
+         self.layers = nn.ModuleList([nn.Linear(784, 32), nn.Linear(32, 10)])
  print(len(list(Net().parameters())), "weight tensors are known")
"""
EXPLAINS = (*NOT_LEARNING, "optimizer_wrong_params", "broken_graph", "batch_scramble")  # eval() does not reach them either


def look(case: Case) -> Finding | None:
    """A list or dict of layers among the network's attributes."""
    for model in case.seen.models:
        for part in model.modules():
            for name, value in vars(part).items():
                hidden = [one for one in _items(value) if isinstance(one, nn.Module) and any(True for _ in one.parameters())]
                known = {id(one) for one in part.modules()}
                if name != "_modules" and hidden and not any(id(one) in known for one in hidden) and not _meant(case, hidden):
                    lines, kind = case.script.assignments(name), "Dict" if isinstance(value, dict) else "List"
                    count = sum(weights.numel() for one in hidden for weights in one.parameters())
                    return Finding(
                        lines[0].lineno if lines else case.line_of_class(),
                        f"self.{name} holds {counted(len(hidden), 'layer')} with {count:,} weights that model.parameters() does not give.",
                        sentence=f"PyTorch does not see layers in a plain {kind.lower()}, so they never learn.",
                        change=f"Write self.{name} = nn.Module{kind}(...)",
                    )
    return None


def _meant(case: Case, hidden: list[nn.Module]) -> bool:
    """Whether an optimizer has them all the same, or no gradient ever comes to them, as to a teacher that is kept in a list."""
    weights = {id(one) for layer in hidden for one in layer.parameters()}
    return weights <= case.optimized or (bool(case.reached) and not weights & case.reached.keys())


def _items(value: object) -> list[object]:
    return list(value.values()) if type(value) is dict else list(value) if isinstance(value, list | tuple) else []
