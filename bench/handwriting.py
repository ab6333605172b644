"""How well digits are read that other people drew, scanned and photographed: by stage of `drawing.normalize`, and by nature of the picture.

    python bench/handwriting.py [--half dev] [--run NAME] [--figure ladder.png]

The pictures are those of `strangers.py`. 5-nearest-neighbours on MNIST's training images shows what each stage is worth; `--run` adds
the network of a run: accuracy, calibration, and whether it is sure of letters. `held` is for the end: nothing is tuned on it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from papers import NATURES, Sample
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier
from strangers import samples, strange_shapes

import handlens as hl
from handlens import files, metrics, models, plots
from handlens.data import pictures
from handlens.data.drawing import normalize
from handlens.data.drawing.shape import LONGER, SIDE, centre
from handlens.plots import style

Images = NDArray[np.uint8]


def resized(content: bytes) -> Images:
    """Plainly made 28x28."""
    grey = Image.fromarray(pictures.reduced(content, SIDE)[0]).convert("L")
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def inverted(content: bytes) -> Images:
    """And white on black, by what the rim says."""
    image = resized(content)
    return 255 - image if _rim(image) > 127 else image


def centred(content: bytes) -> Images:
    """Cropped where it is brighter than half, 20 pixels, the centre of mass in the middle: MNIST's own recipe."""
    grey = np.asarray(Image.fromarray(pictures.reduced(content, 128)[0]).convert("L"))
    light = 255 - grey if _rim(grey) > 127 else grey
    ink = np.clip(light.astype(float) - _rim(light), 0, None)
    seen = ink > ink.max() / 2
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if len(rows) == 0:
        return np.zeros((SIDE, SIDE), np.uint8)
    box = (255 * ink / ink.max()).astype(np.uint8)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = LONGER / max(box.shape)
    size = (max(1, round(box.shape[1] * scale)), max(1, round(box.shape[0] * scale)))
    return centre(np.asarray(Image.fromarray(box).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)))


def _rim(image: Images) -> float:
    return float(np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])))


STAGES: dict[str, Callable[[bytes], Images]] = {
    "resized": resized,
    "and inverted": inverted,
    "and centred": centred,
    "normalize": lambda content: normalize(content).image,
}

Answer = Callable[[Images], NDArray[np.int64]]


def neighbours(count: int = 60_000) -> Answer:
    """The answer of 5-nearest-neighbours for images N,28,28."""
    train = hl.load("mnist", val=0).train
    fitted = KNeighborsClassifier(5, algorithm="brute").fit(train.images[:count].numpy().reshape(count, -1) / 255, train.labels[:count])
    return lambda images: np.asarray(fitted.predict(images.reshape(len(images), -1) / 255), np.int64)


def network(model: torch.nn.Module) -> Answer:
    """The answer of a network."""
    return lambda images: models.predict_logits(model, torch.from_numpy(images)[:, None]).argmax(1).numpy()


def scores(right: NDArray[np.bool_], some: Sequence[Sample]) -> list[float]:
    """The share that is right, by nature; and the mean over writers."""
    writers: dict[str, list[bool]] = {}
    for sample, one in zip(some, right, strict=True):
        writers.setdefault(sample.writer, []).append(bool(one))
    natures = [float(np.mean([one for sample, one in zip(some, right, strict=True) if sample.nature == nature])) for nature in NATURES]
    return [*natures, float(np.mean([np.mean(each) for each in writers.values()]))]


def ladder(some: Sequence[Sample], answers: dict[str, Answer]) -> dict[str, list[float]]:
    """`scores` for each stage with 5-nearest-neighbours, and with each other answer for the last stage; printed on the way."""
    labels = np.array([sample.label for sample in some])
    print(f"| | {' | '.join(NATURES)} | mean over writers | ms a picture |\n|{' --- |' * (len(NATURES) + 3)}")
    found = {}
    for stage, make in STAGES.items():
        start = time.perf_counter()
        images = np.stack([make(sample.content) for sample in some])
        each_ms = (time.perf_counter() - start) / len(some) * 1000
        for name, answer in answers.items():
            if name == "5-NN" or stage in ("and centred", "normalize"):
                row = scores(answer(images) == labels, some)
                found[f"{stage}, {name}"] = row
                print(f"| {stage}, {name} | {' | '.join(f'{one:.1%}' for one in row)} | {each_ms:.1f} |", flush=True)
    return found


def doubts(some: Sequence[Sample]) -> str:
    """How often there is a doubt although there is one digit."""
    said = [normalize(sample.content).doubt for sample in some]
    return ", ".join(f"'{doubt}' {said.count(doubt)}" for doubt in sorted(set(said) - {""})) or "none"


def calibration(model: torch.nn.Module, some: Sequence[Sample], target: Path | None) -> str:
    """How far the network can be believed here, and how sure it is of letters; with the temperature found on MNIST's validation images.

    The figure for the network as it is goes to `target`.
    """
    val = hl.load("mnist").val
    temperature = metrics.fit_temperature(models.predict_logits(model, val.images).numpy(), val.labels.numpy())
    images = torch.from_numpy(np.stack([normalize(sample.content).image for sample in some]))[:, None]
    letters = torch.from_numpy(np.stack([normalize(one).image for one in strange_shapes(np.random.default_rng(0), 300)]))[:, None]
    labels = torch.tensor([sample.label for sample in some])
    lines, logits = [], [models.predict_logits(model, one) for one in (images, letters)]
    for name, divisor in (("as it is", 1.0), (f"temperature {temperature:.2f}", temperature)):
        shares, odd = (torch.softmax(one / divisor, 1).numpy() for one in logits)
        found = metrics.calibration(shares, labels.numpy())
        if target and divisor == 1:
            files.write_atomic(target, style.png(plots.plot_calibration(found)))
        loss = -np.log(np.maximum(shares[np.arange(len(labels)), labels], 1e-12)).mean()
        sure = (shares.max(1) >= 0.9).mean(), (odd.max(1) >= 0.9).mean()
        lines.append(
            f"{name}: ECE {found.ece:.3f}, loss {loss:.3f}; sure (90 %) of {sure[0]:.1%} of the digits and {sure[1]:.1%} of letters"
        )
    return "\n".join(lines)


def figure(found: dict[str, list[float]], title: str) -> bytes:
    """The ladder as a PNG: one line a nature, one place along the bottom a stage."""
    theme = style.LIGHT
    drawn = style.new_figure(style.WIDTH, 4.4, theme)
    axes = drawn.subplots()
    style.dress(axes, theme, ylabel="right")
    style.headline(axes, title, theme)
    for number, nature in enumerate((*NATURES, "mean over writers")):
        axes.plot(range(len(found)), [row[number] for row in found.values()], label=nature, markersize=6, **theme.line(number))
    axes.set_xticks(range(len(found)), [name.replace(", ", "\n") for name in found])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    drawn.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=style.NORMAL, labelcolor=theme.text, handlelength=3.4)
    return style.png(style.finish(drawn))


def main() -> None:
    """Print Markdown, and write the figure if it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("dev", "held"), default="dev")
    parser.add_argument("--run", help="the name of a run whose network is measured too")
    parser.add_argument("--figure", type=Path, help="where the figure goes, a PNG")
    parser.add_argument("--calibration", type=Path, help="where the figure of how far the run's network can be believed goes, a PNG")
    options = parser.parse_args()
    some = samples(options.half)
    people = len({sample.writer for sample in some})
    print(f"{options.half}: {len(some)} pictures by {people} writers\n")
    model = hl.load_run(options.run).model() if options.run else None
    found = ladder(some, {"5-NN": neighbours()} | ({"network": network(model)} if model else {}))
    print(f"\nDoubts although there is one digit: {doubts(some)}")
    if model:
        test = hl.load("mnist", val=0).test
        print(f"MNIST's test images: {(network(model)(test.images[:, 0].numpy()) == test.labels.numpy()).mean():.2%}")
        print(calibration(model, some, options.calibration))
    if options.figure:
        files.write_atomic(options.figure, figure(found, f"What each stage is worth: {len(some)} pictures by {people} writers"))


if __name__ == "__main__":
    main()
