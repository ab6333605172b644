"""Who may write where several processes would."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from handlens.errors import RunBusy
from handlens.files.reasons import explain, printable
from handlens.files.writing import make_folder

_GLANCE_S = 0.1


@contextlib.contextmanager
def lock(path: Path, *, wait_s: float = 0) -> Iterator[None]:
    """Hold the lock file `path` while the body runs. The system lets go of it when the process dies, however it dies.

    Args:
        path: the lock file; it stays on disk and means nothing by itself. Who holds it stands beside it, in words.
        wait_s: how long to wait for another holder; a negative number waits for ever.

    Raises:
        RunBusy: another process holds it.
    """
    import filelock

    holder = path.with_name(path.name + ".holder")
    make_folder(path.parent)
    guard = filelock.FileLock(path)
    try:
        guard.acquire(timeout=wait_s)
    except filelock.Timeout as error:
        raise RunBusy(f"Another process is using it: {_read_holder(holder)}.", where=str(path.parent)) from error
    except OSError as error:
        raise explain(error, path) from error
    try:
        # Not synced, since nothing holds a lock after a power cut. On a full disk one must still be able to remove a run.
        with contextlib.suppress(OSError):
            holder.write_text(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}", encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        guard.release()


def _read_holder(holder: Path) -> str:
    """Who holds it, in words."""
    try:
        words = printable(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        words = ""
    return words or "a process that has just begun"


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file. It only looks: nothing is made, and others who look or lock are not in its way."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        return not _can_share(descriptor, path)
    finally:
        os.close(descriptor)


def _can_share(descriptor: int, path: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return _can_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _can_lock(path: Path) -> bool:
    """Without locks that can be shared, one looks by holding it for an instant: another who does so is waited for."""
    import filelock

    try:
        with filelock.FileLock(path, timeout=_GLANCE_S, poll_interval=_GLANCE_S / 50):
            return True
    except filelock.Timeout:
        return False
    except OSError:
        return True
