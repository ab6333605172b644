"""The network has fewer outputs than there are classes."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import value_of

SENTENCE = "There are more classes than the network has outputs."
CHANGE = "Give the last layer one output for each class."
DEMO = """\
- model = nn.Sequential(nn.Flatten(), nn.Linear(784, 9))
+ model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
  print(loss_fn(model(images), labels).item())
"""


def look(case: Case) -> Finding | None:
    """A label is beyond the last output."""
    match = case.raised(r"Target (\d+) is out of bounds") or case.raised(r"index (\d+) is out of bounds for dimension 1")
    if match is None or case.failure is None:
        return None
    shapes = [event.shapes[0] for event in case.seen.of("loss")] or [
        tuple(event.output.shape) for event in case.seen.of("forward") if "output" in event.about
    ]
    shapes = shapes or [tuple(event.scores.shape) for event in case.seen.of("refused")]  # by a loss within a network
    if not shapes:
        return None
    outputs, linear = shapes[-1][-1], case.script.calls("Linear")
    line = next((node.lineno for node in reversed(linear) if len(node.args) > 1 and value_of(node.args[1], case) == outputs), 0) or (
        linear[-1].lineno if linear else case.failure.line
    )
    return Finding(line, f"A label is {match[1]}; the network gives {outputs} scores, for classes 0 to {outputs - 1}.")
