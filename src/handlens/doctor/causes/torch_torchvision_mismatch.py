"""torch and torchvision do not fit each other."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "torch and torchvision come from different places, and do not fit together."
CHANGE = "Install both again from the same place, or use handlens.data in place of torchvision."
DEMO = """\
- print(torch.ops.torchvision.nms)
+ print("install both from the same place; this is torch", torch.__version__.split(".")[0])
"""


def look(case: Case) -> Finding | None:
    """Torchvision cannot be imported."""
    if case.failure is None or not case.raised(
        r"torchvision::nms does not exist|No module named 'torchvision|torchvision.*(undefined symbol|incompatible)|"
        r"partially initialized module 'torchvision"
    ):
        return None
    said = case.failure.text.splitlines()[0][:100]
    if "No module named 'torchvision'" not in said:
        return Finding(case.failure.line, said)
    return Finding(
        case.failure.line,
        "Python does not find torchvision.",
        sentence="torchvision is not installed here.",
        change="Install it from the same place as torch, or use handlens.data in place of it.",
    )
