"""Exercise 6 (task 1): networks of any width and depth.

make_net([256, 128]) makes the network 784 -> 256 -> 128 -> 10, make_net([32]) makes 784 -> 32 -> 10, and so on:
a Linear for each arrow, and a ReLU after each but the last.

hidden_sizes   a list of numbers, at least one
returns        a network: images N,1,28,28 in, scores N,10 out

Guess first: how many weights has [256, 128]? Then: handlens course check wider
"""

import torch
import torch.nn as nn


def make_net(hidden_sizes):
    # TODO: collect the layers, one pair of neighbouring sizes after the other
    # TODO: return nn.Sequential(...)
    pass
