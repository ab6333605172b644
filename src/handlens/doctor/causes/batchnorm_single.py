"""A batch of one image for a batch norm."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The last batch has one image, and batch norm needs at least two to compare."
CHANGE = "Use drop_last=True, or another batch size."
DEMO = """\
  model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(784), nn.Linear(784, 10))
- parts = DataLoader(TensorDataset(images, labels), 199)
+ parts = DataLoader(TensorDataset(images, labels), 199, drop_last=True)
  print([model(x).shape[0] for x, _ in parts])
"""


def look(case: Case) -> Finding | None:
    """PyTorch says so."""
    if case.failure is None or not case.raised(r"Expected more than 1 value per channel when training"):
        return None
    return Finding(case.script.find("DataLoader(") or case.failure.line, case.failure.text[:120])
