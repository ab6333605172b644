"""What a training leaves behind: a plain folder, readable by people, that any training can go on from."""

from handlens.runs.about import About
from handlens.runs.checkpoint import WHICH
from handlens.runs.data import has_changed, preparation_of, the_same, whole
from handlens.runs.find import Broken, list_runs, load_run, no_runs, runs_folder, scan
from handlens.runs.folder import RESERVED, SWEEPS, existing_place, is_free, new_place, strangers, to_trash, writing
from handlens.runs.names import new_id, new_name
from handlens.runs.pictures import as_folder
from handlens.runs.run import Run
from handlens.runs.shared import STARTER, share, starter

__all__ = [
    "RESERVED",
    "STARTER",
    "SWEEPS",
    "WHICH",
    "About",
    "Broken",
    "Run",
    "as_folder",
    "existing_place",
    "has_changed",
    "is_free",
    "list_runs",
    "load_run",
    "new_id",
    "new_name",
    "new_place",
    "no_runs",
    "preparation_of",
    "runs_folder",
    "scan",
    "share",
    "starter",
    "strangers",
    "the_same",
    "to_trash",
    "whole",
    "writing",
]
