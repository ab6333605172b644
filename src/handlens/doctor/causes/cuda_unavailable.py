"""There is no GPU here."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "There is no graphics card for PyTorch here."
CHANGE = 'Use device = torch.device("cuda" if torch.cuda.is_available() else "cpu").'
DEMO = """\
- device = "cuda"
+ device = "cuda" if torch.cuda.is_available() else "cpu"
  print(net().to(device)(images.to(device)).shape)
"""


def look(case: Case) -> Finding | None:
    """PyTorch says so."""
    if case.failure is None or not case.raised(
        r"Torch not compiled with CUDA enabled|No CUDA GPUs are available|Found no NVIDIA driver|Cannot access accelerator device"
    ):
        return None
    return Finding(case.failure.line, case.failure.text.splitlines()[0][:100])
