"""The residual network for small images: blocks that add to their input instead of replacing it (He et al. 2016, section 4.2)."""

from __future__ import annotations

from typing import Unpack

from torch import Tensor, nn

from handlens.errors import ModelError
from handlens.models.checks import check_sizes
from handlens.models.networks import Classifier, Task


class ResNet(Classifier):
    """Three stages of residual blocks, each at half the height and width and with twice the channels of the one before.

    Args:
        depth: convolutions and the last linear layer together: 8, 14, 20, 26, ... (6n + 2, with n blocks a stage).
        width: channels of the first stage.
        task: see `Task`.

    Raises:
        ModelError: another depth, a width below 1.
    """

    def __init__(self, depth: int = 8, *, width: int = 16, **task: Unpack[Task]) -> None:
        check_sizes("depth and width", (depth, width))
        if depth < 8 or depth % 6 != 2:
            near = max(8, round((depth - 2) / 6) * 6 + 2)
            raise ModelError(f"A residual network cannot have a depth of {depth}.", hint=f"It is 8, 14, 20, ...; the nearest is {near}.")

        def make(task: Task) -> nn.Sequential:
            layers: list[nn.Module] = [nn.Conv2d(task["in_channels"], width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
            for channels in (width, 2 * width, 4 * width):
                for block in range((depth - 2) // 6):
                    layers.append(ResidualBlock(before, channels, stride=2 if block == 0 and channels > width else 1))
                    before = channels
            return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, task["num_classes"]))

        super().__init__({"depth": depth, "width": width}, task, make)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to the input; where the sizes differ, a 1x1 convolution makes them fit."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        fits = stride == 1 and channels_in == channels_out
        self.shortcut = nn.Identity() if fits else nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Features N,C,H,W to N,C',H',W'."""
        total: Tensor = self.activation(self.convolutions(features) + self.shortcut(features))
        return total
