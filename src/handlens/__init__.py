"""handlens: a learning lab for image classification with PyTorch.

    import handlens as hl

    data = hl.load("mnist")
    run = hl.fit(hl.models.MLP(hidden_sizes=(128, 64)), data, epochs=5, lr=1e-3, seed=42)
    run.evaluate("test").accuracy

Every name below is imported when it is first used, so that `import handlens` alone costs nothing.
"""

from __future__ import annotations

from handlens.lazy import make_lazy

__version__ = "0.1.0"

TYPE_CHECKING = False  # as in `typing`, whose import is slower than all else here
if TYPE_CHECKING:
    from typing import Any

    from handlens import analysis, course, data, device, explain, metrics, models, plots, regression, widgets
    from handlens.compare import compare
    from handlens.config import Config
    from handlens.data import Dataset, Split, load, mine
    from handlens.data.batches import batches
    from handlens.doctor.inside import diagnose, doctor
    from handlens.errors import HandlensError
    from handlens.evaluation import Evaluation
    from handlens.export import export, import_run
    from handlens.fit import fit, resume
    from handlens.lr_find import find_lr
    from handlens.runs import Run, list_runs, load_run
    from handlens.sweep import Sweep, load_sweep, sweep
    from handlens.train import State, train

_HOMES = {
    "Config": "config",
    "Dataset": "data",
    "Evaluation": "evaluation",
    "HandlensError": "errors",
    "Run": "runs",
    "Split": "data",
    "State": "train",
    "Sweep": "sweep",
    "batches": "data",
    "compare": "compare",
    "diagnose": "doctor.inside",
    "doctor": "doctor.inside",
    "export": "export",
    "find_lr": "lr_find",
    "fit": "fit",
    "import_run": "export",
    "list_runs": "runs",
    "load": "data",
    "load_run": "runs",
    "load_sweep": "sweep",
    "mine": "data",
    "resume": "fit",
    "sweep": "sweep",
    "train": "train",
}

__all__ = [
    "Config",
    "Dataset",
    "Evaluation",
    "HandlensError",
    "Run",
    "Split",
    "State",
    "Sweep",
    "analysis",
    "batches",
    "compare",
    "course",
    "data",
    "device",
    "diagnose",
    "doctor",
    "explain",
    "export",
    "find_lr",
    "fit",
    "import_run",
    "list_runs",
    "load",
    "load_run",
    "load_sweep",
    "metrics",
    "mine",
    "models",
    "plots",
    "regression",
    "resume",
    "sweep",
    "train",
    "widgets",
]

_package = make_lazy(__name__)


def __getattr__(name: str) -> Any:
    return _package.find(name)
