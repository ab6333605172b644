"""Some images of an evaluation, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from handlens.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handlens.evaluation.measured import Evaluation


@dataclass(frozen=True, repr=False, eq=False)
class Selection:
    """Some images of an evaluation, in an order that means something.

    Attributes:
        evaluation: where they are from.
        indices: their places in the split.
    """

    evaluation: Evaluation
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def images(self) -> NDArray[np.uint8]:
        """The images, N,C,H,W."""
        return self.evaluation.images[self.indices]

    @property
    def true(self) -> list[str]:
        """What they are."""
        return [self.evaluation.classes[label] for label in self.evaluation.labels[self.indices]]

    @property
    def predicted(self) -> list[str]:
        """What they were taken for."""
        return [self.evaluation.classes[label] for label in self.evaluation.predictions[self.indices]]

    @property
    def probabilities(self) -> list[float]:
        """The probability of what they were taken for."""
        chosen = self.evaluation.probabilities[self.indices, self.evaluation.predictions[self.indices]]
        return [float(probability) for probability in chosen]

    @property
    def losses(self) -> list[float]:
        """The loss of each."""
        return [float(loss) for loss in self.evaluation.losses[self.indices]]

    def show(self) -> Figure:
        """The images, each with what it is, what it was taken for, and how sure that was."""
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
