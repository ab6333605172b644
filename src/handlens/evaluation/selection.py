"""Some images of an evaluation, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from handlens.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False, eq=False)
class Selection:
    """Some images of an evaluation, in an order that means something.

    Attributes:
        indices: M, their places in the split.
        images: `uint8` M,C,H,W.
        true: M, what they are.
        predicted: M, what they were taken for.
        probabilities: M, how sure the network was of that, 0 to 1.
        losses: M, the loss of each.
    """

    indices: NDArray[np.int64]
    images: NDArray[np.uint8]
    true: list[str]
    predicted: list[str]
    probabilities: list[float]
    losses: list[float]

    def __len__(self) -> int:
        return len(self.indices)

    def to_dict(self) -> list[dict[str, Any]]:
        """As JSON: one object an image."""
        names = ("index", "true", "predicted", "probability", "loss")
        columns = (self.indices.tolist(), self.true, self.predicted, self.probabilities, self.losses)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def show(self) -> Figure:
        """The images, each with what it is, what it was taken for, and how sure that was.

        Raises:
            UsageError: there are none, or they are neither grey nor RGB.
        """
        from handlens import plots

        if len(self) == 0:
            raise UsageError("There is nothing to show: no such image.")
        if all(true != predicted for true, predicted in zip(self.true, self.predicted, strict=True)):
            return plots.plot_mistakes(self.images, self.true, self.predicted, self.probabilities, self.losses)
        return plots.plot_predictions(self.images, self.true, self.predicted, self.probabilities)

    def __repr__(self) -> str:
        rows = zip(self.indices, self.true, self.predicted, self.probabilities, self.losses, strict=True)
        lines = [f"image {index}: {true}, taken for {other} ({sure:.1%}), loss {loss:.2f}" for index, true, other, sure, loss in rows]
        return "\n".join(lines[:25] + ([f"... and {len(lines) - 25} more"] if len(lines) > 25 else []))

    def _repr_html_(self) -> str:
        from handlens import plots

        return plots.img_tag(self.show(), alt=repr(self), width=640) if len(self) else "<p>No such image.</p>"
