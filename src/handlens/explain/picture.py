"""A picture file that is already what the network takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handlens.data import pictures
from handlens.errors import DataDamaged, DataMissing, HandlensError, UsageError
from handlens.files import is_file, printable, read_bytes

_MOST_BYTES = 1 << 26


def read_picture(path: Path, shape: Sequence[int]) -> NDArray[np.uint8]:
    """Read a picture of exactly the size that a network takes: `uint8` C,H,W. Grey or RGB is made of any colours.

    Args:
        path: the file: PNG, JPEG, or whatever Pillow reads.
        shape: channels (1 or 3), height and width.

    Raises:
        FileError: the system does not let us look at it.
        DataMissing: there is no such file.
        DataDamaged: it is no picture.
        UsageError: it has another size.
    """
    where, (channels, height, width) = printable(str(path)), shape
    if not is_file(path):
        raise DataMissing(f"There is no picture '{where}'.", hint="Give the number of an image of the split, or a picture file.")
    try:
        with pictures.opened(read_bytes(path, _MOST_BYTES)) as picture:
            if picture.size == (width, height):
                pixels = np.asarray(pictures.plain(picture, "L" if channels == 1 else "RGB"), dtype=np.uint8)
                return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
            found = f"{picture.size[0]}x{picture.size[1]}"
    except HandlensError:
        raise
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them stumble over
        raise DataDamaged(f"This is no picture that can be read: {printable(pictures.in_words(error))}.", where=where) from error
    raise UsageError(
        f"The picture is {found} pixels; the network takes {width}x{height}.",
        where=where,
        hint="Only a picture of exactly that size can be explained so far: cut it out and scale it before.",
    )
