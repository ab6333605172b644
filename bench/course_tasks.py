"""The figures that the course states of the full data: each setting trained with several seeds, measured on the 10,000 test images.

python bench/course_tasks.py [NAME ...] [--seeds 3] [--epochs 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.data.augment import make_change

Make = Callable[[], nn.Module]


def mlp(*sizes: int, between: Callable[[], nn.Module] = nn.ReLU, dropout: float = 0.0) -> nn.Module:
    """Fully connected layers of these sizes, and ten answers."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in zip((784, *sizes), sizes, strict=False):
        layers += [nn.Linear(inputs, outputs), between(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 10))


def cnn(first: int, second: int, *, norm: bool = False, kernel: int = 3) -> nn.Module:
    """Two convolutions, each with ReLU and pooling; 128 hidden neurons."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, first), (first, second)):
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), *([nn.BatchNorm2d(outputs)] if norm else [])]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(second * 49, 128), nn.ReLU(), nn.Linear(128, 10))


def session() -> nn.Module:
    return mlp(128, 64)


SETTINGS: dict[str, tuple[Make, dict[str, float | str]]] = {
    "session": (session, {}),
    "wide 256-128": (lambda: mlp(256, 128), {}),
    "small 32": (lambda: mlp(32), {}),
    "deep 128-64-32": (lambda: mlp(128, 64, 32), {}),
    "no relu": (lambda: mlp(128, 64, between=nn.Identity), {}),
    "lr 0.1": (session, {"lr": 0.1}),
    "lr 0.01": (session, {"lr": 0.01}),
    "lr 0.0001": (session, {"lr": 0.0001}),
    "dropout 0.2": (lambda: mlp(128, 64, dropout=0.2), {}),
    "softmax twice": (lambda: nn.Sequential(mlp(128, 64), nn.Softmax(1)), {}),
    "pixels 0 to 255": (session, {"scale": 255.0}),
    "fashion": (session, {"data": "fashion-mnist"}),
    "cnn 8-16": (lambda: cnn(8, 16), {}),
    "cnn 8-16 batch norm": (lambda: cnn(8, 16, norm=True), {}),
    "cnn 8-16 kernel 5": (lambda: cnn(8, 16, kernel=5), {}),
    "cnn 8-16 augmented": (lambda: cnn(8, 16), {"augment": "light"}),
    "cnn 32-64": (lambda: cnn(32, 64), {}),
    "challenge": (hl.course.ours("cnn"), {}),
}


def train(make: Make, seed: int, epochs: int, knobs: dict[str, float | str]) -> Iterator[tuple[float, float, float]]:
    """After each epoch: training loss, training accuracy, accuracy on the test images."""
    data, scale = hl.load(str(knobs.get("data", "mnist")), val=0), float(knobs.get("scale", 1.0))
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=float(knobs.get("lr", 0.001)))
    change = make_change(str(knobs["augment"]), 10) if "augment" in knobs else None
    loader = hl.batches(data.train, 64, seed=seed, change=change)
    for _ in range(epochs):
        model.train()
        losses, right = 0.0, 0
        for images, labels in loader:
            logits = model(images * scale)
            loss = cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.item() * len(labels)
            right += int((logits.argmax(1) == labels).sum())
        yield losses / 60_000, right / 60_000, accuracy(model, data.test, scale)


@torch.no_grad()
def accuracy(model: nn.Module, split: hl.Split, scale: float) -> float:
    model.eval()
    right: list[Tensor] = [model(images * scale).argmax(1) == labels for images, labels in hl.batches(split, 1000, shuffle=False)]
    return torch.cat(right).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*SETTINGS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    asked = parser.parse_args()
    print(
        "| setting | parameters | test accuracy, each seed | mean | first epoch | last training loss | training accuracy | s a training |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in asked.names:
        make, knobs = SETTINGS[name]
        began = time.perf_counter()
        rows = [list(train(make, seed, asked.epochs, knobs)) for seed in range(asked.seeds)]
        seconds = (time.perf_counter() - began) / asked.seeds
        last = [row[-1] for row in rows]
        cells = [name, f"{sum(weight.numel() for weight in make().parameters()):,}", " ".join(f"{row[2]:.2%}" for row in last)]
        cells += [f"{statistics.mean(row[2] for row in last):.2%}", " ".join(f"{row[0][2]:.2%}" for row in rows)]
        cells += [f"{statistics.mean(row[0] for row in last):.4f}", f"{statistics.mean(row[1] for row in last):.2%}", f"{seconds:.0f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
