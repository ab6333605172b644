"""Exercise 8 (task 3): add dropout where it belongs.

DropoutNet is the network of the session with dropout (p = 0.2 to 0.5) after a hidden layer's ReLU.
In training mode it switches units off at random; in eval mode it must not.

What is overfitting, and how might this help? Think first, then: handlens course check dropout
"""

import torch
import torch.nn as nn


class DropoutNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(28 * 28, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)
        # TODO: a dropout layer

    def forward(self, x):
        x = x.flatten(1)
        x = torch.relu(self.fc1(x))
        # TODO: use it here
        x = torch.relu(self.fc2(x))
        return self.fc3(x)
