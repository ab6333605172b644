"""Pieces of HTML. Whatever comes from outside goes through `text`, and nothing else writes it."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

from handlens.files import printable
from handlens.plots.style import RIGHT_MARK, SCREEN_DPI, WRONG_MARK

_MOST_LETTERS = 1000


def text(value: object) -> str:
    """Any value as text of a page: escaped, printable, not endless."""
    words = printable(" ".join(str(value).split()), _MOST_LETTERS)
    return html.escape(words).replace(" %", "&nbsp;%")  # a number and its sign stay on one line


@dataclass(frozen=True)
class Section:
    """A part of the page: the name that it can be linked to by, its heading, and what is in it."""

    name: str
    title: str
    parts: Sequence[str]

    def html(self) -> str:
        """It as HTML."""
        body = "\n".join(self.parts)
        return f'<section aria-labelledby="{self.name}">\n<h2 id="{self.name}">{text(self.title)}</h2>\n{body}\n</section>\n'


def section(name: str, title: str, *parts: str) -> Section:
    """A part of the page."""
    return Section(name, title, parts)


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>"


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()) -> str:
    """A real table; the first cell of each row is its heading, and the columns in `numbers` stand to the right."""
    side = ['class="number"' if place in numbers else "" for place in range(len(heads))]
    top = "".join(f'<th scope="col" {kind}>{text(head)}</th>' for head, kind in zip(heads, side, strict=True))
    lines = []
    for first, *others in rows:
        cells = "".join(f"<td {kind}>{text(cell)}</td>" for cell, kind in zip(others, side[1:], strict=True))
        lines.append(f'<tr><th scope="row" {side[0]}>{text(first)}</th>{cells}</tr>')
    body = "\n".join(lines)
    return scrolling(f"<table><caption>{text(caption)}</caption><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table>", caption)


def scrolling(content: str, name: str) -> str:
    """What is wider than a telephone scrolls by itself, also with the keyboard, and says so there."""
    region = f'<div class="wide" role="region" aria-label="{text(name)}" tabindex="0">{content}</div>'
    return region + '<p class="hint">If it is cut off, scroll it sideways.</p>'


def data_uri(png: bytes) -> str:
    """A PNG file as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


@dataclass(frozen=True)
class Chart:
    """A figure as PNG files for light and dark pages, and its width and height in inches."""

    light: bytes
    dark: bytes
    size: tuple[float, float]


@dataclass(frozen=True)
class Spot:
    """A place on a figure, as shares of its width and height, that shows a small picture and a line of text when it is pointed at.

    `width` is the picture's own, in pixels.
    """

    place: tuple[float, float]
    png: bytes
    width: int
    line: str


def chart(picture: Chart, name: str, alt: str, spots: Sequence[Spot] = ()) -> str:
    """A figure as large as it was drawn, so that its text is as large as it was meant; with spots to point at, which need no script."""
    width, height = (round(size * SCREEN_DPI) for size in picture.size)
    dark = f'<source media="screen and (prefers-color-scheme: dark)" srcset="{data_uri(picture.dark)}">'
    image = f'<img src="{data_uri(picture.light)}" alt="{text(alt)}" width="{width}" height="{height}">'
    content = f"<picture>{dark}{image}</picture>"
    if spots:
        content = f'<div class="spots" style="width:{width}px">{content}{"".join(map(_spot, spots))}</div>'
    return f"<figure>{scrolling(content, name)}</figure>"


def _spot(spot: Spot) -> str:
    """Hidden until it is pointed at; it opens towards the middle of the figure, so that nothing of it is cut off."""
    across, down = spot.place
    side = f"{'left' if across > 0.5 else 'right'} {'above' if down > 0.5 else 'below'}"
    card = f'<img src="{data_uri(spot.png)}" alt="" width="{spot.width}"><span>{text(spot.line)}</span>'
    return f'<div class="spot" style="left:{across:.2%};top:{down:.2%}"><div class="card {side}">{card}</div></div>'


@dataclass(frozen=True)
class Tile:
    """A small picture with lines of text below; `right` says whether to mark it, and as what."""

    png: bytes
    alt: str
    lines: Sequence[str] = ()
    right: bool | None = None


def tiles(pictures: Sequence[Tile], kind: str = "") -> str:
    """Small pictures in rows, as many in each as there is room for."""
    return f'<ul class="tiles {kind}">\n' + "\n".join(_tile(picture) for picture in pictures) + "\n</ul>"


def _tile(tile: Tile) -> str:
    kind = {None: "", True: "right", False: "wrong"}[tile.right]
    mark = {None: "", True: RIGHT_MARK + " ", False: WRONG_MARK + " "}[tile.right]
    spoken = f'<span class="spoken">{kind}: </span><span aria-hidden="true">{mark}</span>' if kind else ""
    lines = "".join(f"<span>{spoken if number == 0 else ''}{text(line)}</span>" for number, line in enumerate(tile.lines))
    return f'<li class="{kind}"><img src="{data_uri(tile.png)}" alt="{text(tile.alt)}">{lines}</li>'
