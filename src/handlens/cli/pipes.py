"""Writing to stdout when whoever reads it may go away (`| head`): the rest is not told, and the work goes on."""

from __future__ import annotations

import os
import sys


def write(text: str) -> None:
    """A result on stdout, at once: in a file it then stands before what stderr tells later."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout.fileno())


def silence(descriptor: int) -> None:
    """Let what is written to a descriptor vanish."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
