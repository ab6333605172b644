"""What each `--what` of `handlens explain` answers: rows for a table, sentences, and a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from handlens import explain
from handlens.data import Split
from handlens.errors import UsageError, nearest
from handlens.explain.attribution import Attribution, last_maps
from handlens.runs import Run
from handlens.words import counted

_WITH_IMAGE = ("activations", "features", "saliency", "integrated-gradients", "gradcam", "occlusion")
_WITH_LAYER = ("filters", "features", "gradcam")
_WITH_CLASS = _WITH_IMAGE[2:]
_MOST_CLASSES = 20
_TSNE_IMAGES = 500


@dataclass(frozen=True)
class Answer:
    """Rows of equal keys for a table and for JSON, what else there is to say, and the picture."""

    figure: Figure
    rows: list[dict[str, Any]]
    remarks: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Question:
    """What was asked on the command line.

    Raises:
        UsageError: an image, layer or class was given where none is looked at.
    """

    run: Run
    what: str
    image: str | None = None
    layer: str | None = None
    on: str = "test"
    target: str | None = None
    method: str = "tsne"

    def __post_init__(self) -> None:
        given = (("an IMAGE", self.image, _WITH_IMAGE), ("--layer", self.layer, _WITH_LAYER), ("--class", self.target, _WITH_CLASS))
        for name, value, whats in given:
            if value is not None and self.what not in whats:
                raise UsageError(f"{self.what} does not look at {name}.", hint=f"It is for --what {', '.join(whats)}.")

    @cached_property
    def split(self) -> Split:
        """The images to choose from."""
        return self.run.split(self.on)

    @cached_property
    def indices(self) -> NDArray[np.int64]:
        """The places in the split of the images that are looked at; none for a picture file."""
        if self.image is not None:
            return np.array([_index(self.image, self.split)] if self.image.isdecimal() else [], dtype=np.int64)
        if self.what in ("activations", "features"):
            return self.run.evaluate(self.on).top_losses(1).indices
        labels = self.split.labels.cpu().numpy()
        firsts = [np.flatnonzero(labels == label)[:1] for label in range(len(self.split.classes))]
        return np.concatenate(firsts)[:_MOST_CLASSES]

    @cached_property
    def images(self) -> torch.Tensor:
        """`uint8` N,C,H,W."""
        if self.image is not None and not self.image.isdecimal():
            return torch.from_numpy(explain.read_picture(Path(self.image), self.split.image_shape).copy())[None]
        return self.split.images[self.indices]

    @property
    def labels(self) -> list[int] | None:
        """What the images are; None if nobody knows."""
        return self.split.labels[self.indices].tolist() if len(self.indices) else None

    @property
    def chosen(self) -> list[str]:
        """Which images were taken where none was given, in a sentence."""
        if self.image is not None:
            return []
        if self.what in ("activations", "features"):
            return [f"No image was given: this is {self.on} image {self.indices[0]}, which it is most wrong about."]
        return [f"No image was given: these are the first {self.on} images of each class."]

    @property
    def names(self) -> list[str]:
        """What the images are called."""
        return [f"{self.on} {index}" for index in self.indices] or [str(self.image)]

    @property
    def class_number(self) -> int | None:
        """The class that is asked about."""
        if self.target is None:
            return None
        if self.target not in self.split.classes:
            raise UsageError(f"There is no class '{self.target}'.", hint=nearest(self.target, self.split.classes))
        return self.split.classes.index(self.target)


def _index(image: str, split: Split) -> int:
    if len(image) > 9 or int(image) >= len(split):
        raise UsageError(f"There is no {split.name} image {image[:20]}.", hint=f"They are 0 to {len(split) - 1}.")
    return int(image)


def default_what(run: Run) -> str:
    """Grad-CAM, or saliency where there is no convolution."""
    try:
        last_maps(run.model(), torch.zeros(1, *run.about.image_shape))
    except UsageError:
        return "saliency"
    return "gradcam"


def _weights(question: Question) -> Answer:
    found = explain.weights(question.run) if question.what == "weights" else explain.filters(question.run, question.layer)
    norms = np.sqrt((found.values.astype(float) ** 2).sum(axis=(1, 2, 3)))
    largest = np.argsort(-norms, kind="stable")[:10].tolist()
    rows = [
        {"picture": place, "norm": float(norms[place]), "lowest": float(values.min()), "highest": float(values.max())}
        for place in largest
        for values in (found.values[place],)
    ]
    words = f"Layer {found.layer}: {counted(len(norms), 'picture')} of {'x'.join(map(str, found.values.shape[1:]))}; "
    words += "above, those with the largest norm."
    facts = {"layer": found.layer, "shape": list(found.values.shape), "input_channels": found.input_channels}
    return Answer(found.show(), rows, [words], facts)


def _activations(question: Question) -> Answer:
    found = explain.activations(question.run, question.images)
    layer = (question.layer or found.first_map) if question.what == "features" else ""
    shown = {layer: found.of(layer)} if layer else found.layers
    rows = [{"layer": name, "kind": found.kinds[name], "shape": list(values.shape[1:]), **_range(values)} for name, values in shown.items()]
    facts = {"images": question.names, **({"layer": layer} if layer else {})}
    return Answer(found.show_features(layer) if layer else found.show(), rows, question.chosen, facts)


def _range(values: NDArray[Any]) -> dict[str, float]:
    numbers = {"lowest": values.min(), "mean": values.mean(), "highest": values.max(), "zero": (values == 0).mean()}
    return {name: float(number) for name, number in numbers.items()}


def _attribution(question: Question) -> Answer:
    arguments: dict[str, Any] = {"layer": question.layer} if question.what == "gradcam" else {}
    ask: Callable[..., Attribution] = getattr(explain, question.what.replace("-", "_"))
    found, classes = ask(question.run, question.images, question.class_number, **arguments), question.split.classes
    rows = [_attribution_row(question, found, place) for place in range(len(found.maps))]
    facts = {"shape": list(found.maps.shape), **({"layer": found.layer} if found.layer else {})}
    words = [*question.chosen, *([f"Layer {found.layer}."] if found.layer else [])]
    empty = [question.names[place] for place in np.flatnonzero(found.maps.max(axis=(1, 2)) <= 0)]
    words += [f"Nothing speaks for the class in {', '.join(empty)}."] if empty else []
    return Answer(found.show(classes, question.labels), rows, words, facts)


def _attribution_row(question: Question, found: Attribution, place: int) -> dict[str, Any]:
    classes, heat = question.split.classes, found.maps[place]
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    return {
        "image": question.names[place],
        "true": classes[question.labels[place]] if question.labels else None,
        "predicted": classes[int(found.predictions[place])],
        "probability": float(found.probabilities[place]),
        "asked": classes[int(found.targets[place])],
        "sum": float(heat.sum()),
        "highest": float(heat.max()),
        "at": f"row {row}, column {column}",
    }


def _embedding(question: Question) -> Answer:
    found = explain.embedding(question.run, question.split, question.method, count=1000 if question.method == "pca" else _TSNE_IMAGES)
    wrong = found.labels != found.predictions
    rows = [
        {"class": name, "images": int(mine.sum()), "wrong": int((mine & wrong).sum()), **_centre(found.points[mine])}
        for number, name in enumerate(found.classes)
        for mine in (found.labels == number,)
    ]
    words = (
        f"The first {counted(len(found.points), f'{question.on} image')} by what goes into {found.layer}: {found.axes[0]}, {found.axes[1]}."
    )
    return Answer(found.show(), rows, [words], {"method": found.method, "layer": found.layer, "points": found.points.tolist()})


def _centre(points: NDArray[np.float64]) -> dict[str, float | None]:
    across, up = points.mean(axis=0).tolist() if len(points) else (None, None)
    return {"x": across, "y": up}


def _health(question: Question) -> Answer:
    found = explain.health(question.run, question.split)
    return Answer(found.show(), found.rows(), found.findings, {"images": found.images, "batch": found.batch})


def _graph(question: Question) -> Answer:
    found = explain.graph(question.run)
    rows = [
        {
            "box": place,
            "layer": " · ".join([box.title, *box.more]),
            "shape": list(box.shape),
            "parameters": box.parameters,
            "after": ", ".join(map(str, box.inputs)).replace("-1", "image"),
        }
        for place, box in enumerate(found.boxes)
    ]
    folded = [f"Boxes {block.first} to {block.end - 1} come {block.times} times." for block in found.blocks if block.times > 1]
    return Answer(found.show(), rows, folded, {"image_shape": list(found.image_shape)})


EXPLANATIONS: dict[str, Callable[[Question], Answer]] = {
    **dict.fromkeys(("weights", "filters"), _weights),
    **dict.fromkeys(("activations", "features"), _activations),
    **dict.fromkeys(("saliency", "integrated-gradients", "gradcam", "occlusion"), _attribution),
    "embedding": _embedding,
    "health": _health,
    "graph": _graph,
}
