"""The routes of Errors: where a run is wrong, how sure it was, why, and what happens when the images change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from handlens import analysis, explain, files
from handlens.data import mine
from handlens.errors import UsageError
from handlens.evaluation import Evaluation
from handlens.runs import Doubt, load_doubts, save_doubt, take_back_doubt
from handlens.web.asked import Asked, Body
from handlens.web.measured import Measured, measured
from handlens.web.pictures import as_levels, as_png

METHODS = ("gradcam", "saliency", "integrated-gradients", "occlusion")
CHANGED = 1000
_AT_ONCE = 24
_MAPPED = {"pca": 1000, "tsne": 500}


class Mark(Body):
    """Whether the label of an image looks wrong."""

    on: str = Field(max_length=64)
    index: int = Field(ge=0, le=10**9)
    wrong: bool


def choices(_asked: Asked) -> dict[str, Any]:
    """What can be chosen beside a run: ways to explain, and changes of images with the strengths that are usual."""
    changes = [
        {"name": name, "unit": unit, "none": analysis.UNCHANGED[name], "most": strengths[-1]}
        for name, (_change, strengths, unit) in analysis.CHANGES.items()
    ]
    return {"methods": METHODS, "changes": changes, "own_digits": len(mine.digits())}


def overview(asked: Asked) -> dict[str, Any]:
    """How many are right, the confusion matrix, each class, and how far the probabilities can be believed."""
    found = _measured(asked)
    evaluation = found.evaluation
    bins = evaluation.calibration
    return {
        **evaluation.to_dict(),
        "run": found.run.name,
        "classes": evaluation.classes,
        "learned_from": found.run.config.data,
        "ink": found.split.image_shape[0] == 1 and found.run.about.ink,
        "calibration": [
            {"sure": _or_none(sure), "right": _or_none(right), "count": count}
            for sure, right, count in zip(bins.confidence.tolist(), bins.accuracy.tolist(), bins.count.tolist(), strict=True)
        ],
        "doubted": [doubt.index for doubt in _doubts(found)],
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _measured(asked: Asked) -> Measured:
    return measured(asked.path["run"], asked.query.get("on", "test"))


def images(asked: Asked) -> dict[str, Any]:
    """Images by what is asked: the worst mistakes, the least certain, those of a cell of the confusion matrix, those marked."""
    found = _measured(asked)
    places = _places(found, asked.query)
    start = _number(asked.query, "from", 0, 10**9)
    some = found.evaluation.select(places[start : start + _AT_ONCE])
    shown = zip(some.to_dict(), some.images, strict=True)
    return {"all": len(places), "from": start, "images": [{**facts, "picture": as_png(image)} for facts, image in shown]}


def _places(found: Measured, query: Mapping[str, str]) -> NDArray[np.int64]:
    evaluation, which = found.evaluation, query.get("list", "worst")
    if which == "uncertain":
        return evaluation.uncertain(200).indices
    if which == "marked":
        return np.array([doubt.index for doubt in _doubts(found)], dtype=np.int64)
    if which == "cell":
        return _cell(evaluation, query.get("true", ""), query.get("predicted", ""))
    return evaluation.mistakes().indices


def _cell(evaluation: Evaluation, true: str, predicted: str) -> NDArray[np.int64]:
    """Those of a class that were taken for another, worst first; or rightly seen, least sure first."""
    if true != predicted or true not in evaluation.classes:
        return evaluation.confused(true, predicted).indices
    number = evaluation.classes.index(true)
    right = np.flatnonzero((evaluation.labels == number) & evaluation.correct)
    return np.asarray(right[np.argsort(-evaluation.losses[right], kind="stable")], dtype=np.int64)


def why(asked: Asked) -> dict[str, Any]:
    """On which pixels the answer to an image hangs, in one of four ways; Grad-CAM, where there is a convolution, if none is named."""
    found = _measured(asked)
    index = _number(asked.query, "index", 0, found.evaluation.n - 1)
    classes, method = found.evaluation.classes, asked.query.get("method", "")
    target = _class(classes, asked.query.get("class", ""))
    with found.turn:
        made = _explained(found, index, method, target)
    shares = found.evaluation.probabilities[index]
    label = int(found.evaluation.labels[index])
    return {
        "picture": as_png(found.evaluation.images[index]),
        "ink": as_levels(found.evaluation.images[index].mean(axis=0)),
        "map": as_levels(made.maps[0], signed=made.signed),
        "signed": made.signed,
        "method": made.method,
        "layer": made.layer,
        "asked": classes[int(made.targets[0])],
        "true": classes[label],
        "label": classes[int(shares.argmax())],
        "shares": [(classes[place], float(shares[place])) for place in np.argsort(-shares, kind="stable")[:5].tolist()],
        "doubted": index in [doubt.index for doubt in _doubts(found)],
    }


def _explained(found: Measured, index: int, method: str, target: int | None) -> explain.Attribution:
    image = found.split.images[index]
    if not method:
        try:
            return explain.gradcam(found.model, image, target)
        except UsageError:  # no convolution
            return explain.saliency(found.model, image, target)
    if method not in METHODS:
        raise UsageError("An answer is explained in one of these ways: " + ", ".join(METHODS) + ".")
    made: explain.Attribution = getattr(explain, method.replace("-", "_"))(found.model, image, target)
    return made


def _class(classes: tuple[str, ...], name: str) -> int | None:
    if name and name not in classes:
        raise UsageError(f"There is no class '{files.printable(name)}'.", hint=f"They are: {', '.join(classes[:20])}.")
    return classes.index(name) if name else None


def changed(asked: Asked) -> dict[str, Any]:
    """How many of 1,000 images are right when all are turned, moved, blurred by so much; and the first of each class then."""
    found = _measured(asked)
    strengths = {name: _strength(asked.query, name) for name in analysis.CHANGES if name in asked.query}
    with found.turn:
        made = analysis.changed(found.model, found.split, strengths, examples=CHANGED)
    firsts = [np.flatnonzero(made.labels == label)[:1] for label in range(min(12, len(found.evaluation.classes)))]
    classes = found.evaluation.classes
    samples = [
        {"picture": as_png(made.images[place]), "true": classes[made.labels[place]], "said": classes[made.predictions[place]]}
        for place in np.concatenate(firsts).tolist()
    ]
    return {"n": made.n, "correct": made.correct, "accuracy": made.accuracy, "interval": made.interval, "samples": samples}


def _strength(query: Mapping[str, str], name: str) -> float:
    most = max(analysis.UNCHANGED[name], *analysis.CHANGES[name][1])
    least = min(analysis.UNCHANGED[name], *analysis.CHANGES[name][1])
    try:
        value = float(query[name])
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise UsageError(f"{name} goes from {least:g} to {most:g}.")
    return value


def layout(asked: Asked) -> dict[str, Any]:
    """The first images laid out on a plane by what goes into the last layer: what is near is alike to the network."""
    found, method = _measured(asked), asked.query.get("method", "pca")
    if method not in _MAPPED:
        raise UsageError("Images are laid out by pca or by tsne.")
    with found.turn:
        made = explain.embedding(found.model, found.split, method, count=_MAPPED[method])
    low, span = made.points.min(axis=0), np.maximum(np.ptp(made.points, axis=0), 1e-9)
    return {
        "points": np.round((made.points - low) / span, 4).tolist(),
        "labels": made.labels.tolist(),
        "predictions": made.predictions.tolist(),
        "classes": made.classes,
        "axes": made.axes,
        "layer": made.layer,
        "method": method,
    }


def picture(asked: Asked) -> dict[str, Any]:
    """One image, for whoever points at it on the map."""
    found = _measured(asked)
    index = _number(asked.query, "index", 0, found.evaluation.n - 1)
    one = found.evaluation.select(np.array([index]))
    return {**one.to_dict()[0], "picture": as_png(one.images[0])}


def mark(asked: Asked) -> dict[str, Any]:
    """Remember in the run's folder that the label of an image looks wrong, or forget it again. The data stay as they are."""
    wish = asked.read(Mark)
    found = measured(asked.path["run"], wish.on)
    if wish.index >= found.evaluation.n:
        raise UsageError(f"There are only {found.evaluation.n:,} {wish.on} images.")
    one = found.evaluation.select(np.array([wish.index]))
    doubt = Doubt(wish.on, wish.index, _sha256(one.images[0]), one.true[0], one.predicted[0])
    (save_doubt if wish.wrong else take_back_doubt)(found.run, doubt)
    return {"doubted": [doubt.index for doubt in _doubts(found)]}


def _doubts(found: Measured) -> list[Doubt]:
    """Those about these images: one's own digits may have changed since."""
    split, images = found.evaluation.split, found.evaluation.images
    mine = [doubt for doubt in load_doubts(found.run) if doubt.split == split and 0 <= doubt.index < len(images)]
    return [doubt for doubt in mine if _sha256(images[doubt.index]) == doubt.image]


def _sha256(image: NDArray[np.uint8]) -> str:
    return files.sha256(np.ascontiguousarray(image).tobytes())


def _number(query: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = query.get(name, str(least))
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or not least <= int(text) <= most:
        raise UsageError(f"{name} is a number from {least} to {most}.")
    return int(text)
