"""Exercise 7, solved: learning rates, tried fairly."""

import torch
import torch.nn as nn


def try_rates(make_model, batches, rates):
    loss_fn = nn.CrossEntropyLoss()
    losses = {}
    for rate in rates:
        model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        losses[rate] = []
        for images, labels in batches:
            loss = loss_fn(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[rate].append(loss.item())
    return losses
