"""The convolutional network: filters that look at a few pixels at a time, the same everywhere in the image (LeCun et al. 1989)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack

from torch import nn

from handlens.errors import ModelError
from handlens.models.checks import check_share, check_sizes, check_word
from handlens.models.networks import ACTIVATIONS, Classifier, Task, dense

Each = TypeVar("Each", int, str)

POOLINGS = ("max", "average", "stride", "early")
PADDINGS = ("same", "none")


class CNN(Classifier):
    """Blocks of convolution, activation and pooling, then fully connected layers. All sizes in between are computed.

    Args:
        channels: filters in each block; as many blocks as numbers.
        kernel_size: height and width of the filters: one number for all blocks, or one each.
        padding: `same` keeps the size of the image (with odd kernels), `none` loses a rim at the convolution. One for all blocks,
            or one each.
        pooling: how a block halves the image: `max` or `average` of each 2x2 pixels, or instead a `stride` of 2 in the convolution;
            `early` is `max` before batch norm and activation, which then have a quarter of the work. One for all blocks, or one each.
        hidden_sizes: units in each fully connected layer between the blocks and the logits.
        activation: a key of `ACTIVATIONS`.
        batch_norm: normalise what each filter gives over the batch, before the activation (Ioffe and Szegedy 2015).
        dropout: share of the fully connected hidden units that is silenced at random while training.
        task: see `Task`.

    Raises:
        ModelError: a size below 1, an unknown word, or more blocks than the image can be halved.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 64),
        *,
        kernel_size: Sequence[int] = (3,),
        padding: str | Sequence[str] = "same",
        pooling: str | Sequence[str] = "max",
        hidden_sizes: Sequence[int] = (128,),
        activation: str = "relu",
        batch_norm: bool = False,
        dropout: float = 0.0,
        **task: Unpack[Task],
    ) -> None:
        for name, sizes in (("channels", channels), ("kernel_size", kernel_size), ("hidden_sizes", hidden_sizes)):
            check_sizes(name, sizes)
        paddings, poolings = _known_words("padding", padding, PADDINGS), _known_words("pooling", pooling, POOLINGS)
        check_word("activation", activation, ACTIVATIONS)
        check_share("dropout", dropout)
        kernels = one_each(kernel_size, len(channels))
        rims, halvings = one_each(paddings, len(channels)), one_each(poolings, len(channels))

        def make(task: Task) -> nn.Sequential:
            depth, size, layers = task["in_channels"], task["image_size"], list[nn.Module]()
            for filters, kernel, rim, halving in zip(channels, kernels, rims, halvings, strict=True):
                block = _Block(depth, filters, kernel, rim, halving)
                layers += block.layers(activation, batch_norm)
                depth, size = filters, block.size_after(size)
            return nn.Sequential(
                *layers, nn.Flatten(), *dense(depth * size**2, hidden_sizes, task["num_classes"], activation, dropout=dropout)
            )

        options: dict[str, Any] = {"channels": tuple(channels), "kernel_size": tuple(kernel_size), "padding": paddings, "pooling": poolings}
        options |= {"hidden_sizes": tuple(hidden_sizes), "activation": activation, "batch_norm": batch_norm, "dropout": dropout}
        super().__init__(options, task, make)


@dataclass(frozen=True)
class _Block:
    """One convolution with its pooling."""

    channels_in: int
    channels_out: int
    kernel: int
    padding: str
    pooling: str

    @property
    def margin(self) -> int:
        return self.kernel // 2 if self.padding == "same" else 0

    @property
    def stride(self) -> int:
        return 2 if self.pooling == "stride" else 1

    def layers(self, activation: str, batch_norm: bool) -> Iterator[nn.Module]:
        # Batch norm takes off the mean, and any bias with it.
        yield nn.Conv2d(self.channels_in, self.channels_out, self.kernel, self.stride, self.margin, bias=not batch_norm)
        if self.pooling == "early":
            yield nn.MaxPool2d(2)
        if batch_norm:
            yield nn.BatchNorm2d(self.channels_out)
        yield ACTIVATIONS[activation]()
        if self.pooling in ("max", "average"):
            yield nn.MaxPool2d(2) if self.pooling == "max" else nn.AvgPool2d(2)

    def size_after(self, size: int) -> int:
        """Height and width of the image behind this block.

        Raises:
            ModelError: nothing is left of it.
        """
        after = (size + 2 * self.margin - self.kernel) // self.stride + 1
        after = after if self.pooling == "stride" else after // 2
        if after < 1:
            raise ModelError(
                f"One block more leaves nothing of an image that is {size}x{size} before it.",
                hint="Use fewer channels (one number a block), smaller kernels, or padding 'same'.",
            )
        return after


def _known_words(name: str, words: str | Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    words = (words,) if isinstance(words, str) else tuple(words)
    for word in words:
        check_word(name, word, known)
    return words


def one_each(sizes: Sequence[Each], blocks: int) -> tuple[Each, ...]:
    """One size, or word, for each block: the only one for all, or as they are.

    Raises:
        ModelError: there are neither one nor as many as blocks.
    """
    if len(sizes) not in (1, blocks):
        raise ModelError(
            f"{len(sizes)} values do not go with {blocks} blocks: {','.join(map(str, sizes))}.",
            hint="Give one for all, or one for each block.",
        )
    return tuple(sizes) * blocks if len(sizes) == 1 else tuple(sizes)
