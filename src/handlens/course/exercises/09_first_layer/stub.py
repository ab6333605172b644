"""Exercise 9 (task 4): what has the first layer learned?

Each unit of model.fc1 has one weight for each pixel: drawn as 28x28 they are a picture of what it looks for.

model     a network whose first layer is model.fc1, with 784 inputs
returns   a tensor units,28,28: the weights as they are, ready for Matplotlib

When you are done: handlens course check first-layer
"""

import torch


def first_layer(model):
    # TODO: one line
    pass
