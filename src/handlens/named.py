"""Which code files the user has named, and so may be run again: remembered on this machine, outside every folder that can be sent."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from handlens import files
from handlens.errors import FileError

_MOST_CODE = 1 << 24


def remember(path: Path) -> str:
    """Note that the user named this file, as it is now; gives its SHA-256."""
    sha256 = files.sha256(files.read_bytes(path, _MOST_CODE))
    files.write_atomic(_note(path, sha256), str(path.absolute()))
    return sha256


def is_remembered(path: Path, sha256: str) -> bool:
    """Whether the user once named the file at this path when it had these bytes, and it has them now."""
    try:
        return files.sha256(files.read_bytes(path, _MOST_CODE)) == sha256 and _note(path, sha256).is_file()
    except FileError:
        return False


def _note(path: Path, sha256: str) -> Path:
    key = files.sha256(f"{path.absolute()}\n{sha256}".encode())
    return platformdirs.user_state_path("handlens", appauthor=False) / "named" / key
