"""More images than memory holds: files of some thousand images each, called shards, of which a few are mapped at a time.

    big/0000-images   big/0000-labels   big/0001-images   ...      IDX files, as MNIST's

What comes out is an ordinary `DataLoader`, whose order is a pure function of seed and epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import Dataset as TorchDataset

from handlens import files, seeds
from handlens.data.formats import map_file, parse_idx, write_idx
from handlens.errors import DataDamaged, DataMissing, UsageError
from handlens.words import counted

_TOGETHER = 8  # shards whose images are mixed; one more may be open, as a batch can reach into the next ones
_MOST_SHARDS = 10_000


class Shards(TorchDataset[tuple[Tensor, Tensor]]):
    """The images of a folder of shards: `shards[i]` is an image as `float32` C,H,W in [0, 1] and its label.

    Attributes:
        folder: where they are.
        sizes: how many images each shard has.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = Path(folder)
        names = [path.name for path in files.entries(self.folder) if path.name.endswith("-labels")]
        if not names:
            raise DataMissing(
                "There are no shards.", where=str(self.folder), hint="Write some: handlens.data.write_shards(folder, pieces)."
            )
        self.names = sorted(name.removesuffix("-labels") for name in names)
        self.sizes = [(self.folder / f"{name}-labels").stat().st_size - 8 for name in self.names]  # IDX: 8 bytes, then one for each label
        self._ends = torch.tensor(self.sizes).cumsum(0)
        self._open: dict[int, tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """A batch in one go, as a `DataLoader` asks for it: images `float32` N,C,H,W in [0, 1] and labels `int64` N."""
        wanted = torch.tensor(indices)
        shards = torch.bucketize(wanted, self._ends, right=True)
        images = torch.empty(len(wanted), *self._mapped(int(shards[0]))[0].shape[1:])
        labels = torch.empty(len(wanted), dtype=torch.int64)
        for shard in shards.unique().tolist():
            mine, (pictures, numbers) = shards == shard, self._mapped(shard)
            places = wanted[mine] - (self._ends[shard] - self.sizes[shard])
            images[mine], labels[mine] = pictures[places].float(), numbers[places].long()
        return images.div_(255), labels

    def _mapped(self, shard: int) -> tuple[Tensor, Tensor]:
        """A shard as `uint8` images N,C,H,W and labels N, mapped into memory; the one that was opened first is let go."""
        if shard not in self._open:
            while len(self._open) > _TOGETHER:
                del self._open[next(iter(self._open))]
            paths = [self.folder / f"{self.names[shard]}-{what}" for what in ("images", "labels")]
            images, labels = (torch.from_numpy(parse_idx(map_file(path), str(path))) for path in paths)
            if labels.ndim != 1 or images.ndim < 3 or len(images) != len(labels):
                raise DataDamaged(
                    f"The shard has {counted(len(images), 'image')} and {counted(len(labels), 'label')}.", where=str(paths[0])
                )
            self._open[shard] = (images.unsqueeze(1) if images.ndim == 3 else images, labels)
        return self._open[shard]


class ShardOrder(Sampler[int]):
    """Every image once in an epoch: eight shards at a time, drawn at random, their images mixed."""

    def __init__(self, sizes: list[int], seed: int) -> None:
        self.sizes = sizes
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return sum(self.sizes)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, whose order the next `for` takes."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = seeds.generator("shards", self.seed, self.epoch)
        starts = np.cumsum([0, *self.sizes])
        self.epoch += 1
        for group in torch.randperm(len(self.sizes), generator=generator).split(_TOGETHER):
            images = torch.cat([torch.arange(starts[shard], starts[shard + 1]) for shard in group.tolist()])
            yield from images[torch.randperm(len(images), generator=generator)].tolist()


def sharded(folder: str | PathLike[str], batch_size: int = 64, *, seed: int = 42) -> DataLoader[tuple[Tensor, Tensor]]:
    """Batches from a folder of shards, for `handlens.fit(model, loader)` or any other loop.

    Raises:
        DataMissing: there are no shards in it.
        UsageError: the batch size is not positive.
    """
    if batch_size < 1:
        raise UsageError(f"The batch size is {batch_size}.", hint="It must be 1 or more.")
    shards = Shards(folder)
    return DataLoader(shards, batch_size, sampler=ShardOrder(shards.sizes, seed), collate_fn=lambda batch: batch)


def write_shards(folder: str | PathLike[str], pieces: Iterable[tuple[Tensor, Tensor]]) -> int:
    """Write images into a folder, a shard for each piece; never more than one piece is in memory. Gives how many shards.

    Args:
        folder: new, or with shards that begin anew.
        pieces: images `uint8` N,C,H,W and labels N in 0 .. 255; some thousand images each.

    Raises:
        UsageError: a piece is something else.
        FileError: the disk refuses.
    """
    place = files.make_folder(folder)
    number = -1
    for number, (images, labels) in enumerate(pieces):
        if images.dtype != torch.uint8 or len(images) != len(labels) or not len(labels) or number >= _MOST_SHARDS:
            raise UsageError(f"Piece {number} is no shard: it needs uint8 images N,C,H,W and as many labels.", where=str(place))
        if not 0 <= int(labels.min()) <= int(labels.max()) <= 255:
            raise UsageError(f"Piece {number} has labels outside 0 to 255.", where=str(place))
        write_idx(place / f"{number:04d}-images", images.numpy())
        write_idx(place / f"{number:04d}-labels", labels.to(torch.uint8).numpy())
    _forget(place, number + 1)
    return number + 1


def _forget(place: Path, first: int) -> None:
    """Remove shards from a number on, which an earlier and longer set has left; labels first, for it is they that are counted."""
    for what in ("labels", "images"):
        for path in place.glob(f"[0-9][0-9][0-9][0-9]-{what}"):
            if int(path.name[:4]) >= first:
                files.remove(path)
