"""What a training leaves behind: a plain folder, readable by people, that any training can go on from."""

from handlens.runs.checkpoint import WHICH
from handlens.runs.find import Broken, list_runs, load_run, no_runs, runs_folder, scan
from handlens.runs.names import new_id, new_name
from handlens.runs.run import LOCK, Run, to_trash

__all__ = ["LOCK", "WHICH", "Broken", "Run", "list_runs", "load_run", "new_id", "new_name", "no_runs", "runs_folder", "scan", "to_trash"]
