"""The job through handlens' own loop, with the memory order that its fast presets have for convolutions; all in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import job
import torch

import handlens as hl
from handlens import device, models
from handlens.optim import make_optimizer


def train(work: job.Job) -> Callable[[Any], Any]:
    split = hl.Split(torch.from_numpy(work.images), torch.from_numpy(work.labels), tuple("0123456789"))
    model: Any = hl.models.MLP((128, 64), seed=work.seed) if work.network == "fc" else hl.models.CNN((32, 64), seed=work.seed)
    if work.network == "cnn":
        model = model.to(memory_format=torch.channels_last)
    state = hl.State(model, make_optimizer(model, "adam", lr=job.LR))
    with device.settled(torch.device("cpu"), torch.get_num_threads()):
        for _row in hl.train(state, hl.batches(split, job.BATCH_SIZE, seed=work.seed), epochs=work.epochs):
            pass
    return lambda images: models.predict_logits(model, torch.from_numpy(images[:, None])).argmax(1)


if __name__ == "__main__":
    job.main(train)
