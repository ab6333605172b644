"""Exercise 14, solved: a picture of a digit, as MNIST has them."""

import numpy as np
import torch
from PIL import Image


def prepare(picture):
    grey = picture.convert("L")
    pixels = 255 - np.array(grey).astype(np.float32)
    pixels[pixels < 60] = 0
    rows, columns = np.nonzero(pixels)
    ink = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = ink.shape
    scale = 20 / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.array(Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR))
    image = np.zeros((28, 28), dtype=np.float32)
    rows, columns = np.indices(small.shape)
    top = min(max(round(13.5 - np.average(rows, weights=small)), 0), 28 - small.shape[0])
    left = min(max(round(13.5 - np.average(columns, weights=small)), 0), 28 - small.shape[1])
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    image = image / 255
    return torch.from_numpy(image).clamp(0, 1).unsqueeze(0)
