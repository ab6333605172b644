"""One training in many processes: each takes its part of every batch, and before a step their gradients are averaged.

    torchrun --nproc-per-node 2 -m handlens train session

starts two such processes, which PyTorch calls ranks; its `DistributedDataParallel` does the averaging (Li et al. 2020, "PyTorch
Distributed"). The loop is the one in `train`; without torchrun there is one rank, and everything here does nothing.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, distributed, nn

from handlens import seeds
from handlens.errors import TrainingError
from handlens.train import Loader, Row, State, set_epoch
from handlens.train import train as train_alone

_NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun tells each process
_PATIENCE = datetime.timedelta(minutes=10)
_MOST_LETTERS = 4096


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Belong to the ranks that torchrun has started, while the `with` lasts: with a card for each through NCCL, else through gloo."""
    if _are_joined() or not all(name in os.environ for name in _NAMES) or os.environ["WORLD_SIZE"] == "1":
        yield
        return
    cards = torch.cuda.device_count()
    if cards:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % cards)
    each_has_one = cards >= int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # NCCL wants no card twice
    distributed.init_process_group("nccl" if cards and each_has_one else "gloo", timeout=_PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _are_joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def count() -> int:
    """How many ranks there are."""
    return distributed.get_world_size() if _are_joined() else 1


def number() -> int:
    """Which of them this process is, from 0."""
    return distributed.get_rank() if _are_joined() else 0


def is_first() -> bool:
    """Whether this is the rank that writes and speaks."""
    return number() == 0


def _messenger() -> str:
    """Where a tensor must be to be sent."""
    return "cuda" if distributed.get_backend() == "nccl" else "cpu"


def tell(text: str = "") -> str:
    """Give a text from the first rank to all others; each calls this, waits for the others, and gets it."""
    if count() == 1:
        return text
    device = _messenger()
    letters = torch.zeros(_MOST_LETTERS, dtype=torch.uint8, device=device)
    encoded = text.encode()[:_MOST_LETTERS]
    letters[: len(encoded)] = torch.frombuffer(bytearray(encoded or b"\0"), dtype=torch.uint8)[: len(encoded)].to(device)
    with _saying_who_is_gone():
        distributed.broadcast(letters, 0)
    return bytes(letters.tolist()).rstrip(b"\0").decode()


class Part:
    """This rank's part of each batch of a loader that gives all ranks the same batches.

    Attributes:
        weight: what its gradient counts: the share of the batch that it is.
        seen: images in this epoch up to now.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.weight = 1.0
        self.seen = 0

    def __len__(self) -> int:
        return len(self.loader)

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes."""
        set_epoch(self.loader, epoch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        self.seen = 0
        for step, batch in enumerate(self.loader):
            if step == 0 and number():  # each its own dropout; the loader has begun with the same seed on all
                torch.manual_seed(seeds.seed_for("rank", torch.initial_seed(), number()))
            images, labels = batch[0], batch[1]
            mine = _part(len(labels), number(), count())
            self.weight = (mine.stop - mine.start) / len(labels) if len(labels) >= count() else 1 / count()
            self.seen += mine.stop - mine.start
            yield images[mine], labels[mine]


def _part(size: int, rank: int, ranks: int) -> slice:
    """Of a batch that has not one image for each, all take the whole."""
    return slice(size * rank // ranks, size * (rank + 1) // ranks) if size >= ranks else slice(0, size)


class Replica(nn.parallel.DistributedDataParallel):
    """The network on this rank. Its weights have the names that they have without ranks."""

    def state_dict(self, *args: Any, **options: Any) -> Any:
        """Of the network within."""
        return self.module.state_dict(*args, **options)


class Averaging:
    """Adds up the gradients of all ranks, each weighed by its part of the batch.

    Attributes:
        waited_s: how long this rank had nothing to do but to wait for that; counted on processors only.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self.waited_s = 0.0

    def add_up(self, bucket: torch._C._distributed_c10d.GradBucket) -> torch.futures.Future[Tensor]:
        """Called for each part of the gradient as soon as it is there; after the last one, the step waits."""
        start, last = time.perf_counter(), bucket.is_last()
        work = distributed.all_reduce(bucket.buffer().mul_(self.part.weight), async_op=True)

        def landed(done: torch.futures.Future[list[Tensor]]) -> Tensor:
            self.waited_s += (time.perf_counter() - start) * last
            return done.value()[0]

        future: torch.futures.Future[Tensor] = work.get_future().then(landed)
        return future


def train(state: State, loader: Loader, val: tuple[Tensor, Tensor] | None = None, *, epochs: int = 5, every: int = 0) -> Iterator[Row]:
    """`handlens.train.train` on all ranks: the same global batches, and rows of metrics that are of all of them together.

    With more than one rank a row has `waited_s` too: the seconds of the epoch in which this rank waited for the others' gradients;
    not through NCCL, where nobody can tell from here.

    Raises:
        TrainingError: another rank is gone.
    """
    if count() == 1:
        yield from train_alone(state, loader, val, epochs=epochs, every=every)
        return
    part, network = Part(loader), state.model
    averaging = Averaging(part)
    with _saying_who_is_gone():
        state.model = Replica(network)
        state.model.register_comm_hook(averaging, lambda averaging, bucket: averaging.add_up(bucket))  # it wants no names of types
        try:
            for row in train_alone(state, part, val, epochs=epochs, every=every):
                if "step" not in row:
                    row.update(_of_all(row, part.seen))
                    if _messenger() == "cpu":  # NCCL is done when it has been asked, not when it has arrived
                        row["waited_s"] = averaging.waited_s
                    averaging.waited_s = 0.0
                yield row
        finally:
            state.model = network


def in_words(rows: list[Row]) -> str:
    """How fast all were together, and what the averaging cost."""
    seconds = max(sum(row["time_s"] for row in rows), 1e-9)
    speed = sum(row["images_per_s"] * row["time_s"] for row in rows) / seconds
    each = f"{count()} processes took {speed:,.0f} images/s together, {speed / count():,.0f} each"
    waited = [row["waited_s"] for row in rows if row.get("waited_s") is not None]
    return f"{each}; {sum(waited) / seconds:.0%} of the time went into waiting for each other's gradients." if waited else f"{each}."


def _of_all(row: Row, seen: int) -> Row:
    """What was measured while training is weighed by the images that each rank saw; speeds are added up."""
    names = [name for name in row if name.startswith(("train_", "val_", "images_"))]
    parts = [seen if name.startswith("train_") else 1 for name in names]
    sums = torch.tensor(
        [[row[name] * part, part] for name, part in zip(names, parts, strict=True)], dtype=torch.float64, device=_messenger()
    )
    distributed.all_reduce(sums)
    means = (sums[:, 0] / sums[:, 1]).tolist()
    return {name: mean * (count() if name.startswith("images_") else 1) for name, mean in zip(names, means, strict=True)}


@contextlib.contextmanager
def _saying_who_is_gone() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, distributed.DistError) and "gloo" not in str(error):
            raise
        hint = "What was saved is kept: start all of them again, with --resume latest."
        raise TrainingError("Another process of this training has ended, or cannot be reached.", hint=hint) from error
