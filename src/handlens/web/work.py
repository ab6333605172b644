"""How the process that trains for the lab begins: `python -m handlens.web.work FOLDER`.

It holds the job's lock before anything else, since PyTorch takes seconds to import: whoever looks meanwhile, such as the lab that comes
after one that was killed, sees that the training lives.
"""

from __future__ import annotations

import sys
from pathlib import Path

from handlens import files

LOCK = "job.lock"
"""Held as long as the process lives."""

GONE_S = 8.0
"""So long the process before may take to end."""


def main(folder: Path) -> None:
    """Train what the job in this folder orders."""
    with files.lock(folder / LOCK, wait_s=GONE_S):
        from handlens.web import jobs, worker

        worker.work(jobs.Job(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
