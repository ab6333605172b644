"""The network begins with weights that are far too large."""

from __future__ import annotations

from torch import Tensor, nn

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import name_of

SENTENCE = "The starting weights are too large: the first answers are sure of themselves, and far off."
CHANGE = "Leave the weights as PyTorch makes them, or use Kaiming's: nn.init.kaiming_normal_."
DEMO = """\
  model = net()
- for weights in model.parameters():
-     nn.init.normal_(weights)
  print(f"first loss {loss_fn(model(images), labels).item():.2f}; guessing gives 2.30")
"""
EXPLAINS = NOT_LEARNING


def look(case: Case) -> Finding | None:
    """The first loss is far above guessing, the images are in order, and the weights are larger than a layer of that size can bear."""
    if case.loaded or case.first_loss is None or case.loss is None or case.loss.name not in ("cross_entropy", "nll_loss"):
        return None
    if case.first_loss < 2.5 * case.chance or (case.input is not None and float(case.input.abs().max()) > 20):
        return None
    modules = case.start.named_modules() if case.start is not None else ()
    tables = {f"{name}.weight".removeprefix(".") for name, module in modules if isinstance(module, nn.Embedding)}  # of which a row is taken
    for name, weights in case.weights.items():
        if weights.ndim >= 2 and name not in tables:
            inputs = weights[0].numel() if case.start is not None else max(weights.shape)  # by hand it may be turned
            gain = float(weights.double().square().mean().sqrt()) * inputs**0.5
            if gain > 5:
                return Finding(
                    _line(case, name, weights),
                    f"The first loss is {case.first_loss:.3g}; guessing would give {case.chance:.2f}. "
                    f"{name} is {gain / 1.41:.0f} times larger than it should be.",
                )
    return None


def _line(case: Case, name: str, weights: Tensor) -> int:
    """Where the weights are filled; without a network, rather where a variable of their shape is made."""
    alike = [one for one, value in case.names.items() if isinstance(value, Tensor) and value.requires_grad and value.shape == weights.shape]
    made = [target.lineno for target, _ in case.script.pairs() if name_of(target) in alike] if case.start is None else []
    filled = case.script.find(".normal_(", ".uniform_(") or case.script.find("randn", "rand(", ".data.", ".data =", ".mul_(")
    return next(iter(made), filled) or case.line_of_model(name)
