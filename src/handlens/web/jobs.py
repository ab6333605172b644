"""A training that the lab began: a process of its own, which the lab talks with through files in `runs/.lab/NAME/`.

    job.json      what is to be trained, and what its owner guessed
    control.json  what the page wants: pause, a single batch, another lr, stop
    live.json     how far it is; written by the worker a few times a second
    job.lock      held by the worker as long as it lives

So a page may be reloaded, and the lab closed and opened again, and the training is still there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlens import files
from handlens.errors import RunBusy, RunNotFound
from handlens.fit import check_name
from handlens.runs import new_name, runs_folder
from handlens.web.asked import Body

LOCK = "job.lock"
GONE_S = 8.0
"""So long a worker may take to end."""

ENDED = ("finished", "stopped", "failed", "interrupted")
_MOST_BYTES = 4 << 20
_LOOK_S = 0.02


class Order(Body):
    """What is to be trained.

    Attributes:
        knobs: every knob of the config.
        guess: the validation accuracy after one epoch that somebody expects, 0 to 1; None for no guess.
        resume: go on with the run of the job's name.
        fetch: data that are not here may be fetched.
    """

    knobs: dict[str, Any]
    guess: float | None = None
    resume: bool = False
    fetch: bool = False


class Control(Body):
    """What the page wants of the worker.

    Attributes:
        paused: wait before the next batch.
        singles: so many single batches were asked for since the beginning.
        lr: the learning rate from now on; None for the config's.
        stop: end after this batch, and keep what was learned.
    """

    paused: bool = False
    singles: int = 0
    lr: float | None = None
    stop: bool = False


@dataclass(frozen=True)
class Job:
    """A training of the lab; its folder.

    Attributes:
        folder: its files.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The name of the job, and of its run."""
        return self.folder.name

    @property
    def is_alive(self) -> bool:
        """Whether its worker lives; one that was just started may not hold the lock yet."""
        worker = _workers.get(self.name)
        return self.is_held or (worker is not None and worker.poll() is None)

    @property
    def is_held(self) -> bool:
        """Whether its worker has begun, and lives, whichever lab has started it."""
        return files.is_locked(self.folder / LOCK)

    def order(self) -> Order:
        """What is to be trained."""
        return Order.model_validate(_read(self.folder / "job.json"))

    def control(self) -> Control:
        """What the page wants."""
        return Control.model_validate(_read(self.folder / "control.json"))

    def wish(self, *, single: bool = False, **changes: Any) -> Control:
        """Want something else; of two who do at the same time neither is passed over.

        Args:
            single: one more single batch.
            changes: fields of `Control`.
        """
        with files.lock(self.folder / "control.lock", wait_s=GONE_S):
            before = self.control()
            control = Control.model_validate({**before.model_dump(), **changes, "singles": before.singles + single})
            files.write_atomic(self.folder / "control.json", control.model_dump_json())
        return control

    def tell(self, live: dict[str, Any]) -> None:
        """Tell how far the training is."""
        files.write_atomic(self.folder / "live.json", json.dumps(live))

    def live(self) -> dict[str, Any]:
        """How far the training is; one whose worker was killed is told as interrupted."""
        path, alive = self.folder / "live.json", self.is_alive
        live = _read(path) if path.exists() else {"phase": "starting"}
        if live["phase"] not in ENDED and not alive:
            live = {**live, "phase": "interrupted", "error": "The process that trained was ended."}
        return {**live, "name": self.name, "guess": self.order().guess}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files.read_bytes(path, _MOST_BYTES))
    return content


_workers: dict[str, subprocess.Popen[bytes]] = {}  # only to be waited for, and to be ended with the lab: the truth is on the disk


def jobs_folder() -> Path:
    """Where the lab keeps its trainings; the list of runs passes over it."""
    return runs_folder() / ".lab"


def find_job(name: str) -> Job:
    """The training of exactly that name.

    Raises:
        RunNotFound: the lab has begun none.
    """
    folder = files.child(jobs_folder(), name)
    if not (folder / "job.json").exists():
        raise RunNotFound(f"The lab has begun no training '{name}'.", hint="Begin one.")
    return Job(folder)


def living() -> list[Job]:
    """The trainings that go on just now."""
    jobs = [Job(folder) for folder in files.entries(jobs_folder()) if (folder / "job.json").exists()]
    return [job for job in jobs if job.is_alive and job.live()["phase"] not in ENDED]


def begin(order: Order, kind: str, name: str | None = None) -> Job:
    """Begin a training in a process of its own.

    Args:
        order: what is to be trained.
        kind: of network, for a name.
        name: of the run; None finds one.

    Raises:
        RunBusy: another one goes on: two would only take each other's time.
    """
    with files.lock(jobs_folder() / "begin.lock", wait_s=GONE_S):  # or two that begin at once would each see that nobody trains
        _reap()
        if others := living():
            raise RunBusy(f"Training {others[0].name} is going on.", hint="Stop it first, or wait for its end.")
        folder = files.child(files.make_folder(jobs_folder()), name or new_name(kind))
        control = Control()
        if not order.resume:
            check_name(folder.name)
        elif (folder / "job.json").exists():  # it goes on as it was steered last
            before = Job(folder)
            order, control = order.model_copy(update={"guess": before.order().guess}), Control(lr=before.control().lr)
        files.remove(folder / "live.json")
        files.write_atomic(folder / "control.json", control.model_dump_json())
        files.write_atomic(folder / "job.json", order.model_dump_json())
        job = Job(folder)
        _workers[folder.name] = _worker(job)
    return job


def _worker(job: Job) -> subprocess.Popen[bytes]:
    """A worker that holds its job: should this lab be killed now, the next one sees it."""
    command = [sys.executable, "-m", "handlens.web.work", str(job.folder.absolute() / LOCK), str(GONE_S)]
    worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=worker.wait, daemon=True).start()  # so that nothing of it is left when it ends
    while worker.poll() is None and not job.is_held:
        time.sleep(_LOOK_S)
    return worker


def _reap() -> None:
    for name, worker in list(_workers.items()):
        if worker.poll() is not None:
            del _workers[name]


def end_all() -> list[str]:
    """Interrupt the trainings that this lab began and that go on, as Ctrl-C does; their names. What they saved stays."""
    _reap()
    ended = list(_workers)
    for worker in _workers.values():
        worker.terminate()
    for worker in _workers.values():
        try:
            worker.wait(GONE_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    _workers.clear()
    return ended
