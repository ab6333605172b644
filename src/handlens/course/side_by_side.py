"""`mistake`: lines with a mistake beside the same lines without it, both run just now, as the doctor has them."""

from __future__ import annotations

import html
from dataclasses import dataclass

from handlens.doctor import all_causes
from handlens.doctor.demo import Demo, outcome
from handlens.errors import UsageError, nearest

_BOX = "flex:1 1 18rem;min-width:0;border-left:4px solid {colour};padding:0 .75rem"
_CODE = "white-space:pre-wrap;overflow-wrap:anywhere;text-align:left;font-family:monospace"
_MARK = "background:#FFE9A8;color:#1A1D21"
_WRONG, _RIGHT = "#B84A00", "#0072B2"


@dataclass(frozen=True, repr=False)
class SideBySide:
    """What a notebook shows of a mistake.

    Attributes:
        name: the doctor's id of it.
        sentence: what goes on.
        change: what to write instead.
        wrong: the lines with it, and what they give.
        right: the lines without it, and what they give.
    """

    name: str
    sentence: str
    change: str
    wrong: tuple[str, str]
    right: tuple[str, str]

    def __repr__(self) -> str:
        parts = [self.sentence, *(f"{head}\n{code}gives\n{gives}" for head, code, gives, _ in self._columns()), self.change]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        boxes = "".join(
            f'<div style="{_BOX.format(colour=colour)}"><strong>{head}</strong><pre style="{_CODE}">{_marked(code, other)}</pre>'
            f'gives<pre style="{_CODE}"><strong>{html.escape(gives)}</strong></pre></div>'
            for (head, code, gives, colour), (other, _) in zip(self._columns(), (self.right, self.wrong), strict=True)
        )
        flex = "display:flex;flex-wrap:wrap;gap:1rem"
        return f'<p>{html.escape(self.sentence)}</p><div style="{flex}">{boxes}</div><p>{html.escape(self.change)}</p>'

    def _columns(self) -> list[tuple[str, str, str, str]]:
        return [("✗ With it", *self.wrong, _WRONG), ("✓ Without it", *self.right, _RIGHT)]


def _marked(code: str, other: str) -> str:
    """Lines as HTML, those marked that the other column does not have."""
    lines = [(html.escape(line), line in other.splitlines()) for line in code.splitlines()]
    return "\n".join(line if both else f'<span style="{_MARK}">{line}</span>' for line, both in lines)


def mistake(name: str) -> SideBySide:
    """One of the doctor's mistakes, by its id: its lines are run, on a few made-up images.

    Raises:
        UsageError: the doctor does not know it.
    """
    causes = all_causes()
    if name not in causes:
        raise UsageError(f"There is no mistake '{name}'.", hint=nearest(name, causes))
    demo = Demo(causes[name].DEMO)
    shown = [(code, outcome(code)) for code in (demo.wrong, demo.right)]
    return SideBySide(name, causes[name].SENTENCE, causes[name].CHANGE, *shown)
