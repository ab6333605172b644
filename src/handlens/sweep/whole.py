"""`Sweep`: its results, in tables, figures and sentences."""

from __future__ import annotations

import html
from functools import cached_property
from typing import TYPE_CHECKING, Any

from handlens.errors import UsageError
from handlens.sweep import findings
from handlens.sweep.results import Results
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Sweep(Results):
    """A sweep, in its folder: make one with `handlens.sweep`, find one with `handlens.load_sweep`.

    Attributes:
        trials: its trials, as the folder has them.
    """

    @cached_property
    def sentences(self) -> list[str]:
        """What can be said of it in words, from the numbers."""
        return findings.sentences(self)

    def figures(self) -> dict[str, Figure]:
        """The figures that can be drawn of it, by name."""
        from handlens.sweep.figures import figures  # matplotlib takes its time

        return figures(self)

    def show(self) -> Figure:
        """The figure that says most: the validation accuracy at every point.

        Raises:
            UsageError: no trial has come to an epoch yet.
        """
        drawn = self.figures()
        if not drawn:
            raise UsageError("No trial has come to the end of an epoch yet.")
        return next(iter(drawn.values()))

    def to_dict(self) -> dict[str, Any]:
        """The sweep as JSON."""
        best = self.best
        winner = best and {"point": best.number, "knobs": best.point, "test_accuracies": best.test_accuracies}
        spec = self.trials.spec.model_dump(mode="json")
        about = {"name": self.name, "folder": str(self.trials.folder), "complete": self.is_complete}
        return {**about, **spec, "table": self.table, "best": winner, "sentences": self.sentences}

    def __repr__(self) -> str:
        return f"Sweep({self.name}: {', '.join(self.axes)}; {self.done} of {counted(self.asked, 'point')} done)"

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in cells) for cells in self.cells()]
        return f"<p><b>{html.escape(repr(self))}</b></p><table><tr>{heads}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
