"""How the process that trains for the lab begins: `python -m handlens.web.work LOCK SECONDS`.

It holds the job's lock before anything else, since PyTorch takes seconds to import: whoever looks meanwhile, such as the lab that comes
after one that was killed, sees that the training lives.
"""

from __future__ import annotations

import sys
from pathlib import Path

from handlens import files


def main(lock: Path, wait_s: float) -> None:
    """Train what the job in the lock's folder orders; the process before may take so many seconds to end."""
    with files.lock(lock, wait_s=wait_s):
        from handlens.web import jobs, worker

        worker.work(jobs.Job(lock.parent))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
