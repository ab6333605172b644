"""handlens: a learning lab for image classification with PyTorch.

    import handlens as hl

    data = hl.load("mnist")
    run = hl.fit(hl.models.MLP(hidden_sizes=(128, 64)), data, epochs=5, lr=1e-3, seed=42)
    run.evaluate("test").accuracy

Every name below is imported when it is first used, so that `import handlens` alone costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

__version__ = "0.1.0"

TYPE_CHECKING = False  # as in `typing`, whose import is slower than all else here
if TYPE_CHECKING:
    from typing import Any

    from handlens import data, metrics, models, plots
    from handlens.compare import compare
    from handlens.config import Config
    from handlens.data import Dataset, Split, load
    from handlens.data.batches import batches
    from handlens.errors import HandlensError
    from handlens.evaluation import Evaluation
    from handlens.fit import fit, resume
    from handlens.runs import Run, list_runs, load_run
    from handlens.train import State, train

_HOMES = {
    "Config": "config",
    "Dataset": "data",
    "Evaluation": "evaluation",
    "HandlensError": "errors",
    "Run": "runs",
    "Split": "data",
    "State": "train",
    "batches": "data",
    "compare": "compare",
    "fit": "fit",
    "list_runs": "runs",
    "load": "data",
    "load_run": "runs",
    "resume": "fit",
    "train": "train",
}
_MODULES = ("data", "metrics", "models", "plots")

__all__ = [
    "Config",
    "Dataset",
    "Evaluation",
    "HandlensError",
    "Run",
    "Split",
    "State",
    "batches",
    "compare",
    "data",
    "fit",
    "list_runs",
    "load",
    "load_run",
    "metrics",
    "models",
    "plots",
    "resume",
    "train",
]


class _Package(ModuleType):
    """Importing the module `handlens.fit` sets the package's attribute `fit`; it must not hide the function `hl.fit`."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in self.__dict__["_HOMES"] and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"handlens.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(f"handlens.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"handlens has no '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
