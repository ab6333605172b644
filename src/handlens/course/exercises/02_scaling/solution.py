"""Exercise 2, solved: pixels from 0 to 1."""


def scale(images):
    return images.float() / 255
