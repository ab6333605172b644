"""Exercise 7 (task 2): try learning rates fairly.

For each rate: make a fresh network, train it for one epoch with plain SGD, and keep the loss of each batch.
Fair means that only the rate differs.

make_model   make_model() gives a fresh network, with the same starting weights each time
batches      pairs (images, labels)
rates        a list such as [0.1, 0.01, 0.001]
returns      a dictionary: losses[rate] is the list of its losses

Guess first: what will the largest and the smallest rate do? Then: handlens course check learning-rates
"""

import torch
import torch.nn as nn


def try_rates(make_model, batches, rates):
    loss_fn = nn.CrossEntropyLoss()
    losses = {}
    # TODO: for each rate: a fresh network, its optimizer torch.optim.SGD, and one epoch
    return losses
