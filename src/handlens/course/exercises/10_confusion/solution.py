"""Exercise 10, solved: a confusion matrix, counted by hand."""

import torch


def count_confusions(labels, predictions):
    table = torch.zeros(10, 10, dtype=torch.long)
    for true, predicted in zip(labels, predictions):
        table[true, predicted] += 1
    return table
