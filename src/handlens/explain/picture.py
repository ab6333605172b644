"""A picture file that is already what the network takes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handlens.errors import DataDamaged, DataMissing, UsageError
from handlens.files import printable


def read_picture(path: Path, shape: Sequence[int]) -> NDArray[np.uint8]:
    """Read a picture of exactly the size that a network takes: `uint8` C,H,W. Grey or RGB is made of any colours.

    Args:
        path: the file: PNG, JPEG, or whatever Pillow reads.
        shape: channels (1 or 3), height and width.

    Raises:
        DataMissing: there is no such file.
        DataDamaged: it is no picture.
        UsageError: it has another size.
    """
    where, (channels, height, width) = printable(str(path)), shape
    if not path.is_file():
        raise DataMissing(f"There is no picture '{where}'.", hint="Give the number of an image of the split, or a picture file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path) as picture:
                if picture.size != (width, height):
                    raise UsageError(
                        f"The picture is {picture.size[0]}x{picture.size[1]} pixels; the network takes {width}x{height}.",
                        where=where,
                        hint="Only a picture of exactly that size can be explained so far: cut it out and scale it before.",
                    )
                pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise DataDamaged(f"This is no picture that can be read: {error}.", where=where) from error
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
