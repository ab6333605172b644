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
_SEVERAL = 3


def look(case: Case) -> Finding | None:
    """No gradient is ever cleared, though a step follows each backward pass, or each few of them."""
    later = case.measured
    stale = [step for step in later if step.stale(case.optimized)]
    cleared = any(event.kind == "zero_grad" for step in case.steps for event in (*step.before, *step.after))
    stepped = [step for step in later if step.stepped]
    each = len(stepped) >= 0.9 * len(later)
    if cleared or not stepped or len(stale) < len(later) or len(later) < 2 or not (each or len(stepped) >= _SEVERAL):
        return None
    found = (
        f"At {len(stale)} of {counted(len(later), 'backward pass', 'backward passes')} the gradients of earlier batches were still there."
    )
    if each:
        return Finding(case.line_of_training(), found)
    line = next((event.line for event in stepped[0].after if event.kind == "step" and event.line), case.line_of_training())
    by_hand = not case.seen.of("step")
    return Finding(
        line,
        f"{found} There was one step for {round(len(later) / len(stepped))} of them.",
        sentence="Gradients of several backward passes are gathered, and never cleared after a step: they add up over the whole training.",
        change="Clear each gradient once the weights are moved: p.grad = None."
        if by_hand
        else "Write optimizer.zero_grad() right after optimizer.step().",
    )
