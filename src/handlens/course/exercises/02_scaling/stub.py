"""Exercise 2: bring pixels from 0..255 to 0..1.

scale(images) gets pixels as they are stored, and gives them as a network likes them.

images   uint8, N,1,28,28, from 0 (black) to 255 (white)
returns  float32 of the same shape, from 0.0 to 1.0

When you are done: handlens course check scaling
"""


def scale(images):
    # TODO: one line. What does 128 become?
    pass
