"""Train the network that is to read other people's digits: preset `handwriting` on MNIST and on fonts that look handwritten.

    python bench/starter.py [--name starter] [--times 24]

MNIST's writers are American: their 1 has no flag and their 7 no bar. The fonts of `strangers.FONTS["train"]` have them; each of their
digits is drawn `times` times, normalised, and learned with the others. Fonts of the halves `dev` and `held` are not looked at.
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np
import torch
from strangers import font_drawings

import handlens as hl
from handlens.data.drawing import normalize
from handlens.presets import preset_knobs


def dataset(times: int) -> hl.Dataset:
    """MNIST, its training images with drawn fonts among them."""
    mnist = hl.load("mnist", val=0)
    drawn = [(normalize(content).image, label) for content, label in font_drawings(times)]
    images = np.stack([image for image, _ in drawn])[:, None]
    labels = torch.tensor([label for _, label in drawn])
    both = hl.data.from_tensors(
        torch.cat([mnist.train.images, torch.from_numpy(images)]),
        torch.cat([mnist.train.labels, labels]),
        test=(mnist.test.images, mnist.test.labels),
        classes=mnist.classes,
        name="mnist-and-fonts",
    )
    return dataclasses.replace(both, ink=True)


def main() -> None:
    """Train and keep the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="starter")
    parser.add_argument("--times", type=int, default=24)
    options = parser.parse_args()
    data = dataset(options.times)
    print(f"{len(data.train):,} images to learn from")
    run = hl.fit(data=data, name=options.name, **preset_knobs("handwriting"))
    print(run.evaluate("test").accuracy)


if __name__ == "__main__":
    main()
