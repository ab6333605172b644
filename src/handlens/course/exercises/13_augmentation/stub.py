"""Exercise 13 (bonus): move digits a little, at random.

augment(images) gives each image of a batch a small random change: a shift by up to 2 pixels (or a turn by up to 10 degrees).
Each time other ones, each image its own, black where nothing was, and never a flip: a mirrored 2 is no 2.

images   float32, N,1,28,28, from 0 (black) to 1; must stay as they are
returns  new images of the same shape

When you are done: handlens course check augmentation
"""

import torch


def augment(images):
    # TODO: for each image, draw a shift, and move it
    pass
