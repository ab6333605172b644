"""A Chromium of this machine, asked to run an exported page on images: the page says the logits, and nobody looks at it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from handlens import files
from handlens.errors import FailedError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_OPTIONS = "--headless --disable-gpu --disable-background-networking --no-first-run --disable-breakpad --disable-extensions".split()
_DEADLINE_S = 900
_SAID = re.compile(r'data-logits="([A-Za-z0-9+/=]*)"')


def find() -> str:
    """Its program; empty if there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), "")


def logits_of(browser: str, page: bytes, images: Tensor, classes: int) -> NDArray[np.float32]:
    """What a page says of images, N,K.

    Args:
        browser: the program.
        page: of `web_page`; it looks for images in itself when it is opened.
        images: `uint8` N,C,H,W.
        classes: K.

    Raises:
        FailedError: the browser does not start or takes too long, or the page says nothing.
    """
    found = _SAID.search(ask_page(browser, page, images))
    logits = np.frombuffer(base64.b64decode(found[1]) if found else b"", "<f4")
    if logits.size != len(images) * classes:
        raise FailedError("The page says nothing in this machine's browser.", where=browser)
    return logits.reshape(len(images), classes)


def ask_page(browser: str, page: bytes, images: Tensor) -> str:
    """The page's elements after it was asked: `data-logits` of its body, and `data-ms`, the milliseconds an image took.

    Raises:
        FailedError: the browser does not start, or takes too long.
    """
    asked = json.dumps({"images": base64.b64encode(images.numpy().tobytes()).decode(), "count": len(images)})
    place = b'<script type="application/json" id="network">'
    block = f'<script type="application/json" id="asked">{asked}</script>\n'.encode() + place
    with tempfile.TemporaryDirectory(prefix="handlens-") as folder:
        file = files.write_atomic(Path(folder, "page.html"), page.replace(place, block, 1))
        return _dump(browser, file, Path(folder, "profile"))


def _dump(browser: str, page: Path, profile: Path) -> str:
    """The page's elements after its script has run. A browser of root refuses to run within its own walls."""
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [browser, *_OPTIONS, *alone, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=_DEADLINE_S).stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailedError(f"The browser did not run the page: {error}", where=browser) from error
