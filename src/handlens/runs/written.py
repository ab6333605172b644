"""JSON in a run's folder: read with a limit and without Python's extras, written whole."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from handlens import files
from handlens.errors import FileError, RunDamaged

MOST_JSON = 64 << 20


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of a run's folder.

    Raises:
        RunDamaged: it is not there, is too large, or is no JSON object.
    """
    try:
        content = from_json(files.read_bytes(path, MOST_JSON))
    except FileError as error:
        raise RunDamaged(error.what, where=error.where) from error
    except (ValueError, RecursionError) as error:
        raise RunDamaged(f"'{path.name}' is no JSON.", where=str(path)) from error
    if not isinstance(content, dict):
        raise RunDamaged(f"'{path.name}' is no JSON object.", where=str(path))
    return content


def from_json(text: bytes | str) -> Any:
    """Python's reader, without what it takes beyond JSON: NaN, and numbers too large for a float, which it would make infinite."""
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def write_json(path: Path, content: object) -> None:
    """Replace `path` with JSON; NaN and infinity, which JSON does not have, are refused."""
    files.write_atomic(path, json.dumps(content, indent=2, allow_nan=False) + "\n")
