"""The job in skorch: `NeuralNetClassifier` around the PyTorch network, `fit` on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import job
import torch
from skorch import NeuralNetClassifier


def train(work: job.Job) -> Callable[[Any], Any]:
    torch.manual_seed(work.seed)
    knobs = {"criterion": torch.nn.CrossEntropyLoss, "optimizer": torch.optim.Adam, "lr": job.LR, "batch_size": job.BATCH_SIZE}
    model = NeuralNetClassifier(
        job.torch_network(work.network), max_epochs=work.epochs, train_split=None, iterator_train__shuffle=True, verbose=0, **knobs
    )
    model.fit(work.fractions, work.labels)
    return lambda images: model.predict(images[:, None].astype("float32") / 255)


if __name__ == "__main__":
    job.main(train)
