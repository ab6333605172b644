"""The command line: one module a verb, imported when the verb is used.

`handlens --help` answers before anything slow is imported, and that includes the library that reads the command line.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

VERBS = {
    "train": "Train a network and keep the run.",
    "evaluate": "Measure a run on images that it has not seen.",
    "report": "Put all about a run into one HTML file.",
    "compare": "Two or more runs side by side.",
    "runs": "List, show, rename, note, tag, repeat, remove runs.",
    "data": "List, fetch, show, import, check data sets.",
    "info": "This machine: versions, device, folders, and what is missing.",
}
INTERRUPTED = 130
HELP = f"""\
Usage: handlens VERB [OPTIONS] ...

  A learning lab for image classification with PyTorch.
  Begin with: handlens train session

Verbs:
{"".join(f"  {verb:<10}{purpose}" + chr(10) for verb, purpose in VERBS.items())}
  handlens VERB --help tells more about one.

Options:
  --version   Show the version and exit.
  --debug     Show the traceback of an error.
  -h, --help  Show this message and exit.

RUN is a folder, a name, an id, the beginning of one, latest, best, or
best:METRIC. Exit codes: 0 good, 1 a finding or not passed, 2 wrong usage,
3 data missing, 4 no such run, 5 failed, 130 interrupted.
"""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line, and end the process with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that cannot show a letter shows '?' instead of stopping
            stream.reconfigure(errors="replace")
    if words in ([], ["-h"], ["--help"]):
        print(HELP, end="")
        sys.exit(0)
    from handlens.cli.verbs import run

    sys.exit(run(words))
