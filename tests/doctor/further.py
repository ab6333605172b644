"""Short right programs of habits that the doctor once took for mistakes, in `further/`, and mistakes in them that it once missed."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

FURTHER = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "further").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = []


def broken_further() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, FURTHER[name]) for cause, name, old, new, line in MISTAKES]
