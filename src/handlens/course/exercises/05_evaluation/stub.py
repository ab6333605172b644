"""Exercise 5: measure the accuracy.

evaluate asks the network about images that it has not trained on, and counts how many answers are right.

model     any network; it may still be in training mode
batches   pairs (images, labels); the last one may be smaller
returns   the share of the images that are right, from 0 to 1

When you are done: handlens course check evaluation
"""

import torch


def evaluate(model, batches):
    # TODO: switch to eval mode
    # TODO: without gradients: go through the batches, count hits and images
    # TODO: return the share
    pass
