"""Losses that a program writes by itself: `-scores.log_softmax(1)[range(n), y].mean()` is found in the graph of its gradient."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_NEAR = 0.02  # small numbers are added before a logarithm


@dataclass(frozen=True)
class Handwritten:
    """A negative log-likelihood: the name of PyTorch's function that gives the same, the scores, and the labels."""

    name: str
    scores: Tensor
    target: Tensor


@torch.no_grad()
def recognised(loss: Tensor, nodes: Iterable[Any], outputs: Iterable[Tensor]) -> Handwritten | None:
    """Which negative log-likelihood a loss is, if it is one: its value is that of certain scores and labels.

    Args:
        loss: one number.
        nodes: those of its graph.
        outputs: what networks gave on the way to it.
    """
    known = list(nodes)
    given = [one.detach() for one in (*_scores(known), *outputs) if one.ndim == 2]
    for target, scores in itertools.product(_targets(known), given):
        if len(scores) != len(target):
            continue
        sums = scores.sum(1)
        chances = bool((scores >= 0).all()) and (torch.allclose(sums, torch.ones_like(sums), atol=1e-3) or _columns(scores))
        logs = scores.clamp_min(1e-9).log() if chances else scores
        if _is(loss, logs, target):
            soft = target.is_floating_point()
            return Handwritten("cross_entropy" if soft else "nll_loss", logs.clone(), target.clone())
    return None


def _columns(scores: Tensor) -> bool:
    sums = scores.sum(0)
    return torch.allclose(sums, torch.ones_like(sums), atol=1e-3)


def _is(loss: Tensor, logs: Tensor, target: Tensor) -> bool:
    if target.is_floating_point():
        each = -(target * logs).sum(1)
    elif int(target.min()) < 0 or int(target.max()) >= logs.shape[1]:
        return False
    else:
        each = -logs.gather(1, target[:, None])[:, 0]
    return any(torch.allclose(loss.detach(), value, rtol=_NEAR, atol=1e-5) for value in (each.mean(), each.sum()))


def _targets(nodes: list[Any]) -> Iterator[Tensor]:
    """Labels by which scores were picked, or with which they were multiplied."""
    for node in nodes:
        kind = type(node).__name__
        with contextlib.suppress(Exception):  # what a node has kept is no promise
            if kind == "GatherBackward0":
                yield node._saved_index.flatten()
            elif kind == "IndexBackward0":
                yield node._saved_indices[-1].flatten()
            elif kind == "MulBackward0":
                yield from (_labels(one) for one in (node._saved_self, node._saved_other) if one is not None and _are_shares(one))


def _are_shares(factor: Tensor) -> bool:
    return (
        factor.ndim == 2
        and factor.shape[1] > 1
        and not factor.requires_grad
        and torch.allclose(factor.sum(1), torch.ones_like(factor[:, 0]))
    )


def _labels(shares: Tensor) -> Tensor:
    """Class numbers, if each row is one class."""
    return shares.argmax(1) if bool((shares.amax(1) == 1).all()) else shares


def _scores(nodes: list[Any]) -> Iterator[Tensor]:
    for node in nodes:
        if type(node).__name__ in ("LogSoftmaxBackward0", "SoftmaxBackward0"):
            with contextlib.suppress(Exception):
                yield node._saved_result
        elif type(node).__name__ == "DivBackward0":  # exponentials by their sum
            with contextlib.suppress(Exception):
                yield node._saved_self / node._saved_other
