"""Exercise 16 (homework 4): find the worst mistakes, and what is confused most.

worst(scores, labels, top)          the places of the `top` images with the largest loss, the worst first
most_confused(predictions, labels)  the pair (true digit, predicted digit) that occurs most often among the mistakes

scores        raw scores, N,10
predictions   the predicted digits, N
labels        the true digits, N

When you are done: handlens course check errors
"""

import torch
import torch.nn.functional as F


def worst(scores, labels, top):
    # TODO: the loss of each image; sort
    pass


def most_confused(predictions, labels):
    # TODO: count the pairs of the mistakes
    pass
