"""Exercise 5, solved: the accuracy on unseen images."""

import torch


def evaluate(model, batches):
    model.eval()
    correct, total = 0, 0
    with torch.no_grad():
        for images, labels in batches:
            predictions = model(images).argmax(1)
            correct += (predictions == labels).sum().item()
            total += len(labels)
    return correct / total
