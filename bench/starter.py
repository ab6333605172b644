"""Train the network that is to read other people's digits: preset `handwriting` on MNIST and on the pictures of `taught.py`.

    python bench/starter.py [--name starter] [--drawn 24000] [--times 30] [--install]

The pictures become a data set named `taught`, a tenth of which is kept from the training: the temperature is found on it. `--install`
makes of the run the one that comes with handlens, with its card. The same machine gives the same bits.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from handwriting import scores
from strangers import samples
from taught import taught

import handlens as hl
from handlens import files, metrics, models, runs
from handlens.data import import_images, is_known, shelf
from handlens.data.drawing import normalize
from handlens.export import make_card
from handlens.presets import preset_knobs

NAME = "taught"
LONGER = {"epochs": 48, "label_smoothing": 0.02}  # than the preset: there is more to learn, and a temperature comes behind it


def make_data(drawn: int, times: int) -> None:
    """Draw the pictures and put them into the cache, as a data set."""
    images, labels = taught(drawn, times)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, f"{NAME}.csv")
        header = ",".join(["label", *(f"pixel{place}" for place in range(28 * 28))])
        np.savetxt(table, np.column_stack([labels, images.reshape(len(images), -1)]), "%d", ",", header=header, comments="")
        if is_known(NAME):
            shelf.remove(NAME)
        import_images(table, NAME)


def temperature_of(run: hl.Run) -> float:
    """What the logits have to be divided by, found on pictures that it has not learned from."""
    kept = run.split(NAME)
    return metrics.fit_temperature(models.predict_logits(run.model(), kept.images).numpy(), kept.labels.numpy())


def install(run: hl.Run) -> None:
    """Put it into the package, calibrated, with its card."""
    folder = Path(runs.__file__).parents[1] / runs.STARTER
    files.remove(folder)
    temperature = temperature_of(run)
    light = runs.share(run, folder, temperature=temperature)
    files.write_atomic(folder / "card.md", card(light, temperature))
    files.remove(folder / "evaluation")
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir()):,} bytes")


def card(run: hl.Run, temperature: float) -> str:
    """What the model is, in Markdown, every number measured just now."""
    halves = {"dev": "pictures as strangers make them, half `dev`", "held": "the same, half `held`: nothing was tuned on it"}
    rows = "\n".join(row(run, half, what) for half, what in halves.items())
    return make_card(run, Path(__file__).with_name("starter_card.md").read_text().format(rows=rows, temperature=temperature))


def row(run: hl.Run, half: str, what: str) -> str:
    """How well it reads one half of the strangers' pictures."""
    some = samples(half)
    images = torch.from_numpy(np.stack([normalize(sample.content).image for sample in some]))[:, None]
    shares = torch.softmax(models.predict_logits(run.model(), images), 1).numpy()
    labels = np.array([sample.label for sample in some])
    right = scores(shares.argmax(1) == labels, some)[-1]
    people = len({sample.writer for sample in some})
    return f"| {what} | {len(some)} by {people} writers | {right:.2%} | {metrics.calibration(shares, labels).ece:.3f} |"


def main() -> None:
    """Train and keep the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="starter")
    parser.add_argument("--drawn", type=int, default=24_000, help="so many of MNIST's training digits are drawn anew")
    parser.add_argument("--times", type=int, default=30, help="each digit of a font so often")
    parser.add_argument("--install", action="store_true", help="make it the one that comes with handlens")
    parser.add_argument("--run", help="take this run, which this command has trained, instead of training one")
    options = parser.parse_args()
    if options.run:
        run = hl.load_run(options.run)
    else:
        make_data(options.drawn, options.times)
        run = hl.fit(data="mnist", name=options.name, with_data=NAME, **(preset_knobs("handwriting") | LONGER))
    print(f"MNIST's test images: {run.evaluate('test').accuracy:.2%}; those kept from `{NAME}`: {run.evaluate(NAME).accuracy:.2%}")
    if options.install:
        install(run)


if __name__ == "__main__":
    main()
