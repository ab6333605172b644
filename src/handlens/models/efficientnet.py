"""A network for photographs, of which there are weights learned from a million of them: EfficientNet-Lite0.

Source: M. Tan and Q. Le, "EfficientNet" (2019), in the variant for small devices of TensorFlow's repository `tpu` (2020). Its blocks are
those of MobileNetV2 (Sandler et al. 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Unpack

from torch import Tensor, nn
from torch.nn.functional import interpolate

from handlens.errors import ModelError
from handlens.models.networks import Classifier, Task

_STEP = 32  # it halves five times
# Of each stage: size of the filters, stride of the first block, how much wider a block is inside, channels, blocks.
_STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))


class EfficientNetLite0(Classifier):
    """Sixteen blocks of cheap convolutions: a filter looks at one channel only, and 1x1 convolutions mix the channels.

    It takes images of any size, grey or in colour, and enlarges them itself.

    Args:
        resize: height and width at which the images are looked at: 32, 64, 96, ... The time grows with the square; ImageNet's were 224.
        task: see `Task`.

    Raises:
        ModelError: another size; images of 2 or of more than 3 channels.
    """

    def __init__(self, *, resize: int = 96, **task: Unpack[Task]) -> None:
        if not isinstance(resize, Integral) or resize < _STEP or resize % _STEP:
            raise ModelError(f"resize cannot be {resize!r}.", hint=f"It is a multiple of {_STEP}: {_STEP}, {2 * _STEP}, {3 * _STEP}, ...")

        def make(task: Task) -> nn.Sequential:
            if task["in_channels"] not in (1, 3):
                raise ModelError(f"EfficientNet takes images of 1 or 3 channels, grey or in colour; these have {task['in_channels']}.")
            blocks, before = list[nn.Module](), 32
            for kernel, stride, factor, channels, count in _STAGES:
                for number in range(count):
                    blocks.append(InvertedResidual(before, channels, kernel, 1 if number else stride, factor))
                    before = channels
            stem, head = _convolution(3, 32, 3, stride=2), _convolution(before, 1280, 1)
            end = (nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, task["num_classes"]))
            return nn.Sequential(Prepare(resize), *stem, nn.ReLU6(), *blocks, *head, *end)

        super().__init__({"resize": resize}, task, make)


class Prepare(nn.Module):
    """Images as the weights learned on ImageNet know theirs: of one size, in three channels, from about -1 to 1."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        """Images N,1,H,W or N,3,H,W in [0, 1] to N,3,`size`,`size`."""
        images = interpolate(images, (self.size, self.size), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)
        return (images * 255 - 127) / 128  # not ImageNet's mean and spread: the Lite ones were trained with these numbers


class InvertedResidual(nn.Module):
    """Narrow, wide, narrow, and added to the input where the sizes are equal.

    A 1x1 convolution widens, one filter a channel looks around, a 1x1 convolution narrows.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int, factor: int) -> None:
        super().__init__()
        wide = channels_in * factor
        widen = [*_convolution(channels_in, wide, 1), nn.ReLU6()] if factor > 1 else []
        look = [*_convolution(wide, wide, kernel, stride, groups=wide), nn.ReLU6()]
        self.convolutions = nn.Sequential(*widen, *look, *_convolution(wide, channels_out, 1))
        self.adds = stride == 1 and channels_in == channels_out

    def forward(self, features: Tensor) -> Tensor:
        """Features N,C,H,W to N,C',H',W'."""
        found: Tensor = self.convolutions(features)
        return found + features if self.adds else found


def _convolution(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> Iterator[nn.Module]:
    """A convolution with its batch norm; one that halves has a wider rim on the right and below, as TensorFlow makes it."""
    rim = kernel - stride
    if stride > 1:
        yield nn.ZeroPad2d((rim // 2, rim - rim // 2) * 2)
    yield nn.Conv2d(channels_in, channels_out, kernel, stride, 0 if stride > 1 else rim // 2, groups=groups, bias=False)
    yield nn.BatchNorm2d(channels_out, eps=1e-3, momentum=0.01)
