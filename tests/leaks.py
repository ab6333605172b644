"""Nothing leaks: what a test holds when it is over, it held before. conftest.py turns the fixture `nothing_leaks` on for every test."""

import contextlib
import gc
import os
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import psutil
import pytest

Holdings = dict[str, Counter[str]]

KEPT_FONTS = "/mpl-data/fonts/"  # matplotlib keeps each font that it has drawn with open
QUICK_DISK = re.compile(r"hl-\d+-")  # see crash/conftest.py
PATIENCE_S = 2.0  # for what ends by itself a moment after it was told to


def holdings() -> Holdings:
    """What this process holds now: how many of each, by a name that says where to look."""
    return {
        "descriptor": _descriptors(),
        "thread": _threads(),
        "child": _children(),
        "temporary file": Counter(os.listdir(tempfile.gettempdir())),
        "shared memory": _shared_memory(),
    }


def _descriptors() -> Counter[str]:
    if not Path("/proc/self/fd").is_dir():
        me = psutil.Process()
        return Counter({"open file": me.num_fds() if hasattr(me, "num_fds") else len(me.open_files())})
    names: Counter[str] = Counter()
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue  # the one that listed the folder
        if KEPT_FONTS not in target:
            names[re.sub(r"^(\w+):\[.*", r"\1", target)] += 1  # the number of a pipe says nothing
    return names


def _threads() -> Counter[str]:
    """Python's by name; those that libraries make beneath it by the name the system knows."""
    ours = {thread.native_id: f"Python thread {thread.name}" for thread in threading.enumerate()}
    system: dict[int, str] = {}
    for task in Path("/proc/self/task").glob("*"):
        with contextlib.suppress(OSError):  # it may just have ended
            system[int(task.name)] = f"native thread {(task / 'comm').read_text().strip()}"
    return Counter((system | {number or 0: name for number, name in ours.items()}).values())


def _children() -> Counter[str]:
    names: Counter[str] = Counter()
    kept = getattr(resource_tracker._resource_tracker, "_pid", None)  # multiprocessing's one helper process
    for child in psutil.Process().children(recursive=True):
        try:
            if child.pid == kept or child.name().startswith("chrom"):  # the browser of all tests starts and ends helpers as it likes
                continue
            names[f"{child.name()} {' '.join(child.cmdline())}"] += 1
        except psutil.ZombieProcess:
            names["one that has ended and was not waited for"] += 1
        except psutil.NoSuchProcess:
            pass  # it has just ended
    return names


def _shared_memory() -> Counter[str]:
    folder = Path("/dev/shm")
    entries = [*folder.iterdir()] if folder.is_dir() else []
    kept = [entry for entry in entries if entry.is_file() or QUICK_DISK.match(entry.name)]  # other folders there are other programs' own
    return Counter(entry.name for entry in kept if not _belongs_to_others(entry))


def _belongs_to_others(entry: Path) -> bool:
    """Whether only processes that are no children of ours made or use it.

    PyTorch, joblib and `quick_disk` write the process's number into the name; for the others one must look who has it mapped.
    """
    maker = re.match(r"(?:torch_|sem\.loky-|hl-)(\d+)[_-]", entry.name)
    users = {int(maker[1])} & {*psutil.pids()} if maker else _users(entry)
    ours = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    return bool(users) and users.isdisjoint(ours)


def _users(entry: Path) -> set[int]:
    """By the number of the file: a semaphore is mapped under a name that it then loses."""
    users: set[int] = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):  # one of the two is no more, or we may not look
            if f" {entry.stat().st_ino} " in maps.read_text(errors="replace"):
                users.add(int(maps.parent.name))
    return users


def shrink_thread_pool() -> None:
    """Bring OpenMP's pool to its smallest size, one worker: it grows with `torch.set_num_threads` and is kept for the next use."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.ones(1 << 20).add_(1)
    torch.set_num_threads(before)


def left_behind(before: Holdings) -> list[str]:
    """What is held now and was not then, after what is about to end has ended."""
    new: list[str] = []
    deadline = time.monotonic() + PATIENCE_S
    while True:
        now = holdings()
        new = [f"{kind}: {name}" for kind in now for name in (now[kind] - before[kind]).elements()]
        if not new or time.monotonic() > deadline:
            return new
        gc.collect()
        shrink_thread_pool()
        time.sleep(0.05)


@pytest.fixture(scope="session", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for temporary files that no other program uses, here and in every process that a test starts.

    Its path is short: the sockets that the workers of a DataLoader make there may have no more than 107 letters.
    """
    tmp_path_factory.getbasetemp()  # pytest's own folder is made where it always is
    shrink_thread_pool()
    resource_tracker.ensure_running()  # multiprocessing's one helper process, which it keeps
    with tempfile.TemporaryDirectory(prefix="hl-") as folder, pytest.MonkeyPatch.context() as patch:
        watched = Path(folder, "t")
        watched.mkdir()
        for name in ("TMPDIR", "TEMP", "TMP"):
            patch.setenv(name, str(watched))
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", folder)  # PyTorch makes it with the first optimizer, and keeps it
        patch.setattr(tempfile, "tempdir", None)
        yield


@pytest.fixture(autouse=True)
def nothing_leaks(own_temporary_folder: None) -> Iterator[None]:
    """Fail a test that leaves descriptors, threads, child processes, temporary files or shared memory behind."""
    before = holdings()
    yield
    leaks = left_behind(before)
    if leaks:
        pytest.fail("This test left behind\n  " + "\n  ".join(leaks), pytrace=False)
