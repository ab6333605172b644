"""The weights of the learner's own run: `keep` lays them beside the file, and the check measures what they read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from handlens import files
from handlens.course import folder, wire
from handlens.course.plan import find
from handlens.course.verdict import Mistake
from handlens.errors import FileError

ASKED, IMAGES = "kept/asked", "kept/images"
_LABELS = f"{wire.WITHHELD}kept/labels"
ENOUGH = 0.98
_MOST_BYTES = 1 << 26
_BATCH = 250
_SOME = 500
_PIXELS = {"normalised with MNIST's mean and spread": (0.1307, 0.3081), "from -1 to 1": (0.5, 0.5), "from 0 to 255": (0.0, 1 / 255)}
_CLEARLY = 0.005
_SCRAMBLED = 0.5  # weights in disorder guess, and read 0.1
_MANY = 1_000  # so many numbers are not the same by chance


def keep(model: nn.Module, name: str = "cnn") -> Path:
    """Keep what your training came to, beside your file of the exercise: the check measures it, and trains nothing again.

    Args:
        model: the trained network.
        name: the exercise.

    Returns:
        The file.
    """
    path = _file_of(name).with_suffix(".safetensors")
    tensors = {key: one.detach().cpu().contiguous().clone() for key, one in model.state_dict().items()}
    return files.write_atomic(path, safetensors.torch.save(tensors))


def _file_of(name: str) -> Path:
    exercise = find(name)
    main = Path(getattr(sys.modules["__main__"], "__file__", "") or "")
    return main.absolute() if main.name == exercise.file else folder.path_of(exercise)


def starter_weights() -> dict[str, Tensor]:
    """The weights of the starter model, which everybody has who has handlens."""
    from handlens.runs import STARTER_FOLDER, Run

    return Run(STARTER_FOLDER).weights()


def read(path: Path, chance: torch.Generator) -> dict[str, Tensor]:
    """The weights beside a file, with all test images of MNIST in an order that nobody knows, and for the judge alone their labels.

    Only that a run was asked for, if there is none.

    Raises:
        DataMissing: MNIST is not on this machine.
    """
    try:
        tensors = safetensors.torch.load(files.read_bytes(path.with_suffix(".safetensors"), _MOST_BYTES))
    except (FileError, safetensors.SafetensorError):
        return {ASKED: torch.ones(1)}
    from handlens.data import load

    test = load("mnist").test
    order = torch.randperm(len(test), generator=chance)
    weights = {f"kept.{name}": one for name, one in tensors.items()}
    return {**weights, ASKED: torch.ones(1), IMAGES: test.images[order], _LABELS: test.labels[order]}


def _weights(given: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("kept."): one for name, one in given.items() if name.startswith("kept.")}


def answer(model: nn.Module, given: dict[str, Tensor]) -> dict[str, Any]:
    """What the learner's network reads: all images with the weights that were kept, and some with the same weights in disorder."""
    weights, images, some = _weights(given), given[IMAGES], given[IMAGES][:_SOME]
    try:
        model.load_state_dict({name: _scrambled(one) for name, one in weights.items()})
        scrambled = _read(model.eval(), some)
        model.load_state_dict(weights)
    except RuntimeError as error:
        return {"mismatch": str(error).splitlines()[-1].strip()}
    others = {name: _read(model, some, *scale) for name, scale in _PIXELS.items()}
    return {"scrambled": scrambled, "said": _read(model, images), "others": others}


def _scrambled(weights: Tensor) -> Tensor:
    return weights.flatten()[torch.randperm(weights.numel())].reshape(weights.shape) if weights.is_floating_point() else weights


@torch.no_grad()
def _read(model: nn.Module, images: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    return torch.cat([model((pixels.float() / 255 - mean) / std).argmax(1) for pixels in images.split(_BATCH)])


def judge(given: dict[str, Tensor], values: dict[str, Any] | None) -> Mistake | None:
    """Whether there is a run, and whether it reads 98 %."""
    if values is None:
        return Mistake(
            "no_run",
            "Everything is built; now train it, and keep the run.",
            "Run the file: python 11_cnn.py. At its end stands hl.course.keep(model).",
        )
    if "mismatch" in values:
        sentence = "The kept weights belong to a network with other layers than MNISTCNN() has."
        change = "The check makes it without arguments: write your sizes into the class, then train again: python 11_cnn.py"
        return Mistake("state_dict_mismatch", sentence, change, values["mismatch"][:200])
    return _of_the_starter(_weights(given)) or _by_other_means(given, values) or _below_98(given, values)


def _of_the_starter(weights: dict[str, Tensor]) -> Mistake | None:
    large = [one.flatten() for one in starter_weights().values() if one.numel() >= _MANY]
    if not any(torch.equal(one.flatten(), other) for one in weights.values() for other in large):
        return None
    sentence = "These weights are the starter model's, which comes with handlens; the exercise is to train a network of your own."
    return Mistake("not_your_run", sentence, "Run the file: python 11_cnn.py. It begins with random weights.")


def _by_other_means(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    share = _share(given, values["scrambled"])
    if share < _SCRAMBLED:
        return None
    sentence = "The network reads digits even with its weights in disorder, so its answers come from somewhere else."
    seen = f"With weights in disorder {share:.0%} of {_SOME:,} test images are read; guessing would read 10 %."
    return Mistake("not_its_weights", sentence, "Let forward compute the scores from x, with the layers of __init__ alone.", seen)


def _below_98(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    said = wire.plain(values["said"])
    if said.shape != given[_LABELS].shape:
        return Mistake("other_form", "The answers are not those of the test images.", "Leave the check as it is, and train again.")
    share, some = _share(given, said), _share(given, said[:_SOME])
    if share >= ENOUGH:
        return None
    for name, others in values["others"].items():
        other = _share(given, others)
        if other >= ENOUGH and other - some > _CLEARLY:
            sentence = "The check gives pixels from 0 to 1, and the network was trained on others."
            change = "Move what you do with the pixels into forward, and train again: python 11_cnn.py"
            return Mistake("other_pixels", sentence, change, f"With pixels {name} it reads {other:.2%}, with ours {some:.2%}.")
    seen = f"{round(share * len(said)):,} of {len(said):,} test images are read: {share:.2%}."
    return Mistake(
        "below_98", "The kept network reads less than 98 % of the test images.", "Train for more epochs, or with more filters.", seen
    )


def _share(given: dict[str, Tensor], said: Any) -> float:
    """How many of the images are read, from 0 to 1; of the first ones, if fewer are said."""
    said = wire.plain(said)
    return float((said == given[_LABELS][: len(said)]).double().mean())
