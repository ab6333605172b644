"""The pixels are whole numbers."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The pixels are whole numbers; a network calculates with fractions."
CHANGE = "Turn them into floats: images.float() / 255."
DEMO = """\
- x = (images * 255).byte()
+ x = (images * 255).byte().float() / 255
  print(net()(x).shape)
"""


def look(case: Case) -> Finding | None:
    """PyTorch names the kind."""
    if case.failure is None or not case.raised(
        r"got (Byte|unsigned char)|Byte and Float|\(unsigned char\)|Input type \(.*ByteTensor\)|"
        r"(ByteTensor|unsigned char).*should be the same|not implemented for 'Byte'|expected .* but (got|found) Byte"
    ):
        return None
    return Finding(case.failure.line, case.failure.text.splitlines()[0][:120])
