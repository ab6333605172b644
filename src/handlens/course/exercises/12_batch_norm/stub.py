"""Exercise 12 (bonus): batch normalisation.

MNISTCNN is your CNN with nn.BatchNorm2d behind each convolution, before the ReLU.
It brings each channel of a batch to mean 0 and spread 1; in eval mode it uses the means that it has seen in training.

When you are done: handlens course check batch-norm
"""

import torch
import torch.nn as nn


class MNISTCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        # TODO: a batch norm for each: how many channels has it?
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(32 * 7 * 7, 10)

    def forward(self, x):
        # TODO: conv, batch norm, relu, pool
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.fc(x.flatten(1))
