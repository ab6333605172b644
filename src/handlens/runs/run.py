"""`Run`: a folder with a config, rows of metrics and a checkpoint; whatever one asks of a training afterwards, one asks of it."""

from __future__ import annotations

import contextlib
import dataclasses
import html
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from handlens import data, files
from handlens.config import Config
from handlens.data import Dataset, Split
from handlens.errors import FileError, RunDamaged
from handlens.evaluation import Evaluation
from handlens.models import Layer, copied, summary
from handlens.prediction import Prediction, predict, predict_sheet
from handlens.runs import checkpoint as checkpoints
from handlens.runs.about import About, read_about, read_config, rewrite
from handlens.runs.data import images_of, preparation_of
from handlens.runs.folder import is_free, rename, to_trash
from handlens.runs.network import load_weights, pick_weights, rebuild, restore
from handlens.runs.pictures import as_folder, read_pictures
from handlens.runs.written import read_json, write_json
from handlens.train import Row, State
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Run:
    """One training, in its folder. Make one with `handlens.fit`, find one with `handlens.load_run`.

    Attributes:
        folder: where it is; its name is the run's name.
        config: every knob.
        about: its id, note, tags, why it failed.
        env: versions, device, threads, commit at the time of training.
        pointer: which checkpoint files count.
    """

    def __init__(self, folder: Path) -> None:
        """Open a run's folder; see `reload`."""
        self.folder = folder
        self._chosen: str | None = None
        self._own: tuple[nn.Module | None, Dataset | None] = (None, None)
        self._evaluations: dict[tuple[str, str], Evaluation] = {}
        self.reload()

    def reload(self) -> None:
        """Read the folder again, which another process may have written meanwhile.

        Raises:
            RunDamaged: a file in it is missing or not what it should be.
        """
        self.about = read_about(self.folder)
        self.env: dict[str, Any] = read_json(self.folder / "env.json")
        self.config: Config = read_config(self.folder, self.about)
        self.pointer: checkpoints.Pointer = checkpoints.read_pointer(self.folder)
        self.__dict__.pop("rows", None)

    @classmethod
    def create(cls, folder: Path, config: Config, env: dict[str, Any], about: About, state: State) -> Run:
        """Fill a new folder, with the starting weights as its first checkpoint. The caller holds the folder (`runs.writing`).

        `run.json` comes last: a folder without it is not a run yet, and whoever wants its name begins again.
        """
        files.remove(folder / checkpoints.POINTER)
        write_json(folder / "config.json", config.model_dump())
        write_json(folder / "env.json", env)
        checkpoints.commit(folder, state)
        dataclasses.replace(about, config_sha256=files.sha256(folder / "config.json")).write(folder)
        return cls(folder)

    @property
    def name(self) -> str:
        """What people call it: the folder's name."""
        return self.folder.name

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The last checkpoint: `file`, `sha256`, `size` in bytes, `epoch`, and the other ones by name."""
        return self.pointer.to_json()

    @cached_property
    def rows(self) -> list[Row]:
        """One row of metrics for each epoch that is done: those in the newest checkpoint that is whole."""
        for entry in sorted(self.pointer.entries, key=lambda entry: -entry.epoch):
            with contextlib.suppress(RunDamaged):
                return checkpoints.read_rows(self.folder, entry)
        return []

    @property
    def history(self) -> dict[str, list[float]]:
        """The rows by column: `run.history["val_accuracy"][-1]`."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: [row[name] for row in self.rows if name in row] for name in names}

    @property
    def status(self) -> str:
        """`running`, `complete`, `stopped early`, `failed`, `interrupted`, or `damaged`: the last checkpoint is not what was saved."""
        if len(self.rows) < self.pointer.last.epoch:
            return "damaged"
        if self.pointer.finished:
            return "complete" if self.pointer.last.epoch >= self.config.epochs else "stopped early"
        if not is_free(self.folder):
            return "running"
        return "failed" if self.about.failure else "interrupted"

    def save(self, state: State, *, finished: bool = False) -> None:
        """Make the state the last checkpoint, lastingly. The caller holds the folder (`runs.writing`).

        Raises:
            FileError: the disk refuses; the previous checkpoint still counts.
        """
        self.pointer = checkpoints.commit(self.folder, state, finished=finished)
        self.__dict__.pop("rows", None)

    def sweep(self) -> None:
        """Delete what a killed training left behind. The caller holds the folder (`runs.writing`)."""
        files.sweep(self.folder)
        checkpoints.forget_others(self.folder, self.pointer)

    def put_back(self, state: State, checkpoint: str = "last") -> None:
        """Bring a state to where this run's checkpoint is, so that training goes on from there.

        Raises:
            RunDamaged: the checkpoint is damaged; the hint says which other one is whole.
        """
        restore(state, self._tensors(checkpoint))
        entry = self.pointer.entry(checkpoint)
        state.rows, state.epoch = checkpoints.read_rows(self.folder, entry), entry.epoch

    @property
    def default_checkpoint(self) -> str:
        """Which weights are used when nobody says: the last, or the best if the run was to stop early; `use` chooses others."""
        return self._chosen or ("best" if self.config.patience and self.pointer.best else "last")

    @property
    def used_row(self) -> Row:
        """The row of the epoch whose weights are used (`default_checkpoint`); empty if there is none yet."""
        return next((row for row in self.rows if row["epoch"] == self.pointer.entry(self.default_checkpoint).epoch), {})

    def model(self, checkpoint: str | None = None, *, model: nn.Module | None = None) -> nn.Module:
        """The trained network, on the CPU.

        Args:
            checkpoint: `last`, `best`, `previous` or `start`; see `default_checkpoint`.
            model: your own network, if the run was trained with one that has no file.

        Raises:
            RunDamaged: the checkpoint is damaged.
            ModelError: the network cannot be made, or the weights do not fit it.
        """
        if model is None:
            own = self._own[0]
            model = rebuild(self.config, self.about, self.folder) if own is None else copied(own).cpu()
        load_weights(model, self._tensors(checkpoint or self.default_checkpoint))
        return model

    def weights(self, checkpoint: str | None = None) -> dict[str, Tensor]:
        """What the trained network has learned, by the names of its tensors; the network itself need not be there.

        Raises:
            RunDamaged: the checkpoint is damaged.
        """
        return pick_weights(self._tensors(checkpoint or self.default_checkpoint))

    def _tensors(self, which: str) -> dict[str, Tensor]:
        try:
            return checkpoints.read_tensors(self.folder, self.pointer.entry(which))
        except RunDamaged as error:
            raise RunDamaged(error.what, where=error.where, hint=checkpoints.whole_one(self.folder, self.pointer, which)) from error

    def use(self, model: nn.Module | None = None, dataset: Dataset | None = None, *, checkpoint: str | None = None) -> Run:
        """Remember a network or data set of the user's own, which no name leads back to, or which checkpoint to use by default."""
        if checkpoint:
            self.pointer.entry(checkpoint)  # is there
            self._chosen = checkpoint
        self._own = (self._own[0] if model is None else model, self._own[1] if dataset is None else dataset)
        return self

    def dataset(self) -> Dataset:
        """The data set that the run was trained on.

        Raises:
            UsageError: it was the user's own, and was not given again.
        """
        if self._own[1] is not None:
            return self._own[1]
        return images_of(self.name, self.config, self.about)

    def split(self, on: str = "test") -> Split:
        """Images with labels: `test`, `val`, `train` (those that it learned from), a data set's (`handlens.data.find_split`), a folder's.

        Raises:
            UsageError, DataError: there is no such split, data set or folder, no image in it, or it cannot be had.
        """
        if folder := as_folder(on):
            return read_pictures(folder, self.about.classes, preparation_of(self.config, self.about))
        return data.find_split(self.dataset().few(self.config.examples), on, self.about.learned)

    def predict_sheet(self, picture: object) -> list[Prediction]:
        """What it says of each digit on a sheet."""
        return predict_sheet(self.model(), self.about.classes, preparation_of(self.config, self.about), picture)

    def predict(self, picture: object) -> Prediction:
        """What the network says of a picture of one's own; see `handlens.prediction.predict`.

        Raises:
            DataError, UsageError: there is no such file, or it is no picture.
        """
        return predict(self.model(), self.about.classes, preparation_of(self.config, self.about), picture)

    def evaluate(self, on: str = "test", *, checkpoint: str | None = None) -> Evaluation:
        """Measure the trained network on a split, once, and write what was found into `evaluation/`, which is never believed itself.

        Args:
            on: see `split`.
            checkpoint: which weights; see `default_checkpoint`.

        Raises:
            UsageError: there is no such split, data set or checkpoint, or no image in it.
            RunDamaged, ModelError, DataError: the weights, the network or the images cannot be had.
        """
        key = (data.split_name(on), self.pointer.entry(checkpoint or self.default_checkpoint).sha256)
        if key not in self._evaluations or as_folder(on):
            evaluation = Evaluation.measure(self.model(checkpoint), self.split(on))
            try:
                evaluation.save(files.child(self.folder, "evaluation"), checkpoint=key[1])
            except FileError as error:
                warnings.warn(f"The evaluation is not kept. {error}", stacklevel=2)
            self._evaluations[key] = evaluation
        return self._evaluations[key]

    @property
    def layers(self) -> list[Layer]:
        """The layer table of its network."""
        return summary(self.model("start" if self.pointer.start else None), self.about.image_shape)

    def plot(self) -> Figure:
        """The training curves."""
        from handlens import plots

        return plots.plot_curves(self.rows, best_epoch=self.pointer.best.epoch if self.pointer.best else None)

    def annotate(self, **changes: Any) -> None:
        """Change fields of `about`: `note`, `tags`, `failure`."""
        self.about = rewrite(self.folder, lambda about: dataclasses.replace(about, **changes))

    def tag(self, *tags: str, remove: bool = False) -> None:
        """Put tags on the run, or take them off."""

        def change(about: About) -> About:
            others = tuple(tag for tag in about.tags if tag not in tags)
            return dataclasses.replace(about, tags=others if remove else (*others, *dict.fromkeys(tags)))

        self.about = rewrite(self.folder, change)

    def rename(self, name: str) -> Run:
        """Give the run, and its folder, another name.

        Raises:
            RunBusy: it is being trained.
            UsageError: it cannot be a name, or there is a run of that name.
        """
        self.folder = rename(self.folder, name)
        return self

    def delete(self) -> Path:
        """Move the run to the trash beside the runs, and say where it is now; `RunBusy` while it is trained."""
        return to_trash(self.folder.parent, self.name)

    def to_dict(self) -> dict[str, Any]:
        """The run as JSON: what `handlens runs show --json` prints."""
        return {
            "name": self.name,
            "status": self.status,
            "folder": str(self.folder),
            **dataclasses.asdict(self.about),
            "config": self.config.model_dump(),
            "checkpoint": self.checkpoint,
            "rows": self.rows,
            "env": self.env,
        }

    def __repr__(self) -> str:
        score = f", val_accuracy {accuracy:.4f}" if (accuracy := self.used_row.get("val_accuracy")) is not None else ""
        return f"Run({self.name}: {self.config.model} on {self.config.data}, {counted(len(self.rows), 'epoch')}{score}, {self.status})"

    def _repr_html_(self) -> str:
        from handlens import plots

        picture = plots.img_tag(self.plot(), alt=f"Training curves of {self.name}", width=640) if self.rows else ""
        return f"<p><b>{html.escape(repr(self))}</b></p>{picture}"
