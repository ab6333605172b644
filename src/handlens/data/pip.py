"""pip, which gets wheels from the package index: in a process of its own, for as long as anything arrives."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handlens import files
from handlens.limits import end_group

_STILL_S = 180.0  # longer than pip's own patience with a server that is silent: usually six attempts of 15 s
_LOOK_S = 1.0


def download(words: Sequence[str], place: Path) -> str:
    """Let pip download wheels. A slow line may take as long as it needs, but nothing may stand still.

    Args:
        words: requirements, and options beyond those that only wheels are wanted, and not what they need.
        place: the folder for them.

    Returns:
        What went wrong, in words; empty if nothing did.
    """
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", str(place)]
    # -P: a learner's own random.py in this folder must not become pip's.
    command = [sys.executable, "-P", "-m", "pip", "download", *options, *words]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, tempfile.TemporaryFile() as told:
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": told}
        try:
            process = subprocess.Popen(command, **streams, env={**os.environ, "TMPDIR": folder}, start_new_session=os.name != "nt")
        except OSError as error:
            return f"it cannot be started ({error})"
        try:
            stood_still = _stands_still(process, [Path(folder), place])
        finally:
            end_group(process)
        told.seek(0)
        said = told.read().decode(errors="replace")
    if stood_still:
        return f"nothing has arrived for {_STILL_S:.0f} s"
    return _reason(said) if process.returncode else ""


def _stands_still(process: subprocess.Popen[bytes], folders: Sequence[Path]) -> bool:
    """Wait for its end; True if before that too long nothing is added: to its temporary files, as it arrives, or where it is copied to."""
    size, since = [0] * len(folders), time.monotonic()
    while True:
        try:
            process.wait(_LOOK_S)
            return False
        except subprocess.TimeoutExpired:
            now = [_size_of(folder) for folder in folders]
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > _STILL_S:
            return True


def _size_of(folder: Path) -> int:
    """Bytes in a folder; -1 where one of its files is deleted just now."""
    with contextlib.suppress(OSError):
        return sum(path.lstat().st_size for path in folder.rglob("*"))
    return -1


def _reason(said: str) -> str:
    """The last error that pip tells, or else its last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line for line in lines if line.startswith("ERROR") and line != "ERROR: Exception:"]  # behind which the last line says which
    return files.printable((errors or lines)[-1], 200).rstrip(".")
