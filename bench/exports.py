"""Each network in each format: how far it agrees with PyTorch, how large it is, and how fast: the table of `bench/records.md`.

    python bench/exports.py [--epochs 1] [--examples 6000] [--page 10000] [MODEL ...]

Every network is trained on MNIST for a moment; `starter` is the one that comes with handlens. Agreement is on MNIST's 10,000 test images
and 64 of noise; the page is asked about `--page` of them in the system's Chromium. Times are on one thread, in turns with PyTorch's, the
best of five rounds: of one image alone, and of 1,000 in batches of 100.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import handlens as hl
from handlens import device, models
from handlens.export import chromium, onnx_file, program, quantize, web_page, weights
from handlens.export.agreement import Agreement
from handlens.export.subject import Subject
from handlens.presets import IMAGENET

ROUNDS = 5
KNOBS: dict[str, dict[str, Any]] = {"efficientnet": {"resize": 32, "init_from": IMAGENET, "lr": 3e-3, "batch_size": 32}}
# With images of 96 pixels its 60,000 answers would take hours.
Ask = Callable[[Tensor], object]


def subject_of(name: str, epochs: int, examples: int, data: hl.Dataset) -> Subject:
    """A trained network of that name."""
    if name == "starter":
        return Subject(hl.load_run(name).use(dataset=data))
    return Subject(hl.fit(name, data, name=name, epochs=epochs, examples=examples, quiet=True, **KNOBS.get(name, {})))


def best(ask: Ask, images: Tensor) -> float:
    """Seconds for one way through the images in batches of 100, or for one image alone."""
    start = time.perf_counter()
    for some in images.split(100):
        ask(some)
    return time.perf_counter() - start


def speeds(asks: dict[str, Ask], images: Tensor) -> dict[str, str]:
    """For each way to ask the milliseconds of one image, and of 1,000."""
    found: dict[str, str] = {}
    for count in (1, 1000):
        times = {name: min(best(ask, images[:count]) for _ in range(ROUNDS)) * 1e3 for name, ask in asks.items()}
        found |= {name: f"{found.get(name, '')}{' / ' if name in found else ''}{ms:,.2g}" for name, ms in times.items()}
    return found


def page_speed(content: bytes, subject: Subject) -> str:
    """Milliseconds of an image in the page, by the page's own clock: the least of three times 100 images."""
    said = [re.search(r'data-ms="([^"]+)"', chromium.ask_page(chromium.find(), content, subject.images[:100])) for _ in range(3)]
    return f"{min(float(found[1]) for found in said if found):.2g} /"


def row(name: str, kind: str, size: int, agreement: object, speed: str) -> None:
    """A line of the table."""
    print(f"| {name} | {kind} | {size:,} | {agreement} | {speed} |", flush=True)


def said(agreement: Agreement) -> str:
    """How far it agrees, short."""
    return f"{agreement.images:,} images, {agreement.largest:.1e}" if agreement.images else "every weight, bit for bit"


def measure(name: str, subject: Subject, page: int) -> None:
    """All formats of one network."""
    kinds = {"onnx": onnx_file, "pt2": program, "safetensors": weights, "html": web_page}
    contents = {kind: module.build(subject) for kind, module in kinds.items()}
    follow = torch.export.load(io.BytesIO(contents["pt2"])).module()
    with tempfile.TemporaryDirectory() as folder:
        small = quantize(subject.run, Path(folder, "int8.onnx"))
        asks: dict[str, Ask] = {
            "PyTorch": lambda images: models.predict_logits(subject.network, images, 100),
            "onnx": onnx_file.asking(contents["onnx"]),
            "onnx, int8": onnx_file.asking(small.file.read_bytes()),
            "pt2": follow,
        }
        with torch.no_grad():
            times = speeds(asks, subject.images)
    row(name, "PyTorch", 0, "", times["PyTorch"])
    for kind in ("onnx", "pt2", "safetensors"):
        row(name, kind, len(contents[kind]), said(kinds[kind].check(contents[kind], subject)), times.get(kind, ""))
    row(
        name,
        "onnx, int8",
        small.size_bytes,
        f"{small.same:.2%} same; {small.accuracy:.2%} right, float {small.float_accuracy:.2%}",
        times["onnx, int8"],
    )
    speed = page_speed(contents["html"], subject)
    row(name, "html", len(contents["html"]), said(web_page.check(contents["html"], subject, min(page, len(subject.images)))), speed)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--examples", type=int, default=6000)
    parser.add_argument("--page", type=int, default=10_064)
    parser.add_argument("names", nargs="*", default=["softmax", "mlp", "cnn", "resnet", "efficientnet", "starter"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{device.title(torch.device('cpu'))}, torch {torch.__version__}\n")
    print("| network | format | bytes | agreement: largest difference of a logit | ms of 1 image / of 1,000 |")
    print("| --- | --- | --- | --- | --- |")
    data = hl.load("mnist")
    for name in options.names:
        measure(name, subject_of(name, options.epochs, options.examples, data), options.page)


if __name__ == "__main__":
    main()
