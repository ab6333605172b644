"""The figures of the course's slides, made by the code that the slides are about. `python tools/course.py figures` writes them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

import handlens as hl
from handlens import plots, regression
from handlens.data.drawing import normalize
from handlens.plots.tiles import Tile, mosaic

Figures = Iterator[tuple[str, Figure]]


def line(_few: dict[str, Any]) -> Figures:
    points = regression.make_points()
    fits = list(regression.fit_line(points))
    shown = [(fits[epoch].epoch, fits[epoch].weights[0], fits[epoch].bias) for epoch in (0, 2, 10, -1)]
    yield "line", plots.plot_line_fit(points.features[:, 0].numpy(), points.targets[:, 0].numpy(), shown)


def samples(_few: dict[str, Any]) -> Figures:
    for name in ("mnist", "fashion-mnist"):
        split = hl.load(name).train
        titles = [split.classes[label] for label in split.labels[:10].tolist()]
        yield f"samples-{name}", plots.plot_samples(split.images[:10].numpy(), titles)


def session(few: dict[str, Any]) -> Figures:
    run = hl.fit("mlp", epochs=5, name="session", quiet=True, **few)
    evaluation = run.evaluate("test")
    yield "curves", run.plot()
    yield "weights", plots.plot_weights(hl.explain.weights(run).values[:16])
    yield "confusion", evaluation.plot_confusion_matrix()
    yield "mistakes", evaluation.top_losses(10).show()
    yield "network", hl.explain.graph(run).show()


def rates(few: dict[str, Any]) -> Figures:
    runs = {f"lr {lr}": hl.fit("mlp", epochs=3, lr=lr, name=f"lr-{lr}", quiet=True, **few) for lr in (0.1, 0.01, 0.001, 0.0001)}
    yield "rates", plots.plot_compare({name: run.rows for name, run in runs.items()}, "val_accuracy")


def overfitting(few: dict[str, Any]) -> Figures:
    knobs = {**few, "examples": min(1000, few.get("examples", 1000)), "epochs": 30, "quiet": True}
    yield "overfitting", hl.fit("mlp", name="few", **knobs).plot()


def cnn(few: dict[str, Any]) -> Figures:
    run = hl.fit("cnn", channels=(8, 16), epochs=2, name="cnn", quiet=True, **few)
    seven = hl.load("mnist").test.images[0]
    yield "filters", hl.explain.filters(run).show()
    seen = hl.explain.activations(run, seven)
    yield "features", seen.show_features(seen.first_map)


def photo(_few: dict[str, Any]) -> Figures:
    """A seven on paper, photographed a little askew, on its way to 28x28."""
    sheet = Image.new("L", (180, 140), 205)
    sheet.paste(40, (70, 30), Image.fromarray(hl.load("mnist").test.images[0, 0].numpy()).resize((84, 84)))
    shot = np.asarray(sheet.rotate(4, fillcolor=205).filter(ImageFilter.GaussianBlur(0.8)))
    stage = {one.name: one.picture for one in normalize(shot).stages}
    steps = {
        "the photo": shot,
        "light on dark": stage["ink"],
        "cut out": stage["box"],
        "as thick as MNIST's": stage["strokes"],
        "centred": stage["centred"],
    }
    yield "photo", mosaic([Tile(square(pixels) / 255, (name,)) for name, pixels in steps.items()], "From a photo to 28x28", plots.LIGHT)


def square(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture in the middle of a square one of 112x112, with nothing but itself made larger or smaller."""
    picture = ImageOps.pad(Image.fromarray(pixels).convert("L"), (112, 112), color=128, method=Image.Resampling.NEAREST)
    return np.asarray(picture)


MAKERS: tuple[Callable[[dict[str, Any]], Figures], ...] = (line, samples, session, rates, overfitting, cnn, photo)


def figures(**few: Any) -> Figures:
    """Each figure with its name. `few` are knobs of the trainings: `examples=300` makes them quick."""
    for make in MAKERS:
        yield from make(few)
