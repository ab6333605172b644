"""The weights of the learner's own run: `keep` lays them beside the file, and the check measures what they read."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
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

ASKED, PRESENT = "kept/asked", "kept/labels"
ENOUGH = 0.98
_MOST_BYTES = 1 << 26
_BATCH = 250
_SOME = 1_500
_PIXELS = {"normalised with MNIST's mean and spread": (0.1307, 0.3081), "from -1 to 1": (0.5, 0.5), "from 0 to 255": (0.0, 1 / 255)}
_CLEARLY = 0.005
_DOUBT = 0.012  # four standard errors of 1,500 images near 98.5 %


def keep(model: nn.Module, rows: Sequence[Any] = (), name: str = "cnn") -> Path:
    """Keep what your training came to, beside your file of the exercise: the check measures it, and trains nothing again.

    Args:
        model: the trained network.
        rows: what you measured after each epoch, for yourself.
        name: the exercise.

    Returns:
        The file.
    """
    path = _file_of(name).with_suffix(".safetensors")
    tensors = {key: one.detach().cpu().contiguous().clone() for key, one in model.state_dict().items()}
    return files.write_atomic(path, safetensors.torch.save(tensors, {"rows": json.dumps(list(rows), default=str)}))


def _file_of(name: str) -> Path:
    exercise = find(name)
    main = Path(getattr(sys.modules["__main__"], "__file__", "") or "")
    return main.absolute() if main.name == exercise.file else folder.path_of(exercise)


def read(path: Path) -> dict[str, Tensor]:
    """The weights beside a file, with all test images of MNIST; only that they were asked for, if there are none.

    Raises:
        DataMissing: MNIST is not on this machine.
    """
    try:
        tensors = safetensors.torch.load(files.read_bytes(path.with_suffix(".safetensors"), _MOST_BYTES))
    except (FileError, safetensors.SafetensorError):
        return {ASKED: torch.ones(1)}
    from handlens.data import load

    test = load("mnist").test
    return {
        **{f"kept.{name}": one for name, one in tensors.items()},
        ASKED: torch.ones(1),
        "kept/images": test.images,
        PRESENT: test.labels,
    }


def answer(model: nn.Module, given: dict[str, Tensor]) -> dict[str, Any]:
    """What the learner's network reads with these weights: some images, and all where it is close."""
    weights = {name.removeprefix("kept."): one for name, one in given.items() if name.startswith("kept.")}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        return {"mismatch": str(error).splitlines()[-1].strip()}
    model.eval()
    order = torch.randperm(len(given[PRESENT]))
    rows = some = order[:_SOME]
    said = _read(model, given, rows)
    if abs(_share(given, rows, said) - ENOUGH) < _DOUBT:
        rows, said = order, torch.cat([said, _read(model, given, order[_SOME:])])
    if _share(given, rows, said) >= ENOUGH:
        return {"rows": rows, "said": said}
    return {"rows": rows, "said": said, "others": {name: _read(model, given, some, *scale) for name, scale in _PIXELS.items()}}


def _share(given: dict[str, Tensor], rows: Tensor, said: Tensor) -> float:
    """How many of these images are read, from 0 to 1; of the first ones, if fewer are said."""
    return float((said == given[PRESENT][rows[: len(said)]]).double().mean())


@torch.no_grad()
def _read(model: nn.Module, given: dict[str, Tensor], order: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    images = ((given["kept/images"][rows].float() / 255 - mean) / std for rows in order.split(_BATCH))
    return torch.cat([model(one).argmax(1) for one in images])


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
    rows, said = wire.plain(values["rows"]), wire.plain(values["said"])
    if len(rows) < _SOME or len(rows.unique()) < len(rows):
        return Mistake("other_form", "The answers are not those of the test images.", "Leave the check as it is, and train again.")
    share = _share(given, rows, said)
    if share >= ENOUGH:
        return None
    for name, others in values.get("others", {}).items():
        other = _share(given, rows, wire.plain(others))
        if other >= ENOUGH and other - share > _CLEARLY:
            sentence = "The check gives pixels from 0 to 1, and the network was trained on others."
            change = "Move what you do with the pixels into forward, and train again: python 11_cnn.py"
            return Mistake("other_pixels", sentence, change, f"With pixels {name} it reads {other:.2%}, with ours {share:.2%}.")
    seen = f"{round(share * len(rows)):,} of {len(rows):,} test images are read: {share:.2%}."
    return Mistake(
        "below_98", "The kept network reads less than 98 % of the test images.", "Train for more epochs, or with more filters.", seen
    )
