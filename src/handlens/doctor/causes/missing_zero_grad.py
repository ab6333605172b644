"""Gradients of the batches before are still there when new ones come: they add up."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.words import counted

SENTENCE = "Old gradients are still there when new ones come, so they add up from batch to batch."
CHANGE = "Write optimizer.zero_grad() before loss.backward(), in the batch loop."
DEMO = """\
  model = net()
  optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
  for x, y in list(loader) * 4:
+     optimizer.zero_grad()
      loss_fn(model(x), y).backward()
      optimizer.step()
  print(f"length of the gradients {model[1].weight.grad.norm():.2f}")
"""
EXPLAINS = ("lr_too_high", "zero_grad_per_epoch")


def look(case: Case) -> Finding | None:
    """No gradient is ever cleared, though each backward pass is followed by a step."""
    later = case.measured
    if len(later) < 2 or not any(step.stepped for step in later):
        return None
    stale = [step for step in later if step.stale(case.optimized)]
    cleared = any(event.kind == "zero_grad" for step in case.steps for event in (*step.before, *step.after))
    steps = sum(step.stepped for step in later)
    if cleared or len(stale) < len(later) or steps < 0.9 * len(later):
        return None
    return Finding(
        case.line_of_training(),
        f"At {len(stale)} of {counted(len(later), 'backward pass', 'backward passes')} the gradients of earlier batches were still there.",
    )
