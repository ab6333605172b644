"""A run made light: what one needs to use a trained network, without what its training needs. And the run that comes with handlens."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from torch import Tensor

from handlens import files
from handlens.data import cache
from handlens.errors import FileError
from handlens.models import last_layer
from handlens.runs import checkpoint as checkpoints
from handlens.runs.run import Run
from handlens.runs.written import write_json

STARTER = "starter"
"""The run that comes with handlens: a small network that reads other people's digits, made by `bench/starter.py`."""

STARTER_FOLDER = Path(__file__).parents[1] / STARTER
"""That run as it was packed: to be read, and never written to."""

_COPIED = ("config.json", "env.json")  # the rows are in the checkpoint too


def share(run: Run, folder: Path, *, temperature: float = 1.0) -> Run:
    """Write a run into another folder with one checkpoint, of the weights that are used. It has no times, and cannot be trained on.

    Args:
        run: the run.
        folder: is made; its name is the name of the copy.
        temperature: what its logits are divided by from now on, so that its probabilities can be believed; see `analysis.calibrate`.

    Raises:
        RunDamaged: the weights are not what was saved.
        ModelError: a temperature is asked for, and no single layer gives the logits.
        FileError: there is something in the folder already, or the disk refuses.
    """
    entry = run.pointer.entry(run.default_checkpoint)
    weights = {f"model.{name}": tensor for name, tensor in _cooled(run, temperature).items()}
    data = checkpoints.pack(weights, checkpoints.read_rows(run.folder, entry))
    if not files.claim_folder(folder) and files.entries(folder):
        raise FileError("There is something in this folder already.", where=files.printable(str(folder)), hint="Choose another one.")
    light = checkpoints.Entry(entry.file, files.sha256(data), len(data), entry.epoch)
    files.write_atomic(folder / light.file, data)
    for name in _COPIED:
        files.write_atomic(folder / name, files.read_bytes(run.folder / name))
    write_json(folder / checkpoints.POINTER, checkpoints.Pointer(last=light, finished=True).to_json())
    dataclasses.replace(run.about, failure="").write(folder)
    return Run(folder)


def _cooled(run: Run, temperature: float) -> dict[str, Tensor]:
    """The weights, those of the last layer divided by the temperature: its logits are linear in them."""
    weights = run.weights()
    if temperature == 1:
        return weights
    last, _ = last_layer(run.model(), run.about.image_shape)
    return {name: tensor / temperature if name.rpartition(".")[0] == last else tensor for name, tensor in weights.items()}


def starter() -> Run:
    """The run that comes with handlens, as a copy in the user's cache, where what is found about it can be kept.

    Raises:
        FileError: the cache cannot be written.
    """
    copy = cache.root() / ".runs" / files.sha256(STARTER_FOLDER / checkpoints.POINTER)[:12] / STARTER
    for path in sorted(files.entries(STARTER_FOLDER), key=lambda path: path.name == "run.json"):  # which makes a run of it comes last
        if not (copy / path.name).exists():
            files.write_atomic(copy / path.name, files.read_bytes(path))
    return Run(copy)
