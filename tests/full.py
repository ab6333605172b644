"""Everything in full numbers, in named parts of at most an hour:   make test-full [PART=kills]

A part that is done for this state of the code is not done again, so a run that was stopped goes on where it was. The table at the end is
Markdown, for the note that closes an issue. `cases` counts what tests record with `record_property("cases", n)`, or 1 for each test.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 3600


@dataclass(frozen=True)
class Part:
    """What pytest is given, and the environment variables that make its tests large."""

    arguments: str
    environment: dict[str, str]


PARTS = {
    "all": Part("-n 2", {}),
    "kills": Part("tests/crash/test_kill_and_resume.py tests/crash/test_own_digits.py", {"HANDLENS_KILLS": "1000"}),
    "faults": Part("tests/crash -k fault", {}),
    "flips": Part("tests -k flip", {"HANDLENS_FLIPS": "10000"}),
    "cache": Part("tests/test_data_cache.py tests/crash/test_processes.py", {"HANDLENS_ROUNDS": "50"}),
    "fuzz": Part("-n 2 tests/fuzz", {"HANDLENS_EXAMPLES": "20000"}),
    "sheets": Part("tests/test_mine_sheet.py", {"HANDLENS_SHEETS": "100"}),
    "pictures": Part("tests/test_drawing.py -k hostile", {"HANDLENS_PICTURES": "2000"}),
    "sweep": Part("tests/crash/test_sweeps.py tests/test_sweep.py", {"HANDLENS_WORKER_KILLS": "50", "HANDLENS_DRIVER_KILLS": "25"}),
    "nodes": Part("tests/crash/test_nodes.py", {"HANDLENS_NODES": "2"}),
    "attacks": Part("tests/web/test_hostile.py", {f"HANDLENS_{cases}": "100000" for cases in ("TRAVERSALS", "HEADER_CASES", "TEXTS")}),
    "lab-kills": Part("tests/crash/test_lab.py", {"HANDLENS_LAB_KILLS": "500"}),
    "page": Part("tests/web/test_exported_page.py tests/test_export.py", {"HANDLENS_PAGE": "1000", "HANDLENS_DRAWINGS": "1000"}),
    "signals": Part("tests/crash/test_signals.py", {"HANDLENS_SIGNALS": "100"}),
    "doctor": Part("-n 2 tests/test_doctor.py", {}),
    "same-bits": Part("tests -k same_bits", {"HANDLENS_PROCESSES": "100"}),
}


@dataclass(frozen=True)
class Result:
    """What a part came to."""

    part: str
    cases: int
    failed: int
    skipped: int
    time_s: float

    def row(self) -> str:
        """The part's line in the table."""
        return f"| {self.part} | {self.cases:,} | {self.failed} | {self.skipped} | {self.time_s / 60:.1f} min |"


def state_of_the_code() -> str:
    """The commit, and a sum of what was changed since; a part counts as done only for exactly this."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    changes = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, check=True).stdout
    changes += subprocess.run(["git", "diff", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    return head[:12] + (f"-{hashlib.sha256(changes).hexdigest()[:8]}" if changes else "")


def run(name: str) -> Result:
    """Run one part, with what it prints on the terminal; a part that exceeds its hour has failed."""
    part, start = PARTS[name], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *shlex.split(part.arguments), f"--junit-xml={report}", "-o", "junit_family=xunit1"]
        environment = {**os.environ, "HANDLENS_FULL": "1", **part.environment}
        try:
            code = subprocess.run(command, cwd=ROOT, env=environment, timeout=LIMIT_S, check=False).returncode
        except subprocess.TimeoutExpired:
            return Result(name, 0, 1, 0, LIMIT_S)
        return count(name, report, code, time.monotonic() - start)


def count(name: str, report: Path, code: int, time_s: float) -> Result:
    """Add up pytest's report. A pytest that ends badly without a failed test (nothing collected, a broken file) has failed once."""
    cases = [case for case in ElementTree.parse(report).iter("testcase") if case.find("skipped") is None] if report.exists() else []
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for _ in ElementTree.parse(report).iter("skipped")) if report.exists() else 0
    return Result(name, sum(map(counted, cases)), max(failed, int(code != 0)), skipped, time_s)


def counted(case: ElementTree.Element) -> int:
    """How many cases a test says that it tried; one if it says nothing."""
    said = [int(entry.get("value", "0")) for entry in case.iter("property") if entry.get("name") == "cases"]
    return sum(said) if said else 1


def main(names: list[str]) -> int:
    """Run the parts that are named, or all; tell what they came to."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"There is no part '{unknown[0]}'. Parts: {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    state = state_of_the_code()
    done = ROOT / ".full" / state
    done.mkdir(parents=True, exist_ok=True)
    results = []
    for name in names or PARTS:
        kept = done / f"{name}.json"
        if kept.exists():
            results.append(Result(**json.loads(kept.read_text(encoding="utf-8"))))
            continue
        print(f"== {name} ==", flush=True)
        results.append(run(name))
        if not results[-1].failed:
            kept.write_text(json.dumps(asdict(results[-1])), encoding="utf-8")
    print(f"\nmake test-full at {state}\n\n| part | cases | failed | skipped | time |\n|---|---:|---:|---:|---:|")
    print("\n".join(result.row() for result in results))
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
