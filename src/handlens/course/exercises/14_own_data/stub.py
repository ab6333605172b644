"""Exercise 14 (homework 3): prepare a picture of your own handwriting as MNIST does.

prepare(picture) gets a picture as Image.open gives it: colour, dark ink on light paper, any size, the digit anywhere.

returns  float32, 1,28,28, from 0 to 1: white on black, the digit 20 pixels on its longer side, its centre of mass in the middle,
         paper quite black

Each step can be seen: plt.imshow it. When you are done: handlens course check own-data
"""

import numpy as np
import torch
from PIL import Image


def prepare(picture):
    # TODO: grey, and white on black (paper becomes 0)
    # TODO: cut out the ink, resize it to 20 pixels
    # TODO: put it into the middle of 28x28, from 0 to 1
    pass
