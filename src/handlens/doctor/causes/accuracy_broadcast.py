"""Each guess is compared with each label."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "Here each guess meets every label: the comparison has N times N answers."
CHANGE = "Compare two tensors of shape N: take unsqueeze(1), view(-1, 1) or keepdim=True out."
DEMO = """\
  guesses, answers = net()(images).argmax(1), labels
- hits = (guesses == answers.unsqueeze(1)).sum().item()
+ hits = (guesses == answers).sum().item()
  print(f"{hits} hits for {len(images)} images")
"""
EXPLAINS = ("accuracy_wrong_denominator",)


def look(case: Case) -> Finding | None:
    """A comparison of N with N,1; of labels with themselves it is meant: which images are of one class?"""
    for event in case.seen.of("compare"):
        one, other = event.shapes
        if not event.same and {len(one), len(other)} == {1, 2} and event.count == one[0] * other[0] and one[0] == other[0] > 1:
            return Finding(
                event.line,
                f"{'x'.join(map(str, one))} was compared with {'x'.join(map(str, other))}: "
                f"{event.count:,} answers, {event.hits} hits for {one[0]} images.",
            )
    return None
