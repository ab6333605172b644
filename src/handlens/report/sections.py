"""The sections of a report about what was learned, each with a sentence or two on what one sees."""

from __future__ import annotations

import numpy as np

from handlens import plots
from handlens.analysis import Calibrated
from handlens.config import OWN
from handlens.evaluation import Evaluation, Selection
from handlens.models import Layer
from handlens.plots.style import percent
from handlens.report.facts import UNITS, Facts
from handlens.report.markup import Chart, Section, Tile, chart, data_uri, paragraph, section, table, text, tiles
from handlens.words import counted

Charts = dict[str, Chart]


def in_one_sentence(facts: Facts) -> str:
    """What was trained, on what, for how long."""
    run, layers = facts.run, facts.layers
    deep, parameters = _that_learn(layers), sum(layer.parameters for layer in layers)
    network = f"A network with {counted(parameters, 'parameter')} in {counted(deep, 'layer')}" if layers else "A network"
    epochs = len(run.rows)
    time_s = sum(row.get("time_s", 0.0) for row in run.rows)
    classes = counted(len(facts.dataset.classes), "class", "classes") if facts.dataset else "classes"
    data = run.config.data.removeprefix(OWN)
    images = f"{counted(len(facts.learned_from), 'image')} of {data}" if facts.learned_from else f"the images of {data}"
    if not epochs:
        return f"{network}, to learn {classes} from {images}; no epoch is done yet."
    device = f" on {run.env['device']}" if run.env.get("device") else ""
    return f"{network} learned {classes} from {images}, each seen {_times(epochs)}, in {time_s:.3g} s{device}.{_which_weights(facts)}"


def _that_learn(layers: list[Layer]) -> int:
    return sum(layer.parameters > 0 for layer in layers)


def _times(epochs: int) -> str:
    return {1: "once", 2: "twice"}.get(epochs, f"{epochs} times")


def _which_weights(facts: Facts) -> str:
    used, best = facts.run.pointer.pick(facts.run.default_checkpoint), facts.run.pointer.best
    if facts.model is None or used is None:
        return ""
    if facts.run.default_checkpoint == "best":
        kind = "the one with the lowest validation loss"
    else:
        kind = "the last" + (f"; the validation loss was lowest after epoch {best.epoch}" if best and best.epoch < used.epoch else "")
    return f" The results below are those of the weights after epoch {used.epoch}, {kind}."


def layers_section(facts: Facts, _charts: Charts) -> Section | None:
    """The layer table."""
    if not facts.layers:
        return None
    deep = _that_learn(facts.layers)
    rows = [(layer.name, layer.kind, "×".join(map(str, layer.output_shape)), f"{layer.parameters:,}") for layer in facts.layers]
    rows.append(("all", "", "", f"{sum(layer.parameters for layer in facts.layers):,}"))
    words = (
        "An image passes through these steps from top to bottom; the last one gives one score for each class, and the highest score "
        f"is the answer. Training changes the parameters, which are weights and biases; {deep} of the {len(facts.layers)} steps "
        f"{'has' if deep == 1 else 'have'} any, counted as layers above. A step without any, such as ReLU, always does the same."
    )
    heads = ("step", "what it is", "output for one image", "parameters")
    return section("layers", "The network", paragraph(words), table("From image to scores", heads, rows, numbers=(3,)))


def samples_section(facts: Facts, _charts: Charts) -> Section | None:
    """Some training images."""
    images, names = facts.samples
    if not names:
        return None
    words = "Some of the images that it learned from, each with its label. Would you have given the same answers?"
    shown = [Tile(_png(image), f"Training image, labelled {name}", (name,)) for image, name in zip(images, names, strict=True)]
    return section("samples", "Sample images", paragraph(words), tiles(shown, "samples"))


def _png(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    return plots.image_png(np.ascontiguousarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)))


def curves_section(facts: Facts, charts: Charts) -> Section | None:
    """Loss and accuracy by epoch."""
    rows = facts.run.rows
    words = (
        "The loss says how far off the probabilities are; 0 would be sure and right. The accuracy counts right answers. The solid line is "
        "measured on the training images, over the whole epoch, while the network was still changing"
    )
    if any("val_loss" in row for row in rows):
        words += (
            "; the dashed line at the end of the epoch, on validation images that it does not learn from. Look for the epoch where the "
            "dashed line stops getting better while the solid one goes on: from there the network learns its images by heart (overfitting)."
        )
    else:
        words += ". No images were kept apart to check it on the way, so overfitting cannot be seen here."
    return section("curves", "Training curves", paragraph(words), chart(charts["curves"], "Training curves", _curves_alt(facts)))


def _curves_alt(facts: Facts) -> str:
    rows = facts.run.rows
    if not rows:
        return "Training curves; no epoch is done yet."
    first, last = rows[0], rows[-1]
    parts = [
        f"{name.replace('_', ' ')} from {first[name]:.3g} to {last[name]:.3g}"
        for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
        if isinstance(first.get(name), float) and isinstance(last.get(name), float)
    ]
    return f"Training curves over {counted(len(rows), 'epoch')}: {'; '.join(parts)}."


def classes_section(facts: Facts, _charts: Charts) -> Section | None:
    """Precision, recall and F1 of each class."""
    evaluation = facts.evaluation
    if evaluation is None:
        return None
    scores = list(zip(evaluation.classes, evaluation.per_class, strict=True))
    name, weakest = min(scores, key=lambda pair: pair[1].f1)
    words = (
        "Precision: of the images that were called this class, the share that is it. Recall: of the images that are this class, the "
        "share that was found. F1 is low when either of them is."
    )
    if weakest.f1 < 1:
        found, right = share(weakest.recall, 1), share(weakest.precision, 1)
        words += f" The weakest class here is {name}: {found} of them were found, and {right} of what was called {name} was right."
    rows = [(name, share(one.precision, 2), share(one.recall, 2), f"{one.f1:.4f}", f"{one.support:,}") for name, one in scores]
    heads = ("class", "precision", "recall", "F1", "images")
    return section("classes", "Class by class", paragraph(words), table("Scores on the test images", heads, rows, numbers=(1, 2, 3, 4)))


def confusion_section(facts: Facts, charts: Charts) -> Section | None:
    """What was taken for what."""
    evaluation = facts.evaluation
    if evaluation is None:
        return None
    pairs = evaluation.most_confused(5)
    words = (
        "Each row is a true class, each column an answer. The grey diagonal holds the right answers; every other number is a mistake, "
        "and the stronger its colour, the larger its share of the row. Look for strong colours, and whether they come in pairs."
    )
    alt = f"Confusion matrix of {counted(len(evaluation.classes), 'class', 'classes')}. "
    alt += "; ".join(f"{pair.true} taken for {pair.predicted} {counted(pair.count, 'time')}" for pair in pairs) or "No mistakes."
    parts = [paragraph(words), chart(charts["confusion_matrix"], "Confusion matrix", alt)]
    if pairs:
        support = dict(zip(evaluation.classes, (score.support for score in evaluation.per_class), strict=True))
        rows = [(pair.true, pair.predicted, f"{pair.count:,}", share(pair.count / support[pair.true], 1)) for pair in pairs]
        heads = ("true class", "taken for", "times", "share of the true class")
        parts.append(table("Most confused pairs", heads, rows, numbers=(2, 3)))
    return section("confusion", "What is taken for what", *parts)


def predictions_section(facts: Facts, _charts: Charts) -> Section | None:
    """Single test images, right or wrong."""
    if facts.predictions is None:
        return None
    words = (
        f"The first {counted(len(facts.predictions), 'test image')}, not chosen. Below each stands the network's answer, with a tick "
        "if it is right and a cross if it is wrong; how sure it is of it; and what the image is."
    )
    return section("predictions", "Single predictions", paragraph(words), tiles(_judged(facts.predictions)))


def mistakes_section(facts: Facts, _charts: Charts) -> Section | None:
    """The worst mistakes."""
    worst = facts.mistakes
    if worst is None:
        return None
    if not len(worst):
        return section("mistakes", "The worst mistakes", paragraph("There are none: every test image was right."))
    words = (
        f"{f'The {len(worst)} mistakes' if len(worst) > 1 else 'The mistake'} with the highest loss. The loss says how little probability "
        "the network gave to the true class: 2.3 stands for 10 %, 4.6 for 1 %, 6.9 for 0.1 %. Some of these images are hard for people "
        "too, and sometimes it is the label that is wrong."
    )
    return section("mistakes", "The worst mistakes", paragraph(words), tiles(_judged(worst, losses=True)))


def _judged(chosen: Selection, *, losses: bool = False) -> list[Tile]:
    made = []
    columns = (chosen.indices, chosen.images, chosen.true, chosen.predicted, chosen.probabilities, chosen.losses)
    for index, image, true, predicted, probability, loss in zip(*columns, strict=True):
        lines = [predicted, f"{percent(probability)} sure", f"true: {true}", *([f"loss {loss:.2f}"] if losses else [])]
        made.append(Tile(_png(image), f"Test image {index}", lines, true == predicted))
    return made


def weights_section(facts: Facts, _charts: Charts) -> Section | None:
    """The first layer's weights as pictures."""
    weights = facts.weights
    if weights is None:
        return None
    limit, names = plots.signed_limit(weights[:UNITS]), facts.weight_names or []
    words = (
        f"{_one_picture(weights.shape, facts.run.about.image_shape, bool(names))} Where it is orange, a bright pixel raises that sum; "
        "where blue, it lowers it; white leaves it as it is. Look for strokes and edges among the noise: a network starts with nothing "
        "but noise, and the forms are what it has learned. All pictures share one scale: a pale one has small weights, often still those "
        "of the start, so its sum depends little on the image."
    )
    if len(weights) > UNITS:
        words += f" These are the first {UNITS} of {len(weights)}."
    shown = [
        Tile(plots.weights_png(unit, limit), f"Weights of {names[place]}" if names else "", (names[place],) if names else ())
        for place, unit in enumerate(weights[:UNITS])
    ]
    scale = data_uri(plots.weights_png(np.linspace(-1, 1, 201)[None, None], 1.0))
    legend = f'<p class="scale">−{limit:.2g} <img src="{scale}" alt="from blue over white to orange"> +{limit:.2g}</p>'
    kind = "classes" if names or weights.shape[1] > 1 else "units"
    return section("weights", "What the first layer looks for", paragraph(words), legend, tiles(shown, kind))


def _one_picture(shape: tuple[int, ...], image_shape: tuple[int, ...], named: bool) -> str:
    """What each picture of weights is."""
    channels = f", its {shape[1]} channels side by side" if shape[1] > 1 else ""
    if shape[2:] == image_shape[1:]:
        what = "class: its score is the sum" if named else "unit of the first layer: its value is the sum"
        return f"Each picture is one {what} of all pixels, each times the weight shown at its place{channels}."
    return f"Each picture is one filter{channels}: laid over every place of the image, it gives the sum of the pixels times these weights."


def calibration_section(facts: Facts, charts: Charts) -> Section | None:
    """Whether the probabilities can be believed."""
    if facts.evaluation is None:
        return None
    words = (
        "When the network is 80 % sure, is it right in 80 of 100 cases? Points on the dashed line say yes; below it the network is too "
        "sure of itself, above it not sure enough. Hollow points stand for so few images that they are mostly luck; the bars below show "
        f"how many. The calibration error (ECE), {share(facts.evaluation.ece, 2)}, is the mean distance from the line over all images."
    )
    alt = f"Calibration diagram: expected calibration error {share(facts.evaluation.ece, 2)}."
    parts = [paragraph(words), chart(charts["calibration"], "Calibration diagram", alt)]
    if facts.calibrated:
        parts += _when_to_answer(facts.calibrated)
    return section("calibration", "Can its probabilities be believed?", *parts)


def _when_to_answer(found: Calibrated) -> list[str]:
    """What a temperature changes, and what comes of answering only when sure."""
    words = (
        f"Dividing the scores by a temperature of {found.temperature:.2f}, found on the validation images, takes the calibration error on "
        f"the test images from {share(found.before.ece, 2)} to {share(found.after.ece, 2)}, and changes no answer. "
        f"{found.warning}"
    ).strip()
    if not found.answering:
        return [paragraph(words)]
    words += ' It may also say "I don\'t know" where it is not sure; how sure it must be was again chosen on the validation images.'
    heads = ("wanted accuracy", "answers if surer than", "test images answered", "of these right")
    rows = [
        (share(one.wanted, 1), share(one.threshold, 1), share(one.answered, 1), "" if one.accuracy is None else share(one.accuracy, 2))
        for one in found.answering
    ]
    return [paragraph(words), table("Answering only when sure", heads, rows, numbers=(0, 1, 2, 3))]


def share(value: float, digits: int) -> str:
    """A share of 1 as percent."""
    return f"{value * 100:.{digits}f} %"


def key_figures(evaluation: Evaluation) -> str:
    """The numbers that matter, large."""
    low, high = evaluation.interval
    wrong = evaluation.n - int(evaluation.correct.sum())
    figures = (
        (share(evaluation.accuracy, 2), "test accuracy: the share of test images that it gets right"),
        (f"{low * 100:.2f} to {share(high, 2)}", "95 % interval of that accuracy"),
        (f"{wrong:,} of {evaluation.n:,}", "test images wrong"),
    )
    words = (
        "The test images were kept away from the training, so this is what to expect on new images of the same kind. Other images "
        "would give a slightly different number; the interval is made so that it holds the accuracy on all such images in 95 of 100 cases."
    )
    items = "".join(f"<div><dt>{text(what)}</dt><dd>{text(number)}</dd></div>" for number, what in figures)
    return f'<dl class="key">{items}</dl>{paragraph(words, "small")}'
