"""The figures that the tests of plots look at, in the sizes that they have to cope with, and how they look at them."""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from handlens import explain, metrics, models, plots
from handlens.explain import LayerHealth

DIGITS = list(string.digits)
FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
LONG = [f"{letter * 18} {letter}" for letter in "abcdefWWMM"]
RNG = np.random.default_rng(0)


def images(count: int, channels: int = 1, size: int = 8) -> np.ndarray[Any, Any]:
    return RNG.integers(0, 256, size=(count, channels, size, size), dtype=np.uint8)


def rows(epochs: int, *, val: bool = True) -> list[dict[str, float]]:
    made = [{"epoch": n, "train_loss": 2 / n, "train_accuracy": 1 - 0.5 / n, "lr": 1e-3} for n in range(1, epochs + 1)]
    return [{**row, "val_loss": 1 / n, "val_accuracy": 1 - 0.4 / n} for n, row in enumerate(made, 1)] if val else made


def confusion(classes: int, count: int = 2000) -> np.ndarray[Any, Any]:
    labels = RNG.integers(0, classes, count)
    return metrics.confusion_matrix(labels, np.where(RNG.random(count) < 0.8, labels, RNG.integers(0, classes, count)), classes)


def calibration() -> metrics.Calibration:
    probabilities = metrics.probabilities(RNG.normal(size=(500, 10)) * 4)
    return metrics.calibration(probabilities, np.where(RNG.random(500) < 0.7, probabilities.argmax(1), 0))


def judged(count: int, names: list[str]) -> tuple[Any, list[str], list[str], list[float]]:
    true = [names[number % len(names)] for number in range(count)]
    predicted = [names[(number + number % 3) % len(names)] for number in range(count)]
    return images(count), true, predicted, RNG.random(count).tolist()


def inspection(theme: plots.Theme, classes: int, twins: int, channels: int, names: list[str]) -> Figure:
    counts = {split: RNG.integers(0, 900, classes).tolist() for split in ("train", "val", "test")}
    words = [(f"train {number}: {names[0]}", f"test {number}: {names[1]}") for number in range(twins)]
    pairs = images(2 * twins, channels).reshape(twins, 2, channels, 8, 8)
    return plots.plot_inspection(names[:classes], counts, images(classes, channels), pairs, words, theme=theme)


GRAPHS: dict[str, Any] = {
    "softmax": models.SoftmaxRegression,
    "mlp": lambda: models.MLP((32,) * 9),
    "cnn": lambda: models.CNN(batch_norm=True, dropout=0.5),
    "resnet 8": lambda: models.ResNet(8),
    "resnet 56": lambda: models.ResNet(56),
    "resnet wide": lambda: models.ResNet(14, width=256, in_channels=3, image_size=64, num_classes=1000),
}


def drawn_graph(model: Any, theme: plots.Theme) -> Any:
    size = model.options["image_size"]
    return explain.graph(model, (model.options["in_channels"], size, size)).show(theme)


def attributions(count: int, method: str, names: list[str], theme: plots.Theme) -> Any:
    lines = [(f"{names[number % len(names)]} (99.99 %)", f"true: {names[-number % len(names)]}", "asked: why 3") for number in range(count)]
    maps = np.abs(RNG.normal(size=(count, 8, 8)))
    return plots.plot_attributions(images(count) / 255, maps, lines, [number % 3 > 0 for number in range(count)], method, theme)


def embedding(classes: int, count: int, theme: plots.Theme) -> Any:
    labels = RNG.integers(0, classes, count)
    names = (FASHION if classes <= 10 else [f"class {number}" for number in range(classes)])[:classes]
    said = np.where(RNG.random(count) < 0.9, labels, 0)
    return plots.plot_embedding(RNG.normal(size=(count, 2)), labels, said, names, ("component 1 (25 % of the variance)", "2"), theme)


def health(layers: int, theme: plots.Theme) -> Any:
    counts = RNG.integers(0, 90, 41)
    some = [LayerHealth(f"layers.{n}.convolutions.{n}", counts, counts, 0.35, 1e-5 * n, 0.1, 0.1) for n in range(layers)]
    return plots.plot_health(some, [(f"layers.{n}.activation", n / layers, 64) for n in range(layers)], 1000, theme=theme)


def image_rows(count: int, names: list[str]) -> list[plots.ImageRow]:
    pairs = [f"{true} taken for {guess}" for true, guess in itertools.pairwise([*names, *names])]
    return [plots.ImageRow(pairs[place], f"{place} mistakes", images(9), pairs[:9]) for place in range(count)]


def panels(count: int) -> list[plots.Panel]:
    names = ["-44.4 to -10.2 °", "-10.2 to 1.2 °", "1.2 to 8.6 °", "8.6 to 17.5 °", "17.5 to 47.2 °"]
    scores = [0.3, 0.6, 0.9, 0.95, 0.99]
    intervals = [(score - 0.02, min(score + 0.02, 1.0)) for score in scores]
    return [plots.Panel(f"change {number} (degrees)", names, scores, intervals, images(5)) for number in range(count)]


def way_in(count: int, size: tuple[int, int]) -> list[tuple[str, str, Any]]:
    said = "what belongs to the digit and not to the paper or to its lines"
    return [(f"step {number}", said, RNG.integers(0, 256, size, dtype=np.uint8)) for number in range(count)]


def prediction(theme: plots.Theme, count: int, size: tuple[int, int]) -> Figure:
    shares = RNG.dirichlet(np.ones(10))
    return plots.plot_prediction(way_in(count, size), dict(zip(FASHION, shares, strict=True)), theme=theme)


def coverage() -> tuple[Any, Any]:
    found = metrics.coverage(metrics.probabilities(RNG.normal(size=(500, 10)) * 4), RNG.integers(0, 10, 500))
    return found.share, found.accuracy


def sweeps() -> dict[str, Any]:
    """The figures of sweeps, of few and of many points."""
    made: dict[str, Any] = {}
    for rows_, columns, count in ((2, 2, 1), (4, 4, 4), (3, 8, 3)):
        names = [f"{10.0**-n:g}" for n in range(1, 1 + max(rows_, columns))]
        maps = [plots.HeatMap(f"lr {name}", names[:rows_], names[:columns], RNG.random((rows_, columns))) for name in names[:count]]
        made[f"heat maps {count}"] = lambda theme, m=maps: plots.plot_heat_maps(m, "depth", "width", theme=theme)
    for knobs, values in ((1, 2), (2, 2), (3, 4), (4, 8)):
        levels = {
            f"knob_{n}": [plots.Level(f"{v / 1000:g}", 0.9 + v / 999, 0.89, 0.95) for v in range(1, 1 + values)] for n in range(knobs)
        }
        made[f"effects {knobs}"] = lambda theme, e=levels: plots.plot_effects(e, theme=theme)
        places = {name: RNG.integers(0, values, 20) / (values - 1) for name in levels}
        ticks = {name: [(v / (values - 1), level.label) for v, level in enumerate(some)] for name, some in levels.items()}
        made[f"parallel {knobs}"] = lambda theme, p=places, t=ticks: plots.plot_parallel(p, t, RNG.random(20).tolist(), theme=theme)
    for count in (1, 2, 3, 5):
        ranges = [("rank correlation -0.72", [1e-5, 0.000316, 0.01], True) for n in range(count)]
        some = [
            plots.Cloud(title, "weight_decay", RNG.uniform(1e-5, 1e-2, 20).tolist(), RNG.random(20).tolist(), ends, log)
            for title, ends, log in ranges
        ]
        made[f"ranges {count}"] = lambda theme, s=some: plots.plot_ranges(s, 3, theme=theme)
    for trainings, epochs in ((1, 1), (8, 2), (200, 10)):
        lines = [rows(epochs) for _ in range(trainings)]
        made[f"many curves {trainings}"] = lambda theme, x=lines: plots.plot_many_curves(x, [0], theme=theme)
    return made


def figures() -> dict[str, Any]:
    """Every plot in the sizes it has to cope with, by name; made when called."""
    made: dict[str, Any] = {"calibration": lambda theme: plots.plot_calibration(calibration(), theme=theme)}
    kinds = {"digits": DIGITS, "fashion": FASHION, "long": LONG}
    for count, kind in [*itertools.product((1, 8, 16), kinds), (100, "digits")]:
        names = kinds[kind]
        made[f"samples {count} {kind}"] = lambda theme, c=count, n=names: plots.plot_samples(images(c), judged(c, n)[1], theme=theme)
        made[f"predictions {count} {kind}"] = lambda theme, c=count, n=names: plots.plot_predictions(*judged(c, n), theme=theme)
        made[f"mistakes {count} {kind}"] = lambda theme, c=count, n=names: plots.plot_mistakes(*judged(c, n), [9.0] * c, theme=theme)
    for classes, twins, channels, names in ((10, 12, 1, DIGITS), (10, 3, 3, LONG), (2, 0, 1, FASHION), (47, 12, 1, LONG * 5)):
        made[f"inspection {classes} {twins}"] = lambda theme, c=classes, t=twins, k=channels, n=names: inspection(theme, c, t, k, n)
    for classes in (2, 10, 26, 47, 100):
        names = (FASHION if classes <= 10 else [f"class {number}" for number in range(classes)])[:classes]
        made[f"confusion {classes}"] = lambda theme, c=classes, n=names: plots.plot_confusion_matrix(confusion(c), n, theme=theme)
    made["confusion long"] = lambda theme: plots.plot_confusion_matrix(confusion(10) * 99, LONG, theme=theme)
    made["confusion perfect"] = lambda theme: plots.plot_confusion_matrix(np.diag([5, 0, 7]), ["a", "b", "c"], theme=theme)
    for count, high, wide in ((9, 60, 60), (5, 40, 160), (1, 200, 30)):
        made[f"prediction {count} {wide}"] = lambda theme, c=count, h=high, w=wide: prediction(theme, c, (h, w))
    made["prediction of nothing"] = lambda theme: plots.plot_prediction(way_in(5, (30, 30)), {}, "too little ink to judge", theme=theme)
    for count in (0, 12):
        boxes = [
            ((20 + 90 * (n % 6), 20 + 100 * (n // 6), 80 + 90 * (n % 6), 100 + 100 * (n // 6)), str(n % 10), n / 12) for n in range(count)
        ]
        made[f"sheet {count}"] = lambda theme, b=boxes: plots.plot_sheet(np.full((240, 580), 240, np.uint8), b, theme=theme)
    for count in (1, 8, 40):
        pairs = [(np.full((60, 20 + n % 60), 200, np.uint8), images(1)[0, 0], f"{n:06x}") for n in range(count)]
        both = [plots.Pairs(f"7   {count} of 99", pairs), plots.Pairs("8   1", pairs[:1])]
        made[f"pairs {count}"] = lambda theme, g=both, c=count: plots.plot_pairs(g, f"{c} digits of your own", theme=theme)
    for networks, kinds_ in ((1, DIGITS), (2, DIGITS), (2, LONG)):
        shares = [[plots.Share(0.9, 0.7, 0.95, 1000)] + [plots.Share(n / 10, n / 20, 1, n) for n in range(10)]] * networks
        sets = [("Your digits", shares), ("The test images of mnist", shares)]
        runs_ = ["mlp-brave-otter", "cnn-" + "long" * 10][:networks]
        made[f"hand {networks} {kinds_[0]}"] = lambda theme, s=sets, r=runs_, c=kinds_: plots.plot_hand(s, r, c, theme=theme)
    for count in (1, 4, 16):
        found = {f"no weight_decay {n}" if n else "all of it": (0.98 + n / 9999, 1.5 + n / 3) for n in range(count)}
        made[f"ablation {count}"] = lambda theme, f=found: plots.plot_ablation(f, "fast-mlp: each trick off, in turn", theme=theme)
    for epochs in (0, 1, 2, 5, 200):
        made[f"curves {epochs}"] = lambda theme, e=epochs: plots.plot_curves(rows(e), best_epoch=max(1, e - 1), theme=theme)
    made["curves no val"] = lambda theme: plots.plot_curves(rows(5, val=False), theme=theme)
    made["curves nan"] = lambda theme: plots.plot_curves([*rows(3), {"epoch": 4, "train_loss": math.nan}], theme=theme)
    for count in (0, 1, 2, 8):
        runs = {f"mlp-brave-otter-{number}": rows(number + 1) for number in range(count)}
        made[f"compare {count}"] = lambda theme, r=runs: plots.plot_compare(r, theme=theme)
    for shape in ((1, 1, 28, 28), (10, 1, 28, 28), (128, 1, 28, 28), (16, 1, 5, 5), (32, 3, 3, 3)):
        made[f"weights {shape}"] = lambda theme, s=shape: plots.plot_weights(RNG.normal(size=list(s)), theme=theme)
    for shape in ((1, 1, 3, 3), (32, 1, 3, 3), (64, 16, 3, 3), (300, 1, 28, 28), (16, 3, 5, 5)):
        made[f"filters {shape}"] = lambda theme, s=shape: plots.plot_filters(RNG.normal(size=list(s)), "layers.0", theme=theme)
    sizes: list[tuple[int, ...]] = [(32, 14, 14), (128,), (1, 28, 28), (600, 7, 7)]
    for size in sizes:
        made[f"features {size}"] = lambda theme, s=size: plots.plot_features(
            images(1)[0] / 255, np.asarray(RNG.normal(size=s)), "layers.3", theme=theme
        )
    made["activations"] = lambda theme: plots.plot_activations(
        images(1, 3)[0] / 255,
        {f"layers.{n}.convolutions.{n}  Conv2d": RNG.normal(size=s) for n, s in enumerate(((8, 28, 28), (64, 7, 7), (10,)))},
        theme=theme,
    )
    made["activations long"] = lambda theme: plots.plot_activations(
        images(1)[0] / 255, {f"layer {n}": RNG.normal(size=(4, 7, 7)) for n in range(200)}, theme=theme
    )
    for count, method, names in (
        (1, "saliency", DIGITS),
        (10, "gradcam", FASHION),
        (20, "occlusion", LONG),
        (3, "integrated-gradients", DIGITS),
    ):
        made[f"attributions {count} {method}"] = lambda theme, c=count, m=method, n=names: attributions(c, m, n, theme)
    for classes, count in ((2, 5), (10, 500), (47, 200)):
        made[f"embedding {classes}"] = lambda theme, k=classes, c=count: embedding(k, c, theme)
    for layers in (1, 3, 60):
        made[f"health {layers}"] = lambda theme, n=layers: health(n, theme)
    for kind, model in GRAPHS.items():
        made[f"graph {kind}"] = lambda theme, m=model: drawn_graph(m(), theme)
    for count, names in ((1, DIGITS), (10, FASHION), (3, LONG)):
        made[f"rows {count} {names[0]}"] = lambda theme, c=count, n=names: plots.plot_rows(
            image_rows(c, n), "Most confused", "how", theme=theme
        )
        made[f"suspects {count} {names[0]}"] = lambda theme, c=count, n=names: plots.plot_suspects(*judged(c, n), theme=theme)
    for count in (1, 3, 6, 7):
        made[f"panels {count}"] = lambda theme, c=count: plots.plot_panels(panels(c), "Accuracy", "bars: intervals", level=0.9, theme=theme)
    made["temperature"] = lambda theme: plots.plot_temperature(calibration(), calibration(), 1.7, coverage(), theme=theme)
    made["weights named"] = lambda theme: plots.plot_weights(RNG.normal(size=(10, 1, 8, 8)), FASHION, theme=theme)
    for steps in (0, 3, 110):
        lrs, losses = [1e-6 * 1.12**step for step in range(steps)], [2.3 - 0.02 * step for step in range(steps)]
        mark = lrs[steps // 2] if steps else None
        made[f"learning rates {steps}"] = lambda theme, x=lrs, y=losses, m=mark: plots.plot_learning_rates(x, y, m, theme=theme)
    for counts in ([10], [30, 100, 300, 1000], [1, 2, 5, 10, 10000]):
        ways = {
            f"weights that come from {way}": [[0.3 + 0.1 * at, 0.35 + 0.1 * at] for at in range(len(counts))] for way in ("a", "b", "c")
        }
        made[f"few examples {len(counts)}"] = lambda theme, c=counts, w=ways: plots.plot_few_examples(c, w, 0.1, theme=theme)
    for epochs, bias in ((1, 10.0), (100, -250.0)):
        lines = [(epoch, 2 - 1 / (1 + epoch), bias) for epoch in range(0, epochs + 1, max(1, epochs // 5))]
        heights = 2 * np.arange(30) + bias
        made[f"line {epochs}"] = lambda theme, y=heights, f=lines: plots.plot_line_fit(np.arange(30), y, f, theme=theme)
        made[f"line losses {epochs}"] = lambda theme, e=epochs: plots.plot_line_losses([100 / (1 + n) for n in range(e + 1)], theme=theme)
    made.update(sweeps())
    return made


FIGURES = figures()


def texts(figure: Figure) -> list[Text]:
    """The texts that are drawn: visible, not empty, and of ticks only those within the limits of their axis."""
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    ticks: set[Text] = set()
    drawn: set[Text] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                ticks |= {tick.label1, tick.label2}
                if axes.axison and low <= tick.get_loc() <= high:
                    drawn |= {tick.label1, tick.label2}
    found: list[Any] = figure.findobj(Text)
    seen = [text for text in found if text not in ticks or text in drawn]
    return [text for text in seen if text.get_visible() and text.get_text().strip()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def pairs_that_overlap(figure: Figure) -> Iterator[tuple[str, str]]:
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.0)) for text in texts(figure)]
    for (first, here), (second, there) in itertools.combinations(boxes, 2):
        if here.overlaps(there):
            yield first, second


def contrast(one: Any, other: Any) -> float:
    def luminance(colour: Any) -> float:
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
