"""How long something takes, on a machine that has other things to do too."""

from __future__ import annotations

import time


def worked_s() -> float:
    """Seconds since some time ago; those in which this thread waited, for others or for the processor, count half.

    Of a program that computes it is the time on an idle machine, and on a busy one the doctor sees about as much of it.
    """
    return (time.thread_time() + time.perf_counter()) / 2
