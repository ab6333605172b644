"""What `handlens --help` says, and the verbs there are."""

from __future__ import annotations

VERBS = {
    "lab": "Draw, train and look inside, in the browser.",
    "draw": "Another name for lab, which begins with the page Draw.",
    "train": "Train a network and keep the run.",
    "lr-find": "Which learning rate to take: one short training tells.",
    "transfer": "What another run's weights are worth with few examples.",
    "line": "The first session again: a straight line, epoch by epoch.",
    "evaluate": "Measure a run on images that it has not seen.",
    "predict": "Ask a run about pictures of your own.",
    "explain": "What a run has learned, and what its answers hang on.",
    "report": "Put all about a run into one HTML file.",
    "export": "A run as ONNX, pt2, safetensors, or a page that answers.",
    "import": "Make a run of what somebody sent.",
    "errors": "Where a run is wrong; what several always get wrong.",
    "labels": "Training images whose label is probably wrong.",
    "compare": "Two or more runs side by side.",
    "sweep": "Train at every point of a grid, or at some of a space.",
    "sweeps": "What sweeps have found: tables, figures, findings.",
    "doctor": "What is wrong with a training program of your own.",
    "runs": "List, show, rename, note, tag, repeat, remove runs.",
    "data": "List, fetch, show, import, check data sets.",
    "mine": "Your own digits: add, show, export; test a run on them.",
    "course": "The session's lessons, and exercises that check themselves.",
    "bench": "How fast this machine trains, and which way to calculate.",
    "info": "This machine: versions, device, folders, and what is missing.",
}
INTERRUPTED = 130
HELP = f"""\
Usage: handlens VERB [OPTIONS] ...

  A learning lab for image classification with PyTorch.
  Begin with: handlens lab, or: handlens train session

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
