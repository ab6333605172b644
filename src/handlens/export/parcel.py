"""A trained network in one safetensors file, and back: what stands in a run's folder as texts, the weights, and one sum over all of it.

safetensors and JSON only: nothing that is read can run code. A learner's own file comes along as text, and is not run.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from handlens import files
from handlens.config import Config
from handlens.errors import RunDamaged
from handlens.runs import Run
from handlens.runs import checkpoint as checkpoints
from handlens.runs.written import MOST_JSON, from_json, write_json
from handlens.train import Row

_NEEDED = ("run.json", "config.json", "env.json")
_TEXTS = (*_NEEDED, "card.md", "model.py")
_MOST_BYTES = 4 << 30


@dataclass(frozen=True, eq=False)
class Parcel:
    """A run without what only its training needs.

    Attributes:
        texts: by the file's name in the run's folder.
        weights: those that are used, by their names in the network.
        rows: of the epochs up to those weights, without times.
    """

    texts: Mapping[str, str]
    weights: Mapping[str, Tensor]
    rows: list[Row]

    @property
    def checkpoint(self) -> bytes:
        """The weights and rows as a run's folder has them."""
        return checkpoints.pack({f"model.{name}": tensor for name, tensor in self.weights.items()}, self.rows)

    @property
    def sha256(self) -> str:
        """Of everything in it."""
        return files.sha256(json.dumps([sorted(self.texts.items()), files.sha256(self.checkpoint)]).encode())

    def to_bytes(self) -> bytes:
        """As one file, in which the weights have the names that they have in the network."""
        return checkpoints.pack(self.weights, self.rows, run=json.dumps(self.texts), sha256=self.sha256)

    def unpack(self, folder: Path) -> Run:
        """Write it into a new folder, as a run that is complete."""
        data = self.checkpoint
        epoch = len(self.rows)
        entry = checkpoints.Entry(f"epoch-{epoch:04d}.safetensors", files.sha256(data), len(data), epoch)
        files.write_atomic(folder / entry.file, data)
        files.write_atomic(folder / checkpoints.ROWS, "".join(json.dumps(row) + "\n" for row in self.rows))
        write_json(folder / checkpoints.POINTER, checkpoints.Pointer(last=entry, finished=True).to_json())
        for name in sorted(self.texts, key=lambda name: name == "run.json"):  # which makes a run of it comes last
            files.write_atomic(folder / name, self.texts[name])
        return Run(folder)


def of_run(run: Run, card: str = "") -> Parcel:
    """What of a run is sent to somebody; of a learner's own file the name, without the folders of this machine.

    Raises:
        RunDamaged: the weights are not what was saved, or the folder holds what no run's folder does.
    """
    if links := [path.name for path in files.entries(run.folder) if path.is_symlink()]:
        raise RunDamaged(f"'{files.printable(links[0])}' is a link, and no run has such.", where=files.printable(str(run.folder)))
    texts = {name: _text(run.folder / name) for name in _TEXTS if name in _NEEDED or (run.folder / name).is_file()}
    texts["config.json"] = _as_json(shared(run.config).model_dump(mode="json"))
    sha256, model_file = files.sha256(texts["config.json"].encode()), run.about.model_file and Path(run.about.model_file).name
    about = dataclasses.replace(run.about, failure="", model_file=model_file, config_sha256=sha256)
    texts |= {"run.json": _as_json(dataclasses.asdict(about))} | ({"card.md": card} if card else {})
    return Parcel(texts, run.weights(), checkpoints.read_rows(run.folder, run.pointer.entry(run.default_checkpoint)))


def shared(config: Config) -> Config:
    """The config as others may read it: without the folders of this machine."""
    return config.model_copy(update={name: Path(getattr(config, name)).name for name in ("model", "init_from")})


def _as_json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"


def _text(path: Path) -> str:
    return files.read_bytes(path, MOST_JSON).decode(errors="replace")


def read(path: Path) -> Parcel:
    """Read a file that `Parcel.to_bytes` gave.

    Raises:
        FileError: it is not there, or cannot be read.
        RunDamaged: it is no such file, or not as it was written.
    """
    return from_bytes(files.read_bytes(path, _MOST_BYTES), path)


def from_bytes(data: bytes, where: Path) -> Parcel:
    """The same from bytes; `where` is for the error."""
    tensors, rows, said = checkpoints.unpack(data, where)
    parcel = Parcel(_checked_texts(said.get("run", ""), where), tensors, rows)
    if parcel.sha256 != said.get("sha256"):
        raise RunDamaged("It is not as it was written: its sha256 is another one.", where=files.printable(str(where)))
    return parcel


def _checked_texts(text: object, where: Path) -> dict[str, str]:
    try:
        texts = from_json(str(text))
    except (ValueError, RecursionError):
        texts = None
    whole = isinstance(texts, dict) and {*_NEEDED} <= texts.keys() <= {*_TEXTS}
    if not whole or not all(isinstance(value, str) for value in texts.values()):
        raise RunDamaged(
            "These are weights, but not of a run: it does not say what they belong to.",
            where=files.printable(str(where)),
            hint="Make such a file with: handlens export RUN --format safetensors",
        )
    return dict(texts)
