"""Exercise 4: train for one epoch.

train_epoch goes once through all batches. For each: scores, loss, clear the gradients, go backward, take a step.

model       any network; it may still be in eval mode from a test
batches     pairs (images, labels); a DataLoader, or a list
loss_fn     loss_fn(scores, labels) gives one number to make smaller
optimizer   holds the weights of the model
returns     the average loss of the batches, and the accuracy of the epoch (from 0 to 1)

When you are done: handlens course check training-loop
"""

import torch


def train_epoch(model, batches, loss_fn, optimizer):
    # TODO: switch to training mode
    # TODO: the loop; add up the losses, the hits and the number of images
    # TODO: return average_loss, accuracy
    pass
