"""Figures of what is inside a network: its filters, and what its layers make of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from handlens.errors import UsageError
from handlens.plots.sheet import MARGIN, Array, Sheet, columns, evenly
from handlens.plots.style import LIGHT, SIGNED, WIDTH, Picture, Theme, plain
from handlens.plots.tiles import LINE, as_pictures, signed_limit
from handlens.words import counted

_SCALE_ROOM, _LEAD = 0.95, 1.25
_MOST, _MOST_LAYERS = 256, 24
_HOW_TO_READ = "orange: above zero; white: zero; blue: below"


def plot_filters(weights: Array, layer: str = "", input_channels: int | None = None, *, theme: Theme = LIGHT) -> Picture:
    """The weights of a layer, one picture for each filter or unit, all on one scale.

    Args:
        weights: N,C,H,W. One channel is drawn on a signed scale with zero in white; three as RGB with zero in the middle grey; others
            as the mean of the channels.
        layer: the name of the layer.
        input_channels: of how many channels a picture is the mean, if it is one.
        theme: the colours around the pictures.

    Raises:
        UsageError: the weights have another shape.
    """
    array = as_pictures(weights)
    channels = input_channels or array.shape[1]
    title = f"{counted(len(array), 'picture')} of weights{f': {plain(layer, 40)}' if layer else ''}"
    limit = signed_limit(array)
    if array.shape[1] == 3:
        words = f"red, green and blue are the weights of the three channels: middle grey is zero, full colour {limit:.2g}"
        return _tiles([*(array.transpose(0, 2, 3, 1) / limit / 2 + 0.5).clip(0, 1)], (title, words), None, theme)
    mean = array.mean(axis=1)
    many = f"; each the mean over {channels} input channels" if channels > 1 else ""
    return _tiles([*mean], (title, f"orange: a bright pixel here raises the value; blue: lowers it{many}"), signed_limit(mean), theme)


def plot_features(image: Array, features: Array, layer: str = "", *, theme: Theme = LIGHT) -> Picture:
    """Everything that one layer gives for one image, beside the image.

    Args:
        image: C,H,W in [0, 1].
        features: D,h,w (maps) or D (units).
        layer: what the layer is called.
        theme: the colours around the pictures.

    Raises:
        UsageError: the features have another shape.
    """
    array = _maps(features)
    kind = "map" if array.shape[1:] != (1, 1) else "unit"
    title = f"{counted(len(array), kind)} of {plain(layer, 40) or 'a layer'}"
    return _tiles([*array], (title, f"first the image; {_HOW_TO_READ}"), signed_limit(array), theme, before=grey_or_rgb(image))


def plot_activations(image: Array, layers: Mapping[str, Array], *, theme: Theme = LIGHT) -> Picture:
    """What each layer gives for one image: a row for each, with a scale of its own.

    Args:
        image: C,H,W in [0, 1].
        layers: by what the layer is called its maps, D,h,w, or units, D, in the order of use. Of many maps the first ones are shown, of
            very many layers some in equal distances.
        theme: the colours around the pictures.

    Raises:
        UsageError: a layer has another shape.
    """
    names = evenly(list(layers), _MOST_LAYERS)
    shown = {name: _maps(layers[name]) for name in names}
    heights = {name: 0.72 if values.shape[1:] != (1, 1) else 0.2 for name, values in shown.items()}
    some = f"{len(names)} of {len(layers)} layers, " if len(names) < len(layers) else ""
    words = f"{some}from top to bottom, each row on a scale of its own; {_HOW_TO_READ}"
    height = max(_LEAD, sum(heights.values()) + len(shown) * (LINE + 0.14))
    sheet = Sheet("What each layer makes of the image", words, (WIDTH, height), theme)
    sheet.picture(grey_or_rgb(image), (MARGIN, sheet.top + LINE + 0.02, 1.1, 1.1))
    top = sheet.top
    for name, values in shown.items():
        _layer_row(sheet, name, values, (top, heights[name]))
        top += heights[name] + LINE + 0.14
    return sheet.finish()


def _layer_row(sheet: Sheet, name: str, values: Array, place: tuple[float, float]) -> None:
    """The name of a layer, and below it as many of its maps as fit, or all its units as one strip."""
    top, height = place
    left = MARGIN + _LEAD
    limit, room = signed_limit(values), WIDTH - left - MARGIN
    if values.shape[1:] == (1, 1):
        strip = values[:, 0, 0][None]
        sheet.picture(strip, (left, top + LINE + 0.02, min(room, 0.2 * len(values)), height), SIGNED, (-limit, limit))
        note = counted(len(values), "unit")
    else:
        wide = height * values.shape[2] / values.shape[1]
        fitting = max(1, int((room + 0.05) / (wide + 0.05)))
        for number, one in enumerate(values[:fitting]):
            sheet.picture(one, (left + number * (wide + 0.05), top + LINE + 0.02, wide, height), SIGNED, (-limit, limit))
        some = "" if len(values) <= fitting else f", the first {fitting} of them"
        note = f"{counted(len(values), 'map')} of {values.shape[1]}×{values.shape[2]}{some}"
    sheet.text(f"{plain(name, 40)}: {note}, colours end at ±{limit:.2g}", left, top)


def _tiles(pictures: Sequence[Array], words: tuple[str, str], limit: float | None, theme: Theme, before: Array | None = None) -> Picture:
    """Pictures in rows, with a signed scale if a limit is given; one of another kind may stand `before` them."""
    if len(pictures) > _MOST:
        words = (words[0], f"the first {_MOST} of them; {words[1]}")
    pictures = pictures[:_MOST]
    side, gap = _side(len(pictures)) if pictures[0].size > 1 else 0.3, 0.06
    lead = _LEAD if before is not None else 0.0
    across = columns(len(pictures), side, gap, WIDTH - 2 * MARGIN - _SCALE_ROOM - lead)
    tall = side * pictures[0].shape[0] / pictures[0].shape[1]
    height = max(math.ceil(len(pictures) / across) * (tall + gap), 1.15)
    right = MARGIN + lead + across * (side + gap)
    sheet = Sheet(*words, (right + (_SCALE_ROOM if limit else MARGIN), height), theme)
    if before is not None:
        sheet.picture(before, (MARGIN, sheet.top, 1.1, 1.1))
    style: dict[str, Any] = {"colours": SIGNED, "limits": (-limit, limit)} if limit else {}
    for number, one in enumerate(pictures):
        row, column = divmod(number, across)
        shown = sheet.picture(one, (MARGIN + lead + column * (side + gap), sheet.top + row * (tall + gap), side, tall), **style)
    if limit:
        ticks = ((-limit, f"−{limit:.2g}"), (0.0, "0"), (limit, f"+{limit:.2g}"))
        sheet.scale(shown, (right + 0.06, sheet.top + 0.02, 0.14, min(height - 0.1, 2.6)), ticks)
    return sheet.finish()


def _side(count: int) -> float:
    return 1.1 if count <= 6 else 0.85 if count <= 24 else 0.62 if count <= 64 else 0.46 if count <= 128 else 0.33


def _maps(values: Array) -> Array:
    """Maps D,h,w as they are; units D as maps of one pixel."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 3) or array.size == 0:
        raise UsageError(f"Features of shape {array.shape} cannot be shown.", hint="They must be D,h,w (maps) or D (units).")
    return array[:, None, None] if array.ndim == 1 else array


def grey_or_rgb(image: Array) -> Array:
    """An image C,H,W in [0, 1] as H,W or H,W,3; of two channels, or more than three, the mean."""
    array = np.nan_to_num(np.asarray(image, dtype=np.float64)).clip(0, 1)
    if array.ndim != 3:
        raise UsageError(f"An image of shape {array.shape} cannot be shown.", hint="It must be C,H,W.")
    return array.transpose(1, 2, 0) if len(array) == 3 else array.mean(axis=0)
