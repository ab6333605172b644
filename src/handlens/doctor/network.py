"""The doctor beside `handlens train`: a learner's own network, where loop, loss and images are ours."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handlens import models
from handlens.doctor.case import Case
from handlens.doctor.cause import Diagnosis, conclude
from handlens.doctor.program import Program
from handlens.doctor.rehearsal import Rehearsal
from handlens.doctor.seen import Seen
from handlens.doctor.watch import Watcher
from handlens.errors import HandlensError
from handlens.files import read_source

_IMAGES, _STEPS, _SECONDS = 64, 3, 0.15
# What a network can have; the rest is about programs. None of it needs a network to be trained on trial.
OF_NETWORKS = (
    *("batch_scramble", "broken_graph", "class_not_instance", "constant_init", "dead_relu", "defined_but_unused", "double_scaling"),
    *("dropout_wrong_place", "flatten_whole_batch", "forward_returns_none", "forward_typo", "frozen_by_mistake", "init_too_large"),
    *("layers_in_forward", "missing_channel_dim", "missing_flatten", "missing_super_init", "no_activation", "no_grad_in_training"),
    *("pooled_away", "relu_on_output", "softmax_before_ce", "softmax_no_dim", "softmax_wrong_dim", "too_few_classes"),
    *("unregistered_layers", "vanishing_sigmoid", "wrong_flatten_size", "wrong_in_channels", "wrong_norm_stats"),
)


def look_over(reference: str, images: Tensor, labels: Tensor) -> Diagnosis:
    """Say what is wrong with a learner's own network: it is made anew, and takes a few steps with some images.

    Random state stays as it is. It takes a few tenths of a second, whatever the network.

    Args:
        reference: `FILE.py:Class`.
        images: N,C,H,W, as `handlens.data` has them.
        labels: N.
    """
    path = Path(reference.rpartition(":")[0]).absolute()
    program = Program.of_file(str(path), read_source(path))
    with torch.random.fork_rng(), warnings.catch_warnings(), Watcher(program).watching() as seen:
        warnings.simplefilter("ignore")
        try:
            _rehearse(models.from_file(str(path) + ":" + reference.rpartition(":")[2]), models.to_float(images), labels)
        except HandlensError as error:  # with the learner's own behind it
            seen.failure = program.failure(error.__cause__ or error)
        except Exception as error:  # whatever a learner's network may raise
            seen.failure = program.failure(error)
    return _conclude(program, seen)


def _rehearse(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    batches = list(zip(images.split(_IMAGES), labels.split(_IMAGES), strict=True))
    Rehearsal(model, F.cross_entropy, torch.optim.SGD(model.parameters(), lr=0.01), batches).run(_STEPS, _SECONDS)


def _conclude(program: Program, seen: Seen) -> Diagnosis:
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return conclude(Case(program.script(), seen, probing=False), OF_NETWORKS)
