"""Numbers in sentences, and that no sentence of the package makes its own plural."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handlens.words import counted

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "handlens"
BY_HAND = re.compile(r"""(""|'') if [^{}]* == 1 else ['"]s['"]|['"]s['"] \* \(|=== 1 \? "" : "s"|\(e?s\)[ ."']""")


@pytest.mark.parametrize(
    "number, words, said",
    [
        (0, ("image",), "0 images"),
        (1, ("image",), "1 image"),
        (1200, ("image",), "1,200 images"),
        (1, ("class", "classes"), "1 class"),
        (2, ("file was", "files were"), "2 files were"),
    ],
)
def test_one_is_singular_and_all_other_numbers_are_plural(number: int, words: tuple[str, ...], said: str) -> None:
    assert counted(number, *words) == said


def test_no_plural_is_made_by_hand() -> None:
    sources = [path for end in ("py", "js") for path in PACKAGE.rglob(f"*.{end}")]
    found = [f"{path.relative_to(PACKAGE)}: {line}" for path in sources for line in path.read_text().splitlines() if BY_HAND.search(line)]
    assert found == []
