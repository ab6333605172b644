"""Exercise 3: build the network of the session.

MNISTNet takes images N,1,28,28 and gives ten raw scores for each: N,10.
Three fully connected layers: 784 -> 128 -> 64 -> 10, with ReLU between them (and none after the last).

When you are done: handlens course check mlp-forward
"""

import torch
import torch.nn as nn


class MNISTNet(nn.Module):
    def __init__(self):
        super().__init__()
        # TODO: the layers

    def forward(self, x):
        # TODO: flatten, then layer after layer; return the scores
        pass
