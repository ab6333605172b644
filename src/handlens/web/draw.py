"""The routes of Draw: what a network says of a drawing or a photo, and what goes on inside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from handlens import explain
from handlens.data.drawing import TOO_LITTLE, TOO_MANY, Normalized, normalize, shrunk
from handlens.device import settled
from handlens.errors import UsageError
from handlens.models import predict_logits
from handlens.web.asked import Asked, Body
from handlens.web.pictures import as_address, as_pixels
from handlens.web.shelf import Ready, choices, ready
from handlens.web.together import Together

PAPER = 280.0
"""The side of the drawing pad, in the unit of its points."""

_MOST_TILES = 64
_MOST_AT_ONCE = 64
_CPU = torch.device("cpu")
Coordinate = Annotated[float, Field(ge=-1e4, le=1e4)]
Strokes = Annotated[list[Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=4096)]], Field(max_length=256)]
Layer = Annotated[str, Field(max_length=200)]
Off = Mapping[str, Sequence[int]]


class Drawing(Body):
    """A drawing, and whom to ask.

    Attributes:
        strokes: lists of points (x, y) on the pad.
        run: a name; empty for the default.
        pen: width of the strokes in the unit of the points.
        centre: find the digit, and scale and centre it as MNIST's; else the whole pad is made small.
        off: units that are switched off, by the name of their layer.
    """

    strokes: Strokes
    run: str = Field("", max_length=64)
    pen: float = Field(22.0, gt=0, le=PAPER)
    centre: bool = True
    off: dict[Layer, Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=4096)]] = Field(default_factory=dict, max_length=64)


def models(asked: Asked) -> dict[str, Any]:
    """Which runs can be asked, the default first."""
    return {"runs": choices(), "chosen": asked.lab.run}


async def answer(asked: Asked) -> Any:
    """What a network says of a drawing, while it is being drawn."""
    return await _TOGETHER.ask(asked)


def answered(asked: Asked, drawing: Drawing) -> dict[str, Any]:
    """What a network says of a drawing, with the pixels that it got."""
    return _answered(_question(asked, drawing))


@dataclass(frozen=True)
class Question:
    """A drawing as a network takes it.

    Attributes:
        chosen: who is asked.
        image: `uint8` C,H,W.
        doubt: why no answer should be trusted.
        off: units that are switched off.
        start: when it came, in seconds of `time.perf_counter`.
    """

    chosen: Ready
    image: NDArray[np.uint8]
    doubt: str
    off: Off
    start: float


def _question(asked: Asked, drawing: Drawing | None = None) -> Question:
    start, drawing = time.perf_counter(), drawing or asked.read(Drawing)
    chosen = chosen_by(asked, drawing.run)
    image, seen = prepared(chosen, drawing)
    return Question(chosen, image, _doubt(image, seen), drawing.off, start)


def _answer_all(asked: Sequence[Asked]) -> list[Any]:
    """The answers to many; those that ask the same network are one batch."""
    questions = [_or_error(_question, one) for one in asked]
    answers = dict(enumerate(questions))  # an error is its own answer
    for places in _alike(questions):
        answers.update(zip(places, _answers([questions[place] for place in places]), strict=True))
    return [*answers.values()]


def _answers(alike: Sequence[Question]) -> list[Any]:
    """Those of one network to several questions, or its error as often."""
    try:
        return [_said(question, row) for question, row in zip(alike, _shares(alike), strict=True)]
    except Exception as error:
        return [error] * len(alike)


_TOGETHER = Together(_answer_all, _MOST_AT_ONCE)


def _or_error(function: Callable[[Any], Any], value: Any) -> Any:
    try:
        return function(value)
    except Exception as error:
        return error


def _alike(questions: Sequence[Any]) -> list[list[int]]:
    """The places of those that can be one batch; none of errors."""
    groups: dict[object, list[int]] = {}
    for place, one in enumerate(questions):
        if isinstance(one, Question):
            groups.setdefault((id(one.chosen), str(one.off)), []).append(place)
    return list(groups.values())


def _shares(alike: Sequence[Question]) -> list[list[float]]:
    """The probabilities of each; nothing where there is too little ink to judge."""
    chosen, off = alike[0].chosen, alike[0].off
    judged = [place for place, one in enumerate(alike) if one.doubt != TOO_LITTLE]
    shares: list[list[float]] = [[] for _ in alike]
    if judged:
        images = torch.from_numpy(np.stack([alike[place].image for place in judged]))
        with chosen.answering.use(off) as model, settled(_CPU, 1):  # for so little, more threads only wait for each other
            found = predict_logits(model, images).softmax(1).tolist()
        for place, row in zip(judged, found, strict=True):
            shares[place] = row
    return shares


def _answered(question: Question) -> dict[str, Any]:
    return _said(question, _shares([question])[0])


def _said(question: Question, shares: Sequence[float]) -> dict[str, Any]:
    classes, order = question.chosen.run.about.classes, np.argsort(shares)[::-1][:2].tolist()
    return {
        "run": question.chosen.run.name,
        "label": classes[order[0]] if order else "",
        "second": classes[order[1]] if order else "",
        "probabilities": dict(zip(classes, shares, strict=False)),
        "doubt": question.doubt,
        "several": question.doubt == TOO_MANY,
        "image": as_pixels(question.image[0]),
        "ms": round((time.perf_counter() - question.start) * 1e3, 2),
    }


def inside(asked: Asked) -> dict[str, Any]:
    """What each layer makes of a drawing, on which pixels the answer hangs, and the way from the strokes to the network."""
    drawing = asked.read(Drawing)
    chosen = chosen_by(asked, drawing.run)
    image, seen = prepared(chosen, drawing)
    return _inside(chosen, image, seen, drawing.off)


def photo(asked: Asked) -> dict[str, Any]:
    """What a network says of a photo of a digit, and what goes on inside."""
    start, chosen = time.perf_counter(), chosen_by(asked, asked.query.get("run", ""))
    seen = normalize(asked.body)
    question = Question(chosen, chosen.preparation.fitted(seen), seen.doubt, {}, start)
    return {**_answered(question), "inside": _inside(chosen, question.image, seen)}


def chosen_by(asked: Asked, name: str) -> Ready:
    """The run of that name, or the lab's own if it is empty."""
    return ready(name or asked.lab.run)


def prepared(chosen: Ready, drawing: Drawing) -> tuple[NDArray[np.uint8], Normalized | None]:
    """The drawing as the network takes it, C,H,W; and how it was found, unless it was to be left where it is."""
    if drawing.centre:
        seen = normalize(drawing.strokes)
        return chosen.preparation.fitted(seen), seen
    channels, height, width = chosen.preparation.image_shape
    if height != width:
        raise UsageError("A drawing is square, and this network's images are not.")
    return np.repeat(shrunk(drawing.strokes, PAPER, drawing.pen, height)[None], channels, axis=0), None


def _doubt(image: NDArray[np.uint8], seen: Normalized | None) -> str:
    return seen.doubt if seen else "" if image.any() else TOO_LITTLE


def _inside(chosen: Ready, image: NDArray[np.uint8], seen: Normalized | None, off: Off | None = None) -> dict[str, Any]:
    given = torch.from_numpy(image)
    with chosen.inside.use(off or {}) as model:
        found, why = explain.activations(model, given), _why(model, given)
    layers = [{"name": name, "kind": found.kinds[name], **_tiles(values[0])} for name, values in found.layers.items()]
    stages = [(stage.name, stage.said, stage.picture) for stage in seen.stages] if seen else []
    return {
        "image": as_pixels(image[0]),
        "layers": layers,
        "why": {"method": why.method, "label": chosen.run.about.classes[int(why.targets[0])], "map": as_pixels(_as_bytes(why.maps[0]))},
        "stages": [{"name": name, "said": said, "picture": as_address(picture)} for name, said, picture in stages],
    }


def _why(model: nn.Module, image: torch.Tensor) -> explain.Attribution:
    """The heat map: where the last maps of a convolution speak for the answer; where none does, which pixels move it."""
    try:
        found = explain.gradcam(model, image)
    except UsageError:  # a network without convolutions
        found = explain.saliency(model, image)
    if not found.maps.any():  # nothing in the last maps speaks for it: it wins because the others are spoken against
        found = explain.saliency(model, image)
    return found


def _tiles(values: NDArray[np.float32]) -> dict[str, Any]:
    """A layer's maps, or its units as one row, as bytes from the lowest value (0) to the highest (255)."""
    maps = values[:_MOST_TILES] if values.ndim == 3 else values.reshape(1, 1, -1)
    shown = {"count": len(values), "low": float(values.min()), "high": float(values.max())}
    return {**shown, "maps": [as_pixels(tile) for tile in _as_bytes(maps)]}


def _as_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    return np.round((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
