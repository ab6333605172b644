"""Rates are tried on a small network; the losses must be those of a fresh one for each rate."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handlens.course import wire
from handlens.course.probing import batches, labels, missing_zero_grad, pictures, state
from handlens.course.verdict import Mistake
from handlens.words import counted

NEEDS = ("try_rates",)
CAUSES = (
    "missing_zero_grad",
    "missing_step",
    "missing_backward",
    "zero_grad_after_backward",
    "call_without_parentheses",
    "optimizer_wrong_params",
)
RATES = (0.5, 0.05, 0.001)
_SIZE, _COUNT = 8, 40


def network() -> nn.Module:
    """A small one."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 12), nn.Tanh(), nn.Linear(12, 10))


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Images, labels, and the weights that each network begins with."""
    torch.manual_seed(int(torch.randint(1 << 30, (1,), generator=chance)))
    start = {f"start.{name}": one for name, one in state(network()).items()}
    return {"images": pictures(chance, _COUNT), "labels": labels(chance, _COUNT), **start}


def _begin(given: dict[str, Tensor]) -> nn.Module:
    model = network()
    model.load_state_dict({name.removeprefix("start."): one for name, one in given.items() if name.startswith("start.")})
    return model


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """What the learner finds."""
    count = [0]

    def make_model() -> nn.Module:
        count[0] += 1
        return _begin(given)

    found = names["try_rates"](make_model, batches(given["images"], given["labels"], _SIZE), list(RATES))
    return {"found": found, "made": count[0]}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """One list of losses for each rate, as a fresh network has them with SGD."""
    found = values["found"]
    if isinstance(found, list) and len(found) == len(RATES) and all(isinstance(one, list) for one in found):
        found = dict(zip(RATES, found, strict=True))
    if not isinstance(found, dict) or set(found) != set(RATES):
        return _no_dictionary(found)
    lists = [found[rate] for rate in RATES]
    if any(isinstance(loss, wire.Tracked) for one in lists if isinstance(one, list) for loss in one):
        return Mistake("loss_tensor_kept", "The losses are kept with the whole graph that made them.", "Keep the number: loss.item().")
    losses = [wire.tensor(one) for one in lists]
    expected = _expected(given, anew=True)
    if all(
        one is not None and one.shape == right.shape and torch.allclose(one, right, atol=1e-3)
        for one, right in zip(losses, expected, strict=True)
    ):
        return None
    return _named(given, losses, expected, values["made"])


def _no_dictionary(found: Any) -> Mistake:
    keys = [*found] if isinstance(found, dict) else type(found).__name__
    return Mistake(
        "no_dictionary",
        "A dictionary is asked for: for each rate the list of its losses.",
        "losses[rate] = [...], and return losses.",
        f"There is: {keys}",
    )


def _expected(given: dict[str, Tensor], *, anew: bool, clear: bool = True) -> list[Tensor]:
    losses: list[list[float]] = []
    model = _begin(given)
    for rate in RATES:
        model = _begin(given) if anew else model
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        losses.append([])
        for images, targets in batches(given["images"], given["labels"], _SIZE):
            loss = F.cross_entropy(model(images), targets)
            if clear:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    return [torch.tensor(one, dtype=torch.float64) for one in losses]


def _named(given: dict[str, Tensor], losses: list[Tensor | None], expected: list[Tensor], made: int) -> Mistake:
    shapes = [None if one is None else tuple(one.shape) for one in losses]
    seen = f"{counted(made, 'network was', 'networks were')} made; lists of {shapes} losses, of {len(expected[0])} batches."
    if any(one is None or one.shape != expected[0].shape for one in losses):
        return Mistake(
            "one_loss_each",
            "For each rate there should be one loss for each batch.",
            "Begin a new list for each rate, and append loss.item() in the batch loop.",
            seen,
        )
    known = [one for one in losses if one is not None]
    if made < len(RATES) or _close(known, _expected(given, anew=False)):
        return Mistake(
            "same_model",
            "The rates share one network: the second begins where the first ended.",
            "Call make_model() inside the loop over the rates.",
            seen,
        )
    if all(torch.allclose(one, known[0], atol=1e-5) for one in known):
        return Mistake("rate_not_used", "All rates give the same losses.", "Give lr=rate to a new optimizer, inside the loop.", seen)
    if _close(known, _expected(given, anew=True, clear=False)):
        return missing_zero_grad(seen)
    if _close(known[::-1], expected):
        return Mistake(
            "keys_mixed",
            "The losses stand under the rate of another.",
            "Write losses[rate] in the loop, with the rate that was used.",
            seen,
        )
    return Mistake(
        "other_losses",
        "These are not the losses of SGD with these rates.",
        "torch.optim.SGD(model.parameters(), lr=rate), and the usual steps.",
        seen,
    )


def _close(found: list[Tensor], expected: list[Tensor]) -> bool:
    return all(torch.allclose(one, right, atol=1e-3) for one, right in zip(found, expected, strict=True))
