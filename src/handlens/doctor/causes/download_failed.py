"""The data could not be fetched."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The data site did not answer."
CHANGE = "Take data that is on this machine: handlens data path mnist."
DEMO = """\
  import urllib.request
- print(urllib.request.urlopen("http://127.0.0.1:9/train-images").read())
+ from handlens.data import DATASETS
+ print("on this machine or fetched once:", ", ".join(list(DATASETS)[:2]))
"""


def look(case: Case) -> Finding | None:
    """The network said no."""
    if case.failure is None or case.script.find("gettempdir"):  # what lies there is not there under the doctor
        return None
    if not (
        case.failure.kind in ("URLError", "HTTPError", "ConnectionError", "gaierror", "SSLError")
        or case.raised(
            r"urlopen error|HTTP Error|Error downloading|Connection refused|Name or service not known|Temporary failure in name resolution"
        )
    ):
        return None
    return Finding(case.failure.line, f"{case.failure.kind}: {case.failure.text[:100]}")
