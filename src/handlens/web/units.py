"""The route of Draw that shows the arithmetic of a single unit."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from handlens import explain
from handlens.web.asked import Asked
from handlens.web.draw import Drawing, Layer, chosen_by, prepared

_DIGITS = 5


class OneNumber(Drawing):
    """One number inside a network that looks at a drawing.

    Attributes:
        layer: its name.
        place: unit, and row and column where the layer gives maps.
    """

    layer: Layer
    place: Annotated[list[Annotated[int, Field(ge=0, lt=1 << 20)]], Field(min_length=1, max_length=3)]


def arithmetic(asked: Asked) -> dict[str, Any]:
    """What a number is made of: what goes in, what it is multiplied with, and what is added."""
    wanted = asked.read(OneNumber)
    chosen = chosen_by(asked, wanted.run)
    image, _ = prepared(chosen, wanted)
    with chosen.inside.use(wanted.off) as model:
        found = explain.arithmetic(model, torch.from_numpy(image), wanted.layer, wanted.place)
    return {
        "layer": found.layer,
        "kind": found.kind,
        "place": found.place,
        "value": found.value,
        "bias": found.bias,
        "said": found.said,
        "sums": found.sums,
        "inputs": _numbers(found.inputs),
        "weights": None if found.weights is None else _numbers(found.weights),
    }


def _numbers(values: NDArray[np.float32]) -> list[Any]:
    """Nested lists, of as many digits as a page shows; what pools into nothing at an edge is null."""
    return [[[float(f"{one:.{_DIGITS}g}") if np.isfinite(one) else None for one in row] for row in channel] for channel in values]
