"""The command line: one module a verb, imported when the verb is used.

`handlens --help` answers before anything slow is imported, and that includes the library that reads the command line.
"""

from __future__ import annotations

import os
import sys

from handlens.cli.help import HELP, VERBS
from handlens.cli.pipes import write

__all__ = ["VERBS", "main"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


SPINS = "5000"
"""How often one of PyTorch's threads looks whether the others are there before it sleeps; `GOMP_SPINCOUNT`, of GNU's OpenMP on Linux."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line, and end the process with its exit code."""
    # By itself it looks 300,000 times: beside another busy program that takes the processor from the very thread that is waited for.
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that cannot show a letter shows '?' instead of stopping
            stream.reconfigure(errors="replace")
    if words in ([], ["-h"], ["--help"]):
        write(HELP)
        sys.exit(0)
    from handlens.cli.verbs import run

    sys.exit(run(words))
