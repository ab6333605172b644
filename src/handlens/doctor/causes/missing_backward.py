"""The loss is computed, and gradients are never asked for."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.words import counted

SENTENCE = "Gradients are never asked for: loss.backward() is missing, so each step has nothing to go by."
CHANGE = "Write loss.backward() between the loss and optimizer.step()."
DEMO = """\
  model = net()
  optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
  for step in range(2):
      loss = loss_fn(model(images), labels)
+     loss.backward()
      optimizer.step()
      print(f"loss {loss.item():.4f}")
"""
EXPLAINS = (*NOT_LEARNING, "missing_zero_grad")


def look(case: Case) -> Finding | None:
    """Losses with a graph, and steps, and gradients are never asked for."""
    losses = [event for event in case.seen.of("loss") if event.grad]
    if case.steps or case.seen.of("gradients") or len(losses) < 3 or not case.seen.of("step"):
        return None
    return Finding(
        losses[0].line, f"{counted(len(losses), 'loss', 'losses')}, {counted(len(case.seen.of('step')), 'step')} and no backward pass."
    )
