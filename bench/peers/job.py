"""The job that each peer does in its own way, and how its answer gets back: 60,000 images of MNIST, batches of 64, Adam 0.001, float32.

`fc` is the session's 784-128-64-10; `cnn` has 32 and 64 filters of 3x3, each pooled, then 128 units. A peer's file has `train`: a `Job` in,
a function from images to classes out. All this runs in the peer's own environment, so nothing of ours is here.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

BATCH_SIZE, LR = 64, 0.001


@dataclass(frozen=True)
class Job:
    """What is to be done: images as bytes N,28,28, labels N."""

    network: str
    images: Any
    labels: Any
    epochs: int
    seed: int

    @property
    def fractions(self) -> Any:
        """The images as numbers from 0 to 1, N,1,28,28."""
        return self.images[:, None].astype(np.float32) / 255


def torch_network(name: str) -> Any:
    """The network in PyTorch."""
    from torch import nn

    if name == "fc":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    blocks = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, 10))


def main(train: Callable[[Job], Callable[[Any], Any]]) -> None:
    """Do the job that the command line names, and print seconds and accuracy as JSON."""
    asked, file, network, epochs, count, seed = sys.argv[1:]
    times = [float(asked), time.time()]
    kept = np.load(file)
    images, labels, number = kept["images"], kept["labels"], int(count)
    train(Job(network, images[:1280], labels[:1280], 1, 0))  # what is loaded or compiled at first use counts as start
    times.append(time.time())
    processor = processor_time()
    predict = train(Job(network, images[:number], labels[:number], int(epochs), int(seed)))
    times.append(time.time())
    processor = processor_time() - processor
    right = float((np.asarray(predict(kept["test_images"])) == kept["test_labels"]).mean())
    start, first, seconds = (later - earlier for earlier, later in itertools.pairwise(times))
    print(json.dumps({"seconds": seconds, "processor": processor, "accuracy": right, "start": start, "first": first}))


def processor_time() -> float:
    """Seconds that this process has used of all processors."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
