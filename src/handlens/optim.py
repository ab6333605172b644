"""The optimizers: SGD, Adam, AdamW and Muon; the first three are one call into PyTorch for all weights.

These three do to the weights what `torch.optim` does, to the bit. But their step has nothing to ask, group and check anew, and they do not
import `torch.optim`'s machinery, which takes longer than a short training (`docs/decisions.md`, "Optimizers of our own").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import hardshrink

from handlens.errors import ConfigError

Tensors = list[Tensor]
Weights = Iterable[nn.Parameter] | Iterable[dict[str, Any]]

_FADED = 1e-30
_CLEAN_EVERY = 128
_MUON_MOMENTUM = 0.95


class Optimizer(Protocol):
    """What the loop needs of an optimizer; all of `torch.optim` have it too."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Move the weights along their gradients."""

    def state_dict(self) -> dict[str, Any]:
        """What it remembers: `state`, by the number of the weight, and `param_groups`."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Remember that instead."""


class Fused:
    """What the optimizers here have in common.

    Attributes:
        remembered: what is kept of each weight's gradients, by PyTorch's names.
        param_groups: weights (`params`) with the knobs that hold for them. A changed `lr` counts from the next step.
        state: the tensors that are kept, by the number of the weight, and by name.
    """

    remembered: tuple[str, ...] = ("step",)

    def __init__(self, weights: Weights, **knobs: Any) -> None:
        given: list[Any] = list(weights)
        groups = [{**knobs, **group} for group in given] if given and isinstance(given[0], dict) else [{**knobs, "params": given}]
        self.param_groups: list[dict[str, Any]] = [{**group, "params": list(group["params"])} for group in groups]
        self.state: dict[int, dict[str, Tensor]] = {}
        self._steps = 0

    @property
    def weights(self) -> list[nn.Parameter]:
        """All weights, in the order of their numbers."""
        return [weight for group in self.param_groups for weight in group["params"]]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights that have a gradient."""
        first = 0
        for group in self.param_groups:
            used = [(number, weight) for number, weight in enumerate(group["params"], first) if weight.grad is not None]
            first += len(group["params"])
            if used:
                self._step_group(group, used)
        self._steps += 1
        if self._steps % _CLEAN_EVERY == 0:
            self._clean()

    def _step_group(self, group: dict[str, Any], used: list[tuple[int, nn.Parameter]]) -> None:
        states = [self.state.get(number) or self._start(number, weight) for number, weight in used]
        history = {name: [state[name] for state in states] for name in self.remembered}
        torch._foreach_add_(history["step"], torch.ones_like(history["step"][0]))  # a number would be made a tensor for each
        self._move(group, [weight for _, weight in used], [weight.grad for _, weight in used if weight.grad is not None], history)

    def _start(self, number: int, weight: nn.Parameter) -> dict[str, Tensor]:
        count = {"step": torch.zeros((), device=weight.device)}
        self.state[number] = count | {name: torch.zeros_like(weight) for name in self.remembered if name != "step"}
        return self.state[number]

    def _move(self, group: dict[str, Any], weights: Tensors, grads: Tensors, history: dict[str, Tensors]) -> None:
        raise NotImplementedError

    def _clean(self) -> None:
        """Forget what has faded away.

        The average over the gradients of a weight that gets none any more (its pixel is hardly ever lit) falls by a tenth each step. Below
        1e-38 a processor needs ten times as long for it; long before, no weight can feel it.
        """
        for state in self.state.values():
            for name in self.remembered[1:]:
                state[name].copy_(hardshrink(state[name], _FADED))

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, in `torch.optim`'s form."""
        numbers = iter(range(len(self.weights)))
        groups = [{**group, "params": [next(numbers) for _ in group["params"]]} for group in self.param_groups]
        return {"state": self.state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember that instead; the tensors are copied to where the weights are."""
        pairs = zip(state_dict["param_groups"], self.param_groups, strict=True)
        self.param_groups = [{**theirs, "params": ours["params"]} for theirs, ours in pairs]
        weights = self.weights
        self.state = {
            number: {name: _like(weights[number], name, tensor) for name, tensor in state.items()}
            for number, state in state_dict["state"].items()
        }
        self._steps = int(max((state["step"].item() for state in self.state.values()), default=0))


def _like(weight: Tensor, name: str, tensor: Tensor) -> Tensor:
    """A copy that lies in memory as the weight does, since the kernels walk along both at once."""
    if name == "step":
        return tensor.to(weight.device, copy=True)
    return torch.empty_like(weight).copy_(tensor)


class SGD(Fused):
    """Stochastic gradient descent with momentum: `torch.optim.SGD`."""

    remembered = ("step", "momentum_buffer")

    def __init__(self, weights: Weights, *, lr: float, momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        super().__init__(weights, lr=lr, momentum=momentum, weight_decay=weight_decay)

    def _move(self, group: dict[str, Any], weights: Tensors, grads: Tensors, history: dict[str, Tensors]) -> None:
        knobs = {name: group[name] for name in ("lr", "momentum", "weight_decay")}
        buffers = history["momentum_buffer"] if knobs["momentum"] else []
        torch._fused_sgd_(weights, grads, buffers, **knobs, dampening=0.0, nesterov=False, maximize=False, is_first_step=False)


class Adam(Fused):
    """Adam (Kingma and Ba 2015): `torch.optim.Adam`, and `torch.optim.AdamW` as the class below."""

    remembered = ("step", "exp_avg", "exp_avg_sq")
    _kernel = staticmethod(torch._fused_adam_)

    def __init__(self, weights: Weights, *, lr: float, weight_decay: float = 0.0, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        super().__init__(weights, lr=lr, weight_decay=weight_decay, betas=betas, eps=1e-8)

    def _move(self, group: dict[str, Any], weights: Tensors, grads: Tensors, history: dict[str, Tensors]) -> None:
        averages, squares, counts = history["exp_avg"], history["exp_avg_sq"], history["step"]
        knobs = {"beta1": group["betas"][0], "beta2": group["betas"][1], **{name: group[name] for name in ("lr", "weight_decay", "eps")}}
        self._kernel(weights, grads, averages, squares, [], counts, **knobs, amsgrad=False, maximize=False)


class AdamW(Adam):
    """Adam whose weight decay is no part of the gradient (Loshchilov and Hutter 2019): `torch.optim.AdamW`."""

    _kernel = staticmethod(torch._fused_adamw_)


class Muon(AdamW):
    """Muon (Jordan 2024): for hidden matrices and filters their momentum, made orthogonal, so that no direction is left behind.

    The rest, and the last layer, go with AdamW. A step is as long as one of AdamW usually is (Liu et al. 2025, "Muon is scalable"), so that
    one learning rate suits both.
    """

    def _move(self, group: dict[str, Any], weights: Tensors, grads: Tensors, history: dict[str, Tensors]) -> None:
        if not group.get("hidden"):
            super()._move(group, weights, grads, history)
            return
        torch._foreach_lerp_(history["exp_avg"], grads, 1 - _MUON_MOMENTUM)
        ahead = torch._foreach_lerp(grads, history["exp_avg"], _MUON_MOMENTUM)  # as Nesterov does
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        for weight, direction in zip(weights, ahead, strict=True):
            step = orthogonal(direction.flatten(1))
            weight.add_(step.view(weight.shape), alpha=-0.2 * max(step.shape) ** 0.5 * group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix R,C with all singular values 1, by five steps of Newton and Schulz with Jordan's coefficients (2024)."""
    tall = matrix.shape[0] > matrix.shape[1]
    result = (matrix.T if tall else matrix) / matrix.norm().clamp_min(1e-7)
    for _ in range(5):
        square = result @ result.T
        result = 3.4445 * result + (-4.775 * square + 2.0315 * square @ square) @ result
    orthogonal: Tensor = result.T.contiguous() if tall else result
    return orthogonal


def make_optimizer(
    model: nn.Module, name: str, *, lr: float, momentum: float = 0.9, weight_decay: float = 0.0, beta2: float = 0.999
) -> Optimizer:
    """The optimizer of that name, over all weights that learn.

    Args:
        model: the network, already on its device.
        name: `sgd`, `adam`, `adamw` or `muon`.
        lr: the learning rate.
        momentum: of SGD only.
        weight_decay: with `adam` and `sgd` an L2 term in the gradient; with `adamw` and `muon` apart from it (Loshchilov and Hutter 2019).
            Biases and the factors of norms are left out: pulling them to zero helps nobody; with `muon` also the last layer.
        beta2: of all but SGD: the share of the average over squared gradients that stays at each step.

    Raises:
        ConfigError: muon, and the weights are of several kinds, or on a device that it does not know.
    """
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    pulled = [weight for weight in weights if weight.ndim >= 2 or not weight_decay]
    free = [weight for weight in weights if weight.ndim < 2 and weight_decay]
    groups: list[dict[str, Any]] = [{"params": pulled}, {"params": free, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]] or groups[:1]
    if name == "muon":
        matrices = [weight for weight in weights if weight.ndim >= 2]
        rest = [*matrices[-1:], *(weight for weight in weights if weight.ndim < 2)]
        groups = [{"params": matrices[:-1], "hidden": True}, {"params": rest, "weight_decay": 0.0}]
    # One call for all of them needs one kind of number, on a device that has it.
    kinds = {(weight.device.type, weight.dtype) for weight in weights}
    ours = all(device in ("cpu", "cuda") and dtype.is_floating_point for device, dtype in kinds) and len(kinds) == 1
    if name == "muon" and not ours:
        raise ConfigError("muon needs all weights of one kind, on a processor or an NVIDIA card.", hint="Use --optimizer adamw.")
    theirs = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    make: Any = (OPTIMIZERS if ours else theirs)[name]
    own = {"momentum": momentum} if name == "sgd" else {"betas": (0.9, beta2)}
    optimizer: Optimizer = make(groups, lr=lr, weight_decay=weight_decay, **own)
    return optimizer


OPTIMIZERS: dict[str, type[Fused]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "muon": Muon,
}
