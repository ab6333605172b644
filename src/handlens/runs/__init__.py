"""What a training leaves behind: a plain folder, readable by people, that any training can go on from."""

from handlens.runs.about import About
from handlens.runs.checkpoint import WHICH
from handlens.runs.data import has_changed, preparation_of, the_same, whole
from handlens.runs.doubts import Doubt, load_doubts, save_doubt, take_back_doubt
from handlens.runs.find import Broken, list_runs, load_run, no_runs, runs_folder, scan
from handlens.runs.folder import RESERVED, SWEEPS, existing_place, is_free, new_place, removed, strangers, take_back, to_trash, writing
from handlens.runs.names import new_id, new_name
from handlens.runs.pictures import as_folder
from handlens.runs.run import Run
from handlens.runs.shared import STARTER, STARTER_FOLDER, share, starter

__all__ = [
    "RESERVED",
    "STARTER",
    "STARTER_FOLDER",
    "SWEEPS",
    "WHICH",
    "About",
    "Broken",
    "Doubt",
    "Run",
    "as_folder",
    "existing_place",
    "has_changed",
    "is_free",
    "list_runs",
    "load_doubts",
    "load_run",
    "new_id",
    "new_name",
    "new_place",
    "no_runs",
    "preparation_of",
    "removed",
    "runs_folder",
    "save_doubt",
    "scan",
    "share",
    "starter",
    "strangers",
    "take_back",
    "take_back_doubt",
    "the_same",
    "to_trash",
    "whole",
    "writing",
]
