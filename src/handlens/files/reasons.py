"""Why the system refused, in words."""

from __future__ import annotations

import contextlib
import errno
import shutil
from pathlib import Path

from handlens.errors import FileError

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


def printable(text: str, most: int = 120) -> str:
    """`text` as it can be shown: without control characters or broken encoding, and not endless."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
