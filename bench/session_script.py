"""The session's own way to train, as a function to be measured: a `DataLoader` that converts each image by itself, plain Adam, `.item()`.

Written anew after the structure of the session's script: Pillow image, bytes to fractions, one image after another.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from handlens.data import Split


class OneByOne(Dataset[tuple[Tensor, int]]):
    """Hands out each image as torchvision's MNIST with `ToTensor` does: a Pillow image, then a tensor of fractions."""

    def __init__(self, split: Split) -> None:
        self.images = split.images.squeeze(1).numpy()
        self.labels = split.labels.tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index])
        pixels = torch.from_numpy(np.array(picture, dtype=np.uint8)).view(28, 28, 1)
        return pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255), self.labels[index]


def network() -> nn.Module:
    """784-128-64-10 with ReLU."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def train(split: Split, epochs: int, seed: int, model: nn.Module | None = None) -> nn.Module:
    """Train as the session does, with its statistics after each batch: its own network, or another one."""
    torch.manual_seed(seed)
    model = model or network()
    loader = DataLoader(OneByOne(split), batch_size=64, shuffle=True)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for _ in range(epochs):
        model.train()
        loss_sum, right, seen = 0.0, 0, 0
        for images, labels in loader:
            logits = model(images)
            loss = loss_function(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.item()
            right += int((torch.max(logits.detach(), 1)[1] == labels).sum().item())
            seen += len(labels)
    return model
