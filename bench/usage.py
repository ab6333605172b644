"""What this process has used, of processors and of memory. Other programs change processor time less than the clock's."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable


def processor_s() -> float:
    """Seconds that this process, and its children that have ended, have used of all processors, the system's work for them included."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def most_memory_mb() -> float:
    """The most memory that this process ever held."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def as_installed() -> dict[str, str]:
    """The environment for a Python that keeps what it compiles, whatever this one does: pip compiles what it installs for a user."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processors."""
    clock, processor = time.perf_counter(), processor_s()
    work()
    return time.perf_counter() - clock, processor_s() - processor
