"""A worker process: it reads jobs on stdin and says on stdout what became of them, one JSON object a line.

    python -m handlens.sweep.worker

It ends at once, wherever it is, when its stdin does: nothing trains on after the process that asked for it was killed.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import warnings
from typing import TextIO

from handlens.sweep.trial import Job, Message, advance


def main() -> None:
    """Do jobs until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a network of the user's own prints is no answer
    warnings.simplefilter("ignore")
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    _say({"ready": True}, answers)

    while True:
        for message in advance(Job(**json.loads(lines.get()))):
            _say(message, answers)


def _say(message: Message, answers: TextIO) -> None:
    print(json.dumps(message), file=answers, flush=True)


def _read(lines: queue.Queue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
