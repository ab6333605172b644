"""Exercise 11 (the challenge): a convolutional network.

Yours to write:
MNISTCNN              images N,1,28,28 in, raw scores N,10 out, with at least one nn.Conv2d
conv_filters(model)   the weights of the first convolution, as plain numbers, to be looked at; one line

Written already, as in lesson 2 (from memory they are exercises 4 and 5):
train_cnn(model, batches, optimizer)   one epoch; returns average_loss, accuracy
test_cnn(model, batches)               the share of the images that are right

Check part by part while you write: handlens course check cnn
Then train and keep the run: python 11_cnn.py     The kept network must read 98 % of the test images.
For a first try let the loop at the end run for one epoch only: range(1).
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


def conv_filters(model):
    # TODO: one line: the weight of your first convolution; .detach() makes plain numbers of it
    pass


def train_cnn(model, batches, optimizer):
    loss_fn = nn.CrossEntropyLoss()
    model.train()
    total_loss, correct, total, count = 0.0, 0, 0, 0
    for images, labels in batches:
        scores = model(images)
        loss = loss_fn(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
        correct += (scores.argmax(1) == labels).sum().item()
        total += len(labels)
        count += 1
    return total_loss / count, correct / total


def test_cnn(model, batches):
    model.eval()
    hits, seen = 0, 0
    with torch.no_grad():
        for images, labels in batches:
            hits += (model(images).argmax(1) == labels).sum().item()
            seen += len(labels)
    return hits / seen


if __name__ == "__main__":
    mnist = hl.load("mnist")
    model = MNISTCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    batches = hl.batches(mnist.train, batch_size=64)
    for epoch in range(3):
        loss, accuracy = train_cnn(model, batches, optimizer)
        print(f"epoch {epoch + 1}: loss {loss:.4f}, training accuracy {accuracy:.2%}")
    print(f"on images kept apart (val): {test_cnn(model, hl.batches(mnist.val, batch_size=500)):.2%}")
    print("kept:", hl.course.keep(model))
