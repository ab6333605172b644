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
    """PyTorch says so; the image is the last of a batch, or one that the network is asked about elsewhere."""
    if case.failure is None or not case.raised(r"Expected more than 1 value per channel when training"):
        return None
    if _in_training(case):
        return Finding(case.script.find("DataLoader(") or case.failure.line, case.failure.text[:120])
    return Finding(
        case.failure.line,
        case.failure.text[:120],
        sentence="One image is asked about while the network is in training mode: batch norm compares the images of a batch.",
        change="Write model.eval() before this line.",
    )


def _in_training(case: Case) -> bool:
    """Whether the call stands where the network is trained; before any step, whether a loader gave the image."""
    if case.training:
        return any(set(event.lines) & set(case.failure.lines) for event in case.training) if case.failure else False
    return any(len(event.rows) == 1 for event in case.seen.of("batch")[-1:])
