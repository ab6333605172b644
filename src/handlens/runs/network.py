"""From a run's config and weights back to the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from handlens import files, models
from handlens.config import OWN
from handlens.errors import ModelError
from handlens.runs.about import About
from handlens.train import State


def rebuild(name: str, about: About, run_name: str) -> nn.Module:
    """The network of a run, with weights that mean nothing yet.

    Args:
        name: the config's `model`.
        about: what the run's folder says about it.
        run_name: for what is said when it cannot be done.

    Raises:
        ModelError: it was the user's own, and cannot or may not be made again by itself.
    """
    if name in models.MODELS:
        return models.build(name, **(about.model_options or {}))
    if name.startswith(OWN):
        raise ModelError(
            f"Run '{run_name}' was trained with a network of your own, {name.removeprefix(OWN)}.",
            hint=f"Give it one of that class: hl.load_run('{run_name}', model=...).",
        )
    return _from_own_file(name, about)


def _from_own_file(name: str, about: About) -> nn.Module:
    """The learner's file is run again only if it is still, byte for byte, the one that was named for training."""
    path = Path(about.model_file)
    if not path.is_file() or files.sha256(path) != about.model_sha256:
        raise ModelError(
            f"'{path.name}' has changed since this training, or is not there any more.",
            where=str(path),
            hint=f"If it is right to run it, name it again: --model {name}. The run's folder has a copy of what was trained: model.py.",
        )
    return models.from_file(f"{path}:{name.rpartition(':')[2]}")


def load_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put a checkpoint's weights into a network.

    Raises:
        ModelError: they do not fit it.
    """
    weights = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split("\n\t")[1:2]) or str(error)
        raise ModelError(f"The weights are of another network than this {type(model).__name__}: {reason}") from error


def restore(state: State, tensors: Mapping[str, Tensor]) -> None:
    """Put a checkpoint's weights and the optimizer's history into a state.

    Raises:
        ModelError: they do not fit its network.
    """
    load_weights(state.model, tensors)
    history: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            history.setdefault(int(index), {})[key] = value
    state.optimizer.load_state_dict({"state": history, "param_groups": state.optimizer.state_dict()["param_groups"]})
