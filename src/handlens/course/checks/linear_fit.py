"""Three lines that nobody can know before are learned from their points, and compared with the best line there is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.verdict import Mistake

NEEDS = ("fit",)
CAUSES = (
    *(
        "missing_zero_grad",
        "zero_grad_per_epoch",
        "zero_grad_after_backward",
        "missing_step",
        "missing_backward",
        "call_without_parentheses",
    ),
    *("no_grad_in_training", "optimizer_wrong_params", "backward_twice"),
)
_LINES = 3
TIMES = 4  # three lines, the first of them under the doctor's eyes: 5,000 steps for each should not be too many


NO_LOOP = Mistake(
    "no_loop",
    "The line is right, and computed in one go: here it should be learned, step by step.",
    "Write the loop of session 1: predict, loss, zero_grad, backward, step.",
    "There is no loop in the file.",
)


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Points on three lines, off by a little."""
    x = 2 * torch.rand(_LINES, 60, 1, generator=chance) - 1
    slopes = torch.tensor([2.0, -3.0, 0.5]) + 0.5 * torch.rand(_LINES, generator=chance)
    biases = torch.tensor([10.0, 4.0, -6.0]) + 0.5 * torch.rand(_LINES, generator=chance)
    y = slopes[:, None, None] * x + biases[:, None, None] + 0.1 * torch.randn(x.shape, generator=chance)
    return {"x": x, "y": y}


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The learner's first line."""
    return {"first": names["fit"](given["x"][0].clone(), given["y"][0].clone()), "loop": _has_loop(Path(names["__file__"]))}


def _has_loop(file: Path) -> bool:
    """Whether the text has a loop, or gradients: L-BFGS has its loop inside."""
    nodes = [*ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    return any(isinstance(one, ast.For | ast.While) or getattr(one, "attr", "") in ("backward", "grad") for one in nodes)


def play_on(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The others."""
    return {"others": [names["fit"](x.clone(), y.clone()) for x, y in zip(given["x"][1:], given["y"][1:], strict=True)]}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """Near to least squares, each of them."""
    best = torch.stack([_least_squares(x, y) for x, y in zip(given["x"], given["y"], strict=True)])
    lines = [_pair(line) for line in (values["first"], *values["others"])]
    if any(line is None for line in lines):
        return Mistake("two_numbers", "fit should give two numbers back: the slope and the bias.", "End it with: return w.item(), b.item()")
    found = torch.tensor(lines, dtype=torch.float64)
    if not found.isfinite().all():
        return Mistake(
            "lr_too_high",
            "The numbers grow beyond all bounds: the steps are too large.",
            "Try a learning rate ten times smaller.",
            f"w = {found[0, 0]}",
        )
    if (found - best).abs().max() < 0.15:
        return None if values["loop"] else NO_LOOP
    return _named(found, best, given["y"].mean((1, 2)))


def _named(found: Tensor, best: Tensor, middle: Tensor) -> Mistake:
    seen = f"Of the first points: w = {found[0, 0]:.2f}, b = {found[0, 1]:.2f}; the best line has {best[0, 0]:.2f} and {best[0, 1]:.2f}."
    if (found.flip(1) - best).abs().max() < 0.15:
        return Mistake("swapped", "Slope and bias come back in the other order.", "Return the slope first, then the bias.", seen)
    if (found - found[:1]).abs().max() < 1e-6:
        return Mistake(
            "nothing_learned",
            "Other points, the same line: nothing is learned from x and y.",
            "Each step needs: a loss of x and y, zero_grad, backward, step.",
            seen,
        )
    if found[:, 1].abs().max() < 0.05:
        return Mistake(
            "no_bias",
            "The line always goes through zero: the bias is not learned.",
            "Add b to the prediction, and give it to the optimizer.",
            seen,
        )
    if found[:, 0].abs().max() < 0.15 and (found[:, 1] - middle).abs().max() < 0.15:
        sentence = "The line stays flat: prediction and y have different shapes, so each meets every other."
        return Mistake("shapes_broadcast", sentence, "Print both shapes: they should both be N,1.", seen)
    sentence = "The line is on its way, and not there yet."
    return Mistake("not_there_yet", sentence, "Take more steps, or larger ones; each should use zero_grad, backward and step.", seen)


def _pair(line: Any) -> list[float] | None:
    parts = wire.tensor(line) if not isinstance(line, dict) else None
    if parts is None and isinstance(line, list) and len(line) == 2:
        both = [wire.number(part) for part in line]
        return None if None in both else both  # type: ignore[return-value]
    return parts.flatten().tolist() if parts is not None and parts.numel() == 2 else None


def _least_squares(x: Tensor, y: Tensor) -> Tensor:
    columns = torch.cat([x, torch.ones_like(x)], dim=1).double()
    best: Tensor = torch.linalg.lstsq(columns, y.double()).solution.flatten()
    return best
