"""Worker processes start the program again."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The loader's worker processes start this program from its beginning."
CHANGE = "Set num_workers=0."
DEMO = """\
- workers = 2
+ workers = 0
  print("processes that start this program again on Windows:", DataLoader(TensorDataset(images), num_workers=workers).num_workers)
"""


def look(case: Case) -> Finding | None:
    """Python says that the process has not finished its bootstrapping phase."""
    if case.failure is None or not case.raised(r"bootstrapping phase|DataLoader worker .* exited unexpectedly"):
        return None
    return Finding(case.script.find("num_workers") or case.failure.line, case.failure.text.strip().splitlines()[0][:120])
