"""Exercise 11 (the challenge): a convolutional network.

MNISTCNN                     images N,1,28,28 in, raw scores N,10 out, with at least one nn.Conv2d
train_cnn(model, batches, optimizer)   one epoch; returns average_loss, accuracy (as in exercise 4)
test_cnn(model, batches)     the share of the images that are right (as in exercise 5)
conv_filters(model)          the weights of the first convolution, as plain numbers, to be looked at

Check part by part while you write: handlens course check cnn
Then train and keep the run: python 11_cnn.py     The kept network must read 98 % of the test images.
"""

import torch
import torch.nn as nn

import handlens as hl


class MNISTCNN(nn.Module):
    def __init__(self):
        super().__init__()
        # TODO: convolutions and poolings. The input has 1 channel and 28x28 pixels
        # TODO: fully connected layers. How large is the image after each pooling?

    def forward(self, x):
        # TODO: conv, relu, pool; once more; flatten; fully connected; return the scores
        pass


def train_cnn(model, batches, optimizer):
    # TODO: one epoch with nn.CrossEntropyLoss
    pass


def test_cnn(model, batches):
    # TODO: the accuracy
    pass


def conv_filters(model):
    # TODO: the weights of the first convolution
    pass


if __name__ == "__main__":
    mnist = hl.load("mnist")
    model = MNISTCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    batches = hl.batches(mnist.train, batch_size=64)
    for epoch in range(2):
        print(train_cnn(model, batches, optimizer))
    print("val accuracy", test_cnn(model, hl.batches(mnist.val, batch_size=500)))
    print("kept:", hl.course.keep(model))
