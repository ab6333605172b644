"""Images that are there twice: byte for byte, or nearly.

Two images are nearly the same if the correlation of their pixels is high: it does not change when one of them is brighter or has more
contrast, and hardly when one was packed as a JPEG. To compare each pair would take hours. So each image becomes a vector of length 1 (grey,
shrunk to at most 32x32, its mean taken off), and this is projected on the 24 directions in which the images differ most. A projection only
brings vectors closer, so no pair of high correlation is lost; and vectors that lie far apart in the first direction are never compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

MOST_PAIRS = 100_000
_DIRECTIONS = 24
_SAMPLE = 4000
_BLOCK = 1024
_SIDE = 32
_PIECE = 4096


@dataclass(frozen=True)
class Pair:
    """Two images by their places, the earlier one first, and the correlation of their pixels; 1 if they are equal byte for byte."""

    first: int
    second: int
    correlation: float


def exact(images: Bytes) -> list[Pair]:
    """Pairs of equal images: each that was there before, with the first of its kind.

    Args:
        images: N,C,H,W.
    """
    return [Pair(first, place, 1.0) for place, first in enumerate(_firsts(images)) if first != place]


def _firsts(images: Bytes) -> list[int]:
    """For each image the place of the first one that equals it: its own if there was none before."""
    seen: dict[bytes, int] = {}
    return [seen.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), place) for place, image in enumerate(images)]


def near(images: Bytes, least: float) -> list[Pair]:
    """Pairs of images whose correlation, shrunk and in full size, is at least `least`, but which are not equal; highest first.

    Images of one colour are left out: they have nothing to correlate. Of images that are equal the first stands for all. At most 100,000
    pairs are looked for.

    Args:
        images: N,C,H,W.
        least: 0 to 1; 0.98 is nearly the same.
    """
    different = np.unique(_firsts(images))
    vectors = _projected(images)[different]
    order = np.argsort(vectors[:, 0], kind="stable")
    found: list[Pair] = []
    for candidates in _candidates(vectors[order], 2 - 2 * least):
        found += _verified(images, different[order[candidates]], least)
        if len(found) >= MOST_PAIRS:
            break
    return sorted(found, key=lambda pair: (-pair.correlation, pair.first, pair.second))[:MOST_PAIRS]


def _projected(images: Bytes) -> Floats:
    """N,25: each image's vector on the main directions, and what of its length is left; NaN for an image of one colour."""
    sample = _vectors(images[np.linspace(0, len(images) - 1, min(len(images), _SAMPLE)).astype(int)])
    sample = sample[~np.isnan(sample).any(axis=1)]
    _values, directions = np.linalg.eigh(sample.T @ sample)
    main = directions[:, ::-1][:, :_DIRECTIONS].astype(np.float32)
    pieces = [_vectors(images[start : start + _PIECE]) @ main for start in range(0, len(images), _PIECE)]
    projected = np.concatenate(pieces)
    rest = np.sqrt(np.clip(1 - np.square(projected).sum(axis=1, keepdims=True), 0, None))
    return np.concatenate([projected, rest], axis=1).astype(np.float32)


def _vectors(images: Bytes) -> Floats:
    """N,D: each image in grey, shrunk, without its mean, of length 1; NaN for an image of one colour."""
    grey = images.mean(axis=1, dtype=np.float32)
    down, across = (-(-size // _SIDE) for size in grey.shape[1:])
    if down * across > 1:
        high, wide = grey.shape[1] // down, grey.shape[2] // across
        grey = grey[:, : high * down, : wide * across].reshape(-1, high, down, wide, across).mean(axis=(2, 4))
    return _unit(grey.reshape(len(grey), -1))


def _unit(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
    unit: Floats = np.divide(centred, length, out=np.full_like(centred, np.nan), where=length > 1e-3)
    return unit


def _candidates(vectors: Floats, most: float) -> Iterator[NDArray[np.int64]]:
    """M,2 places of vectors, sorted by their first number, whose squared distance is at most `most`, block after block."""
    least = np.float32(1 - most / 2 - 1e-5)  # all have length 1, so the product says how far apart they are
    usable = vectors[: len(vectors) - int(np.isnan(vectors[:, 0]).sum())]  # NaN is sorted to the end
    reach = np.sqrt(most)
    for start in range(0, len(usable), _BLOCK):
        block = usable[start : start + _BLOCK]
        end = int(np.searchsorted(usable[:, 0], block[-1, 0] + reach, side="right"))
        for other in range(start, end, _BLOCK):
            rest = usable[other : min(other + _BLOCK, end)]
            rows, columns = np.divmod(np.flatnonzero(_products(block, rest) >= least), len(rest))
            later = columns + other > rows + start
            yield np.stack([rows[later] + start, columns[later] + other], axis=1)


def _products(block: Floats, rest: Floats) -> Floats:
    """The product of each row with each other row."""
    with np.errstate(invalid="ignore"):  # some BLAS raise the processor's flag for numbers beside the matrix, which they then drop
        products: Floats = block @ rest.T
    return products


def _verified(images: Bytes, places: NDArray[np.int64], least: float) -> list[Pair]:
    """Those of the candidates that are as near with all their pixels and colours."""
    pairs = []
    for start in range(0, len(places), _PIECE):
        ordered = np.sort(places[start : start + _PIECE], axis=1)
        first, second = (_unit(images[column].reshape(len(column), -1).astype(np.float32)) for column in ordered.T)
        shrunk = [_vectors(images[column]) for column in ordered.T]
        correlation = np.minimum((first * second).sum(axis=1), (shrunk[0] * shrunk[1]).sum(axis=1))
        kept = correlation >= least
        pairs += [Pair(int(one), int(two), float(value)) for (one, two), value in zip(ordered[kept], correlation[kept], strict=True)]
    return pairs
