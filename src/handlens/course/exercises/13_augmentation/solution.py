"""Exercise 13, solved: each digit is shifted by up to two pixels."""

import torch


def augment(images):
    moved = torch.zeros_like(images)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    for i in range(len(images)):
        down, right = torch.randint(0, 5, (2,)).tolist()
        moved[i] = padded[i, :, down : down + 28, right : right + 28]
    return moved
