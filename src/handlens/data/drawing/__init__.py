"""From any picture of a handwritten digit to 28x28 pixels in MNIST's sense, with every stage on the way.

MNIST's own recipe is short: white ink on black, the longer side 20 pixels, the centre of mass in the middle (LeCun et al. 1998). What
people draw, photograph and scan needs more before it is ink at all: `source` reads it, `paper` tells ink from paper, `parts` finds what
belongs to one digit, `shape` gives it MNIST's size, stroke and place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlens.lazy import make_lazy

if TYPE_CHECKING:
    from handlens.data.drawing.normalized import TOO_LITTLE, TOO_MANY, Normalized, Stage, normalize, segment
    from handlens.data.drawing.source import Box, read, shrunk

_HOMES = {
    **dict.fromkeys(("TOO_LITTLE", "TOO_MANY", "Normalized", "Stage", "normalize", "segment"), "normalized"),
    **dict.fromkeys(("Box", "read", "shrunk"), "source"),
}

__all__ = ["TOO_LITTLE", "TOO_MANY", "Box", "Normalized", "Stage", "normalize", "read", "segment", "shrunk"]

_package = make_lazy(__name__)


def __getattr__(name: str) -> Any:
    return _package.find(name)
