"""From a run's config and weights back to the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from handlens import models, named, seeds
from handlens.config import OWN, Config
from handlens.errors import ModelError, RunDamaged
from handlens.files import printable
from handlens.optim import Optimizer
from handlens.runs.about import About
from handlens.train import State

_ADAM = ("step", "exp_avg", "exp_avg_sq")
_MOST_STEPS = 1 << 40
_TORCHS = {"SGD": ("momentum_buffer",), "Adam": _ADAM, "AdamW": _ADAM}


def rebuild(config: Config, about: About, folder: Path) -> nn.Module:
    """The network of a run, with weights that mean nothing yet.

    Args:
        config: the run's.
        about: what the run's folder says about it.
        folder: that folder.

    Returns:
        One of our own networks comes without memory for its weights: how large they are, the checkpoint must say too.

    Raises:
        ModelError: it was the user's own, and cannot or may not be made again by itself.
        RunDamaged: what the folder says cannot be made.
    """
    name = config.model
    if name in models.MODELS:
        options = {**(about.model_options or {}), **{knob: getattr(config, knob) for knob in models.KNOBS[name]}}
        try:
            with torch.device("meta"):
                return models.build(name, **options)
        except (TypeError, ValueError, ArithmeticError, RuntimeError, ModelError) as error:
            raise RunDamaged(f"The network of this run cannot be made: {printable(str(error))}.", where=str(folder)) from error
    if name.startswith(OWN):
        raise ModelError(
            f"Run '{folder.name}' was trained with a network of your own, {name.removeprefix(OWN)}.",
            hint=f"Give it one of that class: hl.load_run('{folder.name}', model=...).",
        )
    with seeds.seeded("weights", config.seed):
        return _from_own_file(name, about)


def _from_own_file(name: str, about: About) -> nn.Module:
    """The learner's file is run again only if this user named it on this machine, and it is still, byte for byte, what they named.

    What the run's folder says does not suffice: who sends a run could send the file and its sum with it.
    """
    path = Path(about.model_file)
    if not named.is_remembered(path, about.model_sha256):
        raise ModelError(
            f"'{path.name}' has changed since this training, is not there any more, or was named by somebody else.",
            where=printable(str(path)),
            hint=f"If it is right to run it, name it again: --model {name}. The run's folder has a copy of what was trained: model.py.",
        )
    return models.from_file(f"{path}:{name.rpartition(':')[2]}")


def pick_weights(tensors: Mapping[str, Tensor], kind: str = "") -> dict[str, Tensor]:
    """The network's weights among a checkpoint's tensors, by their names in the network; see `load_weights`."""
    kind = kind or ("average" if any(name.startswith("average.") for name in tensors) else "model")
    return {name.removeprefix(f"{kind}."): tensor for name, tensor in tensors.items() if name.startswith(f"{kind}.")}


def load_weights(model: nn.Module, tensors: Mapping[str, Tensor], kind: str = "") -> None:
    """Put a checkpoint's weights into a network.

    Args:
        model: the network.
        tensors: of the checkpoint.
        kind: `model` or `average`; without it the averaged weights, if there are such.

    Raises:
        ModelError: they do not fit it.
        RunDamaged: they do not fit it, and it was made from what the run's folder says.
    """
    weights = pick_weights(tensors, kind)
    if models.device_of(model).type == "meta":
        expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
        if expected != {name: tensor.shape for name, tensor in weights.items()}:
            raise RunDamaged(f"The weights are of another network than the {type(model).__name__} that 'run.json' describes.")
        model.to_empty(device="cpu")
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split("\n\t")[1:2]) or str(error)
        raise ModelError(f"The weights are of another network than this {type(model).__name__}: {reason}") from error


def restore(state: State, tensors: Mapping[str, Tensor]) -> None:
    """Put a checkpoint's weights and the optimizer's history into a state.

    Raises:
        ModelError: the weights do not fit its network.
        RunDamaged: the history does not fit its optimizer.
    """
    load_weights(state.model, tensors, "model")
    if state.average:
        load_weights(state.average.model, tensors, "average")
    history = _history(state.optimizer, {name: value for name, value in tensors.items() if name.startswith("optimizer.")})
    state.optimizer.load_state_dict({"state": history, "param_groups": state.optimizer.state_dict()["param_groups"]})


def _history(optimizer: Optimizer, left: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """What the optimizer remembers of each weight; nothing of one that was never used."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    remembered = getattr(optimizer, "remembered", None) or _TORCHS[type(optimizer).__name__]
    history = {}
    for index, weight in enumerate(weights):
        found = {key: left.pop(name) for key in remembered if (name := f"optimizer.{index}.{key}") in left}
        if found:
            history[index] = found
        if not all(_fits(found.get(key), key, weight) for key in remembered if found):
            raise RunDamaged(f"The checkpoint's history of weight {index} is not of this optimizer or network.")
    if left:
        raise RunDamaged(f"The checkpoint has a history of no weight: '{printable(next(iter(left)))}'.")
    return history


def _fits(tensor: Tensor | None, key: str, weight: Tensor) -> bool:
    if key == "step":
        return tensor is not None and tensor.shape == () and tensor.dtype == torch.float32 and 0 <= tensor.item() <= _MOST_STEPS
    return tensor is not None and tensor.shape == weight.shape and tensor.dtype == weight.dtype
