"""A sweep from beginning to end, on this machine or on a cluster; and again after any interruption."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from handlens import data as datasets
from handlens import device
from handlens.config import make_config
from handlens.data.say import Say
from handlens.errors import DataError, FailedError, UsageError
from handlens.presets import IMAGENET
from handlens.runs import load_run, new_name
from handlens.sweep.capacity import auto_count, memory_share
from handlens.sweep.folder import Trials, find_folder, new_folder
from handlens.sweep.needs import Needs
from handlens.sweep.pool import PATIENCE_S, Event, Pool, Take
from handlens.sweep.schedule import stages
from handlens.sweep.space import Axis
from handlens.sweep.spec import Spec, make_spec
from handlens.sweep.telling import Lines, points_in_words
from handlens.sweep.whole import Sweep
from handlens.transfer import network_of

if TYPE_CHECKING:
    from handlens.sweep.cluster import RayPool

Watch = Callable[[Event], None]


class Engine(Protocol):
    """What gives jobs to processes, here or elsewhere, and tells what becomes of them."""

    @property
    def words(self) -> str:
        """The options of `handlens sweep` that choose it, with a space before each."""

    def __enter__(self) -> Self:
        """Be ready for jobs."""

    def __exit__(self, *error: object) -> None:
        """End all processes."""

    def run(self, take: Take) -> Iterator[Event]:
        """Do all jobs."""


def go_on(trials: Trials, engine: Engine, watch: Watch, *, retry_failed: bool = False) -> Sweep:
    """Do what is left of a sweep, then measure the winner on the test images.

    Args:
        trials: of the sweep.
        engine: does them.
        watch: is told what happens.
        retry_failed: try trials again that failed before; each goes on from its last epoch.

    Raises:
        RunBusy: another process is at it.
        FailedError, DataError: it cannot go on here just now; the hint says how to go on with it later.
    """
    with trials.held(), _telling_how_to_go_on(trials, engine):
        if retry_failed:
            trials.forget_failures()
        with engine as running:
            for take in stages(trials):
                for event in running.run(take):
                    if event.row is None:
                        trials.forget(event.trial)
                    watch(event)
        Sweep(trials).measure()
    return Sweep(trials)


@contextlib.contextmanager
def _telling_how_to_go_on(trials: Trials, engine: Engine) -> Iterator[None]:
    try:
        yield
    except (FailedError, DataError) as error:
        hint = f"What is done is kept; to go on: handlens sweep --resume {trials.folder.name}{engine.words}"
        raise type(error)(error.what, where=error.where, hint=f"{error.hint} {hint}".strip()) from error


def make_engine(
    spec: Spec,
    workers: int | str = "auto",
    backend: str = "local",
    address: str = "",
    *,
    gpus: float | None = None,
    patience_s: float = PATIENCE_S,
) -> Pool | RayPool:
    """Who gives out the trials of a sweep.

    Args:
        spec: what it tries.
        workers: how many processes on this machine; `auto` takes as many as the processors and the memory carry.
        backend: `local`, or `ray`, where as many trials run at a time as fit.
        address: of a Ray cluster; `auto` for the one that this machine belongs to; empty to start Ray on this machine, for this sweep only.
        gpus: cards that each trial takes on Ray; None for one if the sweep asks for cards, else none.
        patience_s: a trial that gives no epoch for so long has failed.

    Raises:
        UsageError: these do not go together, or Ray is not installed.
    """
    words = _words(workers=workers, backend=backend, address=address, gpus=gpus, patience_s=patience_s)
    if backend == "local":
        if address:
            raise UsageError("--address is that of a Ray cluster.", hint="Add --backend ray.")
        if gpus is not None:
            raise UsageError("--gpus is what a trial takes on Ray.", hint="Add --backend ray. Here the trials share --device.")
        count = _count(spec, workers)
        on_card = device.choose(spec.base.device).type != "cpu"  # whose driver maps more addresses than there is memory
        return Pool(count, patience_s, 0 if on_card else memory_share(count), words)
    if workers != "auto":
        raise UsageError("On Ray as many trials run at a time as fit.", hint="Leave out --workers; --threads says what one takes.")
    from handlens.sweep.cluster import RayPool

    needs = Needs(spec.base.threads or 1, float(spec.base.device.startswith("cuda")) if gpus is None else gpus)
    return RayPool(needs, address, patience_s, words)


def _words(**chosen: Any) -> str:
    """As options of `handlens sweep`, those that are not the usual ones."""
    usual = {"workers": "auto", "backend": "local", "patience_s": PATIENCE_S}
    told = {name.replace("_", "-"): value for name, value in chosen.items() if value not in ("", None, usual.get(name))}
    return "".join(f" --{name} {f'{value:g}' if isinstance(value, float) else value}" for name, value in told.items())


def _count(spec: Spec, workers: int | str) -> int:
    if workers == "auto":
        return auto_count(spec.base.threads or 1)
    if str(workers).isdecimal() and 0 < int(workers) <= 1024:
        return int(workers)
    hint = 'It is auto, or a whole number: --workers 4. In Python workers="ray" takes Ray.'
    raise UsageError(f"'{workers}' is no number of workers.", hint=hint)


def prepare(spec: Spec, say: Say) -> None:
    """Fetch the data sets before many processes would."""
    names = {spec.base.data, *(value for axis in spec.axes if axis.name == "data" for value in axis.values)}
    for name in sorted(names):
        datasets.load(name, val=spec.base.val, say=say)


def begin(spec: Spec, name: str | None = None) -> Trials:
    """The trials of a new sweep, or of the one of that name if it tries exactly the same.

    Raises:
        UsageError: there is another sweep of that name.
    """
    return Trials(new_folder(name or new_name("sweep"), with_whole_paths(spec)))


def with_whole_paths(spec: Spec) -> Spec:
    """What the user named from where they stood, named so that it is found from anywhere."""
    changes = {name: whole(getattr(spec.base, name)) for name, whole in _WHOLE.items()}
    axes = tuple(_with_whole_paths(axis) for axis in spec.axes)
    return spec.model_copy(update={"base": spec.base.model_copy(update=changes), "axes": axes})


def _with_whole_paths(axis: Axis) -> Axis:
    whole = _WHOLE.get(axis.name)
    return axis.model_copy(update={"values": tuple(map(whole, axis.values))}) if whole else axis


def _whole_run(name: str) -> str:
    return str(load_run(name).folder.absolute()) if name and name != IMAGENET else name


def _whole_file(name: str) -> str:
    return str(Path(name).absolute()) if ":" in name else name


_WHOLE: dict[str, Callable[[str], str]] = {"init_from": _whole_run, "model": _whole_file}


def sweep(
    axes: dict[str, Any],
    *,
    name: str | None = None,
    search: str = "grid",
    seeds: int = 1,
    prune: bool | str = False,
    workers: int | str = "auto",
    **knobs: Any,
) -> Sweep:
    """Train a network at every point of a grid, or at some of a space, each with every seed; a trial is an ordinary run.

    A line is printed where a trial ends, and with `prune` at each of its rungs. What was interrupted goes on with the same call and its
    `name`.

    Args:
        axes: for each knob that differs a list of values, or a range as text: `{"lr": [0.1, 0.01], "dropout": "0..0.5"}`. Of an mlp also
            `width` and `depth`.
        name: what it is called; None finds a name.
        search: `grid`, `random 20`, or `tpe 20`.
        seeds: how many for each point.
        prune: end the worse two thirds of the points after a ninth and after a third of the epochs, and so on; with `asha` no trial waits
            for the others of its rung.
        workers: how many processes, or `auto`. `ray` for as many as Ray has room for on this machine; `ray auto` and `ray HOST:PORT` for a
            cluster. A Ray that this program has started or joined is used, and left as it is.
        knobs: the other fields of `Config`: `data="mnist"`, `epochs=5`, ...

    Raises:
        HandlensError: an axis, a value or a knob does not exist or does not fit.
    """
    spec = make_spec(make_config({**network_of(knobs), **knobs}), axes, search, seeds, prune)
    backend, _, address = str(workers).partition(" ")
    engine = make_engine(spec, backend="ray", address=address) if backend == "ray" else make_engine(spec, workers)
    prepare(spec, lambda *_: None)
    trials = begin(spec, name)
    print(f"Sweep {trials.folder.name}, kept in {trials.folder}: {points_in_words(Sweep(trials).asked, spec)}.")
    return go_on(trials, engine, Lines(trials).see)


def load_sweep(name: str = "latest") -> Sweep:
    """Find a sweep by its name; `latest` is the one that was begun last.

    Raises:
        RunNotFound: there is none.
        RunDamaged: it cannot be read.
    """
    return Sweep(Trials(find_folder(name)))
