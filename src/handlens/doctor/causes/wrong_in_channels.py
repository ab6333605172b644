"""The first convolution expects another number of channels."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import batch_sizes, layer_line
from handlens.words import counted

SENTENCE = "The first convolution expects another number of channels than the images have."
CHANGE = "Grey images have 1 channel: nn.Conv2d(1, ...)."
DEMO = """\
- layer = nn.Conv2d(3, 4, 3)
+ layer = nn.Conv2d(1, 4, 3)
  print(layer(images).shape)
"""


def look(case: Case) -> Finding | None:
    """Both numbers stand in the message."""
    match = case.raised(
        r"Given groups=\d+, weight of size \[(\d+), (\d+).*expected input\[(\d+), (\d+).*to have (\d+) channels?, but got (\d+)"
    )
    if match is None or case.failure is None:
        return None
    out, expected, got = int(match[1]), int(match[5]), int(match[6])
    if got in batch_sizes(case) or "unsqueeze" in case.script.line(case.failure.line):
        return None
    line = layer_line(case, expected, out) or case.failure.line
    return Finding(
        line,
        f"{counted(got, 'channel arrives', 'channels arrive')}, {counted(expected, 'is', 'are')} expected.",
        change=f"Write {got} in place of {expected}.",
    )
