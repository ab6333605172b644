"""The job as the session's own script does it: see `bench/session_script.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import job
import session_script
import torch

from handlens.data import Split


def train(work: job.Job) -> Callable[[Any], Any]:
    split = Split(torch.from_numpy(work.images), torch.from_numpy(work.labels), tuple("0123456789"))
    torch.manual_seed(work.seed)
    model = session_script.train(split, work.epochs, work.seed, job.torch_network(work.network))
    return lambda images: model(torch.from_numpy(images[:, None]).float() / 255).argmax(1)


if __name__ == "__main__":
    job.main(train)
