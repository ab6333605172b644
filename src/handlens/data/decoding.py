"""Many pictures at a time: what size they get, and their pixels, in order, from as many threads as there are processors."""

from __future__ import annotations

import itertools
import os
import statistics
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data import pictures
from handlens.data.folders import MOST_FILE_BYTES, Picture, Tree
from handlens.data.pictures import Look, Unreadable
from handlens.data.say import Say
from handlens.errors import DataError, HandlensError

_LOOKED_AT = 1000
_TOGETHER = 32
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass
class Decoding:
    """How pictures become arrays of one shape, and which could not.

    Attributes:
        tree: where they are.
        size: height and width in pixels.
        grey: one channel instead of three.
        total: how many pictures there are in all.
        say: told how far it is.
        remark: how the size came about, in words.
        unreadable: files that are no pictures, and why.
        done: how many were tried.
    """

    tree: Tree
    size: int
    grey: bool
    total: int
    say: Say
    remark: str
    unreadable: dict[str, str] = field(default_factory=dict)
    done: int = 0

    @classmethod
    def plan(cls, tree: Tree, found: Sequence[Picture], size: int | None, most: int, say: Say) -> Decoding:
        """Look at the headers of up to 1,000 pictures, evenly spread, and decide on size and colour.

        Raises:
            DataError: none of them can be read.
        """
        sample = [found[place] for place in np.linspace(0, len(found) - 1, min(len(found), _LOOKED_AT)).astype(int)]
        looks = [look for picture in sample if (look := _look(tree, picture))]
        if not looks:
            raise DataError("None of the files in the class folders is a picture that can be read.", where=sample[0].name)
        median = round(statistics.median(look.shorter for look in looks))
        size, grey = size or min(median, most), all(look.grey for look in looks)
        sizes = {look.shorter for look in looks}
        why = "as they are" if sizes == {size} else f"the median of their shorter sides is {median}; --image-size changes it"
        remark = f"Images become {size}x{size} pixels, {'grey' if grey else 'colour'} ({why})."
        return cls(tree, size, grey, len(found), say, remark)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return 1 if self.grey else 3, self.size, self.size

    @property
    def image_bytes(self) -> int:
        """Bytes of one image."""
        return self.shape[0] * self.size**2

    def images(self, found: Sequence[Picture], read: Callable[[Picture], object]) -> Iterator[NDArray[np.uint8]]:
        """The pixels of the pictures, in order, as blocks N,C,H,W; `read` is told each picture that could be read."""
        groups = [found[start : start + _TOGETHER] for start in range(0, len(found), _TOGETHER)]
        for group, block in zip(groups, in_order(self._decode, groups), strict=True):
            for picture, pixels in zip(group, block, strict=True):
                if isinstance(pixels, str):
                    self.unreadable[files.printable(picture.name, 400)] = files.printable(pixels)
                else:
                    read(picture)
                    yield pixels[None]
            self.done += len(group)
            self.say("Decoding images", self.done / self.total)

    def _decode(self, group: Sequence[Picture]) -> list[NDArray[np.uint8] | str]:
        return [self._decode_one(picture) for picture in group]

    def _decode_one(self, picture: Picture) -> NDArray[np.uint8] | str:
        try:
            return pictures.decode(_read(self.tree, picture), self.size, grey=self.grey)
        except Unreadable as error:
            return str(error)


def _read(tree: Tree, picture: Picture) -> bytes:
    if tree.names[picture.name] > MOST_FILE_BYTES:
        raise Unreadable(f"it has {tree.names[picture.name]:,} bytes")
    try:
        return tree.read(picture.name)
    except HandlensError as error:
        raise Unreadable(error.what) from error


def _look(tree: Tree, picture: Picture) -> Look | None:
    try:
        return pictures.look(_read(tree, picture))
    except Unreadable:
        return None


def in_order(work: Callable[[Given], Made], things: Sequence[Given]) -> Iterator[Made]:
    """`map(work, things)` by one thread for each processor, with only a few results waiting at any time."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Made]] = deque()
        rest = iter(things)
        for thing in itertools.islice(rest, 2 * workers):
            waiting.append(pool.submit(work, thing))
        while waiting:
            yield waiting.popleft().result()
            for thing in itertools.islice(rest, 1):
                waiting.append(pool.submit(work, thing))
