"""Old or new, never torn.

Source of the method: a temporary file in the same folder, fsync, rename, fsync of the folder, as SQLite and LevelDB do it
(Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from handlens.errors import FileError
from handlens.files.reading import entries, is_folder
from handlens.files.reasons import explain, printable

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
WINDOWS = os.name == "nt"
_PAUSES_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def write_atomic(path: str | os.PathLike[str], data: bytes | str | Iterable[bytes], *, mode: int = 0o644) -> Path:
    """Replace `path` with `data`: a reader, or a machine that lost power, finds the old content or the new one.

    Args:
        path: the file; its folder is made if it is not there.
        data: the content: bytes, text (written as UTF-8 with `\\n`), or pieces of bytes that may be too many to hold.
        mode: who may read and write it; 0o600 for a secret.

    Raises:
        FileError: the disk is full, read-only, or forbids it. The old content is then untouched and nothing is left over.
    """
    target = Path(path)
    pieces = [data.encode(errors="replace")] if isinstance(data, str) else [data] if isinstance(data, bytes) else data
    temporary = target.with_name(f".{target.name}.{os.getpid()}{threading.get_native_id():07d}.tmp")
    try:
        make_folder(target.parent)
        _write_synced(temporary, pieces, mode)
        _replace(temporary, target)
        sync_folder(target.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise explain(error, target) from error
        raise
    return target


def _write_synced(path: Path, pieces: Iterable[bytes], mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, mode)
    try:
        for piece in pieces:
            write_all(descriptor, piece)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it: the system may take less at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _replace(temporary: Path, target: Path) -> None:
    """Windows refuses while another process has the target open; whoever only reads it is done in a moment."""
    for pause_s in _PAUSES_S if WINDOWS else ():
        try:
            return os.replace(temporary, target)
        except PermissionError:
            time.sleep(pause_s)
    return os.replace(temporary, target)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last through a power failure, where there is a call for that: Windows and some network disks have none."""
    if WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: str | os.PathLike[str]) -> Path:
    """Make `folder` and its parents, lastingly, if they are not there.

    Raises:
        FileError: a file is in the way, or the disk refuses.
    """
    path = Path(folder)
    if not is_folder(path) and not claim_folder(path) and not is_folder(path):
        raise FileError("A file is where a folder is needed.", where=printable(str(path)))
    return path


def claim_folder(folder: Path) -> bool:
    """Make `folder`, lastingly; False if it was there already. Of many processes that try, exactly one gets True.

    Raises:
        FileError: the disk refuses.
    """
    if folder.parent != folder:
        make_folder(folder.parent)
    try:
        folder.mkdir()
        sync_folder(folder.parent)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        raise explain(error, folder) from error
    return True


def move(source: Path, target: Path) -> None:
    """Give a file or folder another name on the same disk, lastingly.

    Raises:
        FileError: `target` is there already, or the disk refuses.
    """
    try:
        if target.exists():
            raise FileError(f"'{target.name}' is there already.", where=str(target))
        make_folder(target.parent)
        os.rename(source, target)
        sync_folder(target.parent)
        sync_folder(source.parent)
    except OSError as error:
        raise explain(error, target) from error


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it; nothing happens if it is not there.

    Raises:
        FileError: the disk refuses.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise explain(error, path) from error


def sweep(folder: Path) -> None:
    """Delete the temporary files that a killed process left in `folder`. Call it only while holding the folder's lock."""
    for entry in entries(folder):
        if _TEMPORARY.fullmatch(entry.name):
            with contextlib.suppress(OSError):
                entry.unlink()
