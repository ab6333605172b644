"""The job in Keras 3 on PyTorch: `Sequential`, `compile`, `fit` on arrays."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import job

os.environ["KERAS_BACKEND"] = "torch"

import keras
from keras import layers


def network(name: str) -> Any:
    if name == "fc":
        hidden = [layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(64, "relu")]
    else:
        blocks = [(layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D()) for filters in (32, 64)]
        hidden = [*(layer for block in blocks for layer in block), layers.Flatten(), layers.Dense(128, "relu")]
    return keras.Sequential([layers.Input((28, 28, 1)), *hidden, layers.Dense(10)])


def train(work: job.Job) -> Callable[[Any], Any]:
    keras.utils.set_random_seed(work.seed)
    model = network(work.network)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(job.LR), loss=loss, metrics=["accuracy"])
    model.fit(work.fractions.transpose(0, 2, 3, 1), work.labels, batch_size=job.BATCH_SIZE, epochs=work.epochs, verbose=0)
    return lambda images: model.predict(images[..., None].astype("float32") / 255, verbose=0).argmax(1)


if __name__ == "__main__":
    job.main(train)
