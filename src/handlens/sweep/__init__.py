"""Many trainings that differ in some knobs: on this machine or on a cluster, resumed after any kill, and what one reads from them."""

from handlens.sweep.engine import Engine, begin, go_on, load_sweep, make_engine, prepare, sweep
from handlens.sweep.folder import Trials, find_folder, sweeps_folder
from handlens.sweep.pool import Event, Pool
from handlens.sweep.results import Best
from handlens.sweep.space import Axis
from handlens.sweep.spec import GRIDS, Spec, make_spec
from handlens.sweep.whole import Sweep

__all__ = [
    "GRIDS",
    "Axis",
    "Best",
    "Engine",
    "Event",
    "Pool",
    "Spec",
    "Sweep",
    "Trials",
    "begin",
    "find_folder",
    "go_on",
    "load_sweep",
    "make_engine",
    "make_spec",
    "prepare",
    "sweep",
    "sweeps_folder",
]
