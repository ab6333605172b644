"""One epoch on a small network of ours: weights, loss and accuracy must be those of a right loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handlens.course import wire
from handlens.course.counting import CLOSE, are_apart, judge_count
from handlens.course.probing import batches, is_close, labels, missing_zero_grad, pictures, state
from handlens.course.verdict import Mistake

NEEDS = ("train_epoch",)
CAUSES = (
    *("accuracy_broadcast", "argmax_wrong_dim", "backward_twice", "broken_graph", "call_without_parentheses", "loss_args_swapped"),
    *("max_not_unpacked", "missing_backward", "missing_step", "missing_zero_grad", "model_reset_each_epoch", "no_grad_in_training"),
    *("same_batch_every_step", "softmax_before_ce", "zero_grad_after_backward", "zero_grad_per_epoch", "loss_on_argmax"),
)
_COUNT, SIZE, _LR = 44, 8, 0.2
SIZES = [len(part) for part in torch.empty(_COUNT).split(SIZE)]
_ON_THE_WAY = "Count the hits in the training loop, from the scores of which you take the loss."


def network() -> nn.Module:
    """A small one, in which training and evaluation differ."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 10))


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Images, labels, and the weights that the network begins with."""
    while True:  # all of it anew: with some networks hardly any images would do
        torch.manual_seed(int(torch.randint(1 << 30, (1,), generator=chance)))
        start = {f"start.{name}": one for name, one in state(network()).items()}
        given = {"images": pictures(chance, _COUNT), "labels": labels(chance, _COUNT) % 3, **start}
        weights, _, hits = epoch(given)
        after = float(_after(given, weights).double().mean())
        if are_apart(hits, SIZES, after) and hits.double().mean() > 0.15:  # so that each mistake shows
            return given


def begin(given: dict[str, Tensor]) -> nn.Module:
    """The network as it begins."""
    model = network()
    model.load_state_dict({name.removeprefix("start."): one for name, one in given.items() if name.startswith("start.")})
    return model


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The learner's epoch; the network comes in eval mode, as it does after a test."""
    model = begin(given).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=_LR)
    back = names["train_epoch"](model, batches(given["images"], given["labels"], SIZE), nn.CrossEntropyLoss(), optimizer)
    return {"back": back, "weights": state(model)}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """The weights first, then what is told of them."""
    expected, losses, hits = epoch(given)
    if (mistake := judge_weights(given, values["weights"], expected)) is not None:
        return mistake
    back = wire.plain(values["back"])
    back = list(back.values()) if isinstance(back, dict) else back
    parts = list(back) if isinstance(back, list) or (isinstance(back, Tensor) and back.ndim) else []
    if len(parts) != 2:
        return Mistake(
            "two_numbers",
            "The weights are right; give the loss and the accuracy back as well.",
            "End it with: return average_loss, accuracy",
        )
    return _judge_loss(wire.number(parts[0]), losses) or _judge_accuracy(parts[1], hits, _after(given, expected))


def epoch(given: dict[str, Tensor], change: str = "") -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What a right loop does, or one with a mistake: the weights, the loss of each batch, and which images were right."""
    model = begin(given).train("eval" not in change)
    optimizer = torch.optim.SGD(model.parameters(), lr=_LR)
    losses, hits = [], []
    for images, targets in batches(given["images"], given["labels"], SIZE)[: 1 if change == "first" else None]:
        scores = model(images)
        loss = F.cross_entropy(scores, targets)
        if "accumulate" not in change:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        hits.append(scores.argmax(1) == targets)
    return state(model), torch.stack(losses), torch.cat(hits)


_KNOWN: dict[str, Callable[[], Mistake]] = {
    "eval": lambda: Mistake(
        "missing_train_mode",
        "The network is still in eval mode: batch norm and dropout do not train.",
        "Begin the epoch with model.train().",
    ),
    "first": lambda: Mistake(
        "early_return_in_loop", "Only the first batch is trained on.", "Put return (or break) behind the loop, not into it."
    ),
    "accumulate": missing_zero_grad,
}
_KNOWN["eval accumulate"] = _KNOWN["accumulate"]


def judge_weights(given: dict[str, Tensor], weights: Any, expected: dict[str, Tensor]) -> Mistake | None:
    """The weights of a right loop, or of which mistake."""
    if _same(weights, expected):
        return None
    if _same(weights, begin(given).state_dict(), learned=True):
        return Mistake(
            "nothing_moves", "After the epoch the weights are what they were before.", "Each batch needs: zero_grad, backward, step."
        )
    known = next((name for name in _KNOWN if _same(weights, epoch(given, name)[0])), "")
    if known:
        return _KNOWN[known]()
    if _same(weights, expected, learned=True):
        sentence = "The images go through the network twice: that moves the means of its batch norm twice."
        return Mistake("second_pass", sentence, _ON_THE_WAY)
    off = max(float((wire.plain(weights[name]) - one).abs().max()) for name, one in expected.items() if one.is_floating_point())
    sentence = "The weights after one epoch are not those of the usual loop."
    return Mistake(
        "other_weights", sentence, "For each batch once: scores, loss, zero_grad, backward, step.", f"They differ by up to {off:.3f}."
    )


def _same(weights: dict[str, Any], expected: dict[str, Tensor], *, learned: bool = False) -> bool:
    names = [name for name in expected if not (learned and ("running" in name or "num_batches" in name))]
    return all(torch.allclose(wire.plain(weights[name]).double(), expected[name].double(), atol=1e-4) for name in names)


def _judge_loss(loss: float | None, losses: Tensor) -> Mistake | None:
    by_batch, by_image = float(losses.mean()), float((losses * torch.tensor(SIZES)).sum() / _COUNT)
    if loss is not None and min(abs(loss - by_batch), abs(loss - by_image)) < 2e-3:
        return None
    seen = f"You give {loss}; the average is {by_batch:.4f}."
    if is_close(loss, float(losses.sum()), 1e-2):
        return Mistake(
            "loss_not_averaged", "This is the sum of the losses, not their average.", "Divide it by the number of batches.", seen
        )
    if is_close(loss, float(losses[-1]), 2e-3):
        return Mistake(
            "last_loss", "This is the loss of the last batch alone.", "Add the losses up, and divide by the number of batches.", seen
        )
    return Mistake(
        "other_loss", "The first number is not the average loss of the epoch.", "total_loss += loss.item(), and divide at the end.", seen
    )


def _judge_accuracy(value: Any, hits: Tensor, after: Tensor) -> Mistake | None:
    """Of the whole epoch, counted on the way."""
    if is_close(value, float(hits.double().mean()), CLOSE):
        return None
    if is_close(value, float(after.double().mean()), CLOSE):
        sentence = "This accuracy is measured after the epoch; asked is that of the scores while it trains."
        return Mistake("second_pass", sentence, _ON_THE_WAY, f"After the epoch {int(after.sum())} of {len(after)} are right.")
    return judge_count(value, hits, SIZES)


def _after(given: dict[str, Tensor], weights: dict[str, Tensor]) -> Tensor:
    """Which images are right after the epoch, in eval mode."""
    model = network()
    model.load_state_dict(weights)
    answers: Tensor = model.eval()(given["images"]).argmax(1)
    return answers == given["labels"]
