"""The only code that writes files: old or new, never torn, never outside its folder.

Source of the method: a temporary file in the same folder, fsync, rename, fsync of the folder, as SQLite and LevelDB do it
(Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from handlens.errors import FileError, RunBusy, UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_WINDOWS = os.name == "nt"


def write_atomic(path: str | os.PathLike[str], data: bytes | str | Iterable[bytes]) -> Path:
    """Replace `path` with `data`: a reader, or a machine that lost power, finds the old content or the new one.

    Args:
        path: the file; its folder is made if it is not there.
        data: the content: bytes, text (written as UTF-8 with `\\n`), or pieces of bytes that may be too many to hold.

    Raises:
        FileError: the disk is full, read-only, or forbids it. The old content is then untouched and nothing is left over.
    """
    target = Path(path)
    pieces = [data.encode()] if isinstance(data, str) else [data] if isinstance(data, bytes) else data
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        make_folder(target.parent)
        _write_synced(temporary, pieces)
        os.replace(temporary, target)
        sync_folder(target.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise explain(error, target) from error
        raise
    return target


def _write_synced(path: Path, pieces: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o644)
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last through a power failure (Windows has no such call and needs none)."""
    if _WINDOWS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: str | os.PathLike[str]) -> Path:
    """Make `folder` and its parents if they are not there.

    Raises:
        FileError: a file is in the way, or the disk refuses.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, path) from error
    return path


def claim_folder(folder: Path) -> bool:
    """Make `folder`; False if it was there already. Of many processes that try, exactly one gets True."""
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise explain(error, folder) from error
    return True


def move(source: Path, target: Path) -> None:
    """Give a file or folder another name on the same disk, lastingly.

    Raises:
        FileError: `target` is there already, or the disk refuses.
    """
    if target.exists():
        raise FileError(f"'{target.name}' is there already.", where=str(target))
    try:
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
    for entry in folder.iterdir() if folder.is_dir() else ():
        if _TEMPORARY.fullmatch(entry.name):
            with contextlib.suppress(OSError):
                entry.unlink()


def child(root: Path, name: str) -> Path:
    """The only way from a string to a path: `root / name`, which cannot be anywhere else.

    Raises:
        UsageError: `name` has characters that a name cannot have, or leads out of `root` through a link.
    """
    if not NAME.fullmatch(name) or ".." in name:
        raise UsageError(
            f"'{printable(name)}' cannot be a name here.",
            hint="Use up to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.",
        )
    path = root / name
    if path.resolve().parent != root.resolve():
        raise UsageError(f"'{name}' leads out of its folder.", where=str(path))
    return path


def printable(text: str, most: int = 120) -> str:
    """`text` as it can be shown: without control characters or broken encoding, and not endless."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def sha256(source: bytes | os.PathLike[str]) -> str:
    """The SHA-256 of bytes, or of the file at a path, in hexadecimal."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """Read a regular file; never a FIFO that would wait for ever, and never more than `most` bytes.

    Raises:
        FileError: it is not there, is no regular file, is larger than `most`, or cannot be read.
    """
    try:
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "not a regular file" if path.exists() else "not there"
            raise FileError(f"'{printable(path.name)}' is {kind}.", where=printable(str(path)))
        if most is not None and path.stat().st_size > most:
            raise FileError(
                f"'{printable(path.name)}' has {path.stat().st_size:,} bytes; at most {most:,} are read here.",
                where=printable(str(path)),
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise explain(error, path) from error


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
        write_atomic(holder, f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        guard.release()


def _read_holder(holder: Path) -> str:
    try:
        return printable(holder.read_text())
    except (OSError, ValueError):
        return "a process that has just begun"


_REASONS = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC: "The disk quota is used up",
    errno.EFBIG: "The file would be larger than the system allows",
    errno.EROFS: "The disk is read-only",
    errno.EACCES: "No permission",
    errno.EPERM: "No permission",
    errno.EIO: "The disk reports an error",
    errno.ENOTDIR: "A file is where a folder is needed",
    errno.EEXIST: "Something of that name is there already",
    errno.ENOENT: "No such file or folder",
    errno.ENAMETOOLONG: "The name is too long for this disk",
    errno.EISDIR: "A folder is where a file is needed",
}


def explain(error: OSError | ValueError, path: Path) -> FileError:
    """The `FileError` that says in words why the system refused `path`, with the free space where that matters."""
    code = error.errno if isinstance(error, OSError) else None
    what = _REASONS.get(code or 0, f"The system refused ({error})")
    full = code in (errno.ENOSPC, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC)
    hint = f"Free there: {free_bytes(path):,} bytes. Make room, or choose another folder." if full else ""
    return FileError(f"{what}.", where=printable(str(path), 400), hint=hint)


def free_bytes(path: Path) -> int:
    """Bytes free on the disk that holds `path`, or would hold it."""
    for folder in (path, *path.parents):
        with contextlib.suppress(OSError, ValueError):
            return shutil.disk_usage(folder).free
    return 0
