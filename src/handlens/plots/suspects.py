"""Labels that are probably wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from handlens.errors import UsageError
from handlens.plots.style import LIGHT, Picture, Theme, percent, plain
from handlens.plots.tiles import Tile, mosaic, pictures


def plot_suspects(
    images: NDArray[Any], labels: Sequence[str], suggested: Sequence[str], probabilities: Sequence[float], *, theme: Theme = LIGHT
) -> Picture:
    """Images with the label that they have and the one that they should perhaps have, the most suspicious first.

    Args:
        images: N,C,H,W as for `plot_samples`.
        labels: N, as they were given.
        suggested: N, what a network that has not learned from the image says.
        probabilities: N, how sure it is of that, 0 to 1.
        theme: the colours.

    Raises:
        UsageError: there are none, or the images have another shape.
    """
    if not len(images):
        raise UsageError("There is nothing to show: no label is suspected.")
    rows = zip(pictures(images), labels, suggested, probabilities, strict=True)
    tiles = [Tile(pixels, (f"label: {plain(label)}", f"{plain(other)}? ({percent(share)})")) for pixels, label, other, share in rows]
    return mosaic(tiles, "Suspected label errors", theme, "first line: the label; below: what the network says instead, and how sure it is")
