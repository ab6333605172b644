"""The network as boxes and arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from handlens.plots.sheet import MARGIN, Sheet
from handlens.plots.style import LIGHT, NORMAL, Picture, Theme, plain, text_width

_HIGH, _GAP, _PAD = 0.3, 0.2, 0.12
_LANE, _FIRST_LANE = 0.14, 0.3
Blocks = Sequence[tuple[int, int, int]]
Point = tuple[float, float]


class BoxLike(Protocol):
    """What `explain.graph` says of a box."""

    @property
    def title(self) -> str:
        """The layer."""

    @property
    def more(self) -> tuple[str, ...]:
        """What follows it at once."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image behind it."""

    @property
    def parameters(self) -> int:
        """Numbers that it learns."""

    @property
    def inputs(self) -> tuple[int, ...]:
        """Places of the boxes that lead into it; -1 is the image."""


@dataclass
class _Layout:
    """Where each box stands: its top in inches from below the title, and which of them stand at the side of the main way."""

    tops: dict[int, float] = field(default_factory=lambda: {-1: 0.0})
    side: set[int] = field(default_factory=set)
    inputs: dict[int, list[int]] = field(default_factory=dict)
    folded: list[tuple[float, float, int]] = field(default_factory=list)
    height: float = _HIGH + _GAP

    def goes_around(self, place: int, source: int) -> bool:
        """Whether an arrow passes boxes on its way without going through any at the side."""
        between = [top for other, top in self.tops.items() if other not in self.side and self.tops[source] < top < self.tops[place]]
        return bool(between) and not {place, source} & self.side


def plot_graph(image_shape: Sequence[int], boxes: Sequence[BoxLike], blocks: Blocks, *, theme: Theme = LIGHT) -> Picture:
    """A network from the image at the top to the scores at the bottom; what goes around some boxes goes along at their left.

    Args:
        image_shape: channels, height, width.
        boxes: in the order of use.
        blocks: for each block its first box, the one after its last, and how many equal ones follow each other; drawn once.
        theme: the colours.
    """
    layout = _lay_out(boxes, blocks)
    words = {place: "Image" if place < 0 else plain(" · ".join([boxes[place].title, *boxes[place].more]), 60) for place in layout.tops}
    facts = {place: _facts(boxes[place]) if place >= 0 else _shape(image_shape) for place in layout.tops}
    lanes = max((_lane(layout, place, source) for place, sources in layout.inputs.items() for source in sources), default=0)
    columns = _columns(layout, words, lanes)
    right = columns[1][0] + columns[1][1] + 0.15
    beyond = right + max(text_width(line) for line in facts.values()) + 0.1
    total = sum(box.parameters for box in boxes)
    subtitle = f"{total:,} parameters; at the right the shape of one image behind each box"
    sheet = Sheet("The network", subtitle, (beyond + (0.6 if layout.folded else 0.0) + MARGIN, layout.height), theme)
    for place, top in layout.tops.items():
        left, wide = columns[place not in layout.side]
        _box(sheet, words[place], (left, sheet.top + top, wide), joins=len(layout.inputs.get(place, [])) > 1)
        if place not in layout.side:
            sheet.text(facts[place], right, sheet.top + top + _HIGH / 2, va="center", color=theme.muted)
    for place, sources in layout.inputs.items():
        for source in sources:
            _arrow(sheet, _way(layout, columns, place, source), sheet.top)
    for first, last, times in layout.folded:
        _bracket(sheet, (beyond, sheet.top + first, sheet.top + last + _HIGH), f"× {times}")
    return sheet.finish()


def _lay_out(boxes: Sequence[BoxLike], blocks: Blocks) -> _Layout:
    """The longest way through each block stands in the middle, what else is in it at the side of that."""
    layout = _Layout()
    ends = {first + (end - first) * times - 1: end - 1 for first, end, times in blocks}  # the last of folded blocks: the one drawn
    for first, end, times in blocks:
        top, main = layout.height, _longest(boxes, first, end)
        aside = [place for place in range(first, end) if place not in main]
        for places in (main, aside):
            layout.tops |= {place: top + row * (_HIGH + _GAP) for row, place in enumerate(places)}
        layout.side |= set(aside)
        layout.inputs |= {place: [ends.get(source, source) for source in boxes[place].inputs] for place in range(first, end)}
        layout.height = top + max(len(main), len(aside) + 1 if aside else 0) * (_HIGH + _GAP)
        if times > 1:
            layout.folded.append((top, layout.height - _HIGH - _GAP, times))
    layout.height -= _GAP - 0.06
    return layout


def _longest(boxes: Sequence[BoxLike], first: int, end: int) -> list[int]:
    """The places on the longest way from a block's entrance to its last box."""
    ways: dict[int, list[int]] = {}
    for place in range(first, end):
        before = max((ways[source] for source in boxes[place].inputs if source >= first), key=len, default=[])
        ways[place] = [*before, place]
    return ways[end - 1]


def _lane(layout: _Layout, place: int, source: int) -> int:
    """In which lane at the left an arrow goes, from 1: one further out for each other that it encloses; 0 if it needs none."""
    if not layout.goes_around(place, source):
        return 0
    spans = [(one, other) for one, sources in layout.inputs.items() for other in sources if layout.goes_around(one, other)]
    tops = layout.tops
    return sum(tops[source] <= tops[other] and tops[one] <= tops[place] for one, other in spans)


def _columns(layout: _Layout, words: dict[int, str], lanes: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Left edge and width, in inches, of the column at the side and of the main one."""
    main, aside = (
        max((text_width(words[place], NORMAL, bold=True) for place in layout.tops if (place in layout.side) is at_side), default=0.0)
        for at_side in (False, True)
    )
    wide = aside + 2 * _PAD if aside else 0.0
    room = _FIRST_LANE + (lanes - 1) * _LANE + 0.1 if lanes else 0.25 if aside else 0.0
    return (MARGIN, wide), (MARGIN + wide + room, main + 2 * _PAD)


def _facts(box: BoxLike) -> str:
    return f"{_shape(box.shape)}{f'    {box.parameters:,} parameters' if box.parameters else ''}"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _box(sheet: Sheet, words: str, place: tuple[float, float, float], *, joins: bool) -> None:
    left, top, wide = place
    edge = sheet.theme.wrong if joins else sheet.theme.right
    style: dict[str, Any] = {"facecolor": sheet.theme.background, "edgecolor": edge, "linewidth": 1.2}
    sheet.axes.add_patch(FancyBboxPatch((left, top), wide, _HIGH, boxstyle="round,pad=0,rounding_size=0.06", **style))
    sheet.text(words, left + wide / 2, top + _HIGH / 2, va="center", ha="center", fontsize=NORMAL, fontweight="bold" if joins else "normal")


def _way(layout: _Layout, columns: tuple[Point, Point], place: int, source: int) -> list[Point]:
    """The corners of an arrow, in inches from below the title."""
    centre = {one: columns[one not in layout.side][0] + columns[one not in layout.side][1] / 2 for one in (place, source)}
    below, top = layout.tops[source] + _HIGH, layout.tops[place]
    if lane := _lane(layout, place, source):
        out = columns[1][0] - _FIRST_LANE - (lane - 1) * _LANE
        return [(centre[source], below + 0.06), (out, below + 0.06), (out, top + _HIGH / 2), (columns[1][0], top + _HIGH / 2)]
    if centre[source] == centre[place]:
        return [(centre[source], below), (centre[place], top)]
    if place in layout.side:
        return [(centre[source], below + 0.06), (centre[place], below + 0.06), (centre[place], top)]
    return [(centre[source], below), (centre[source], top + _HIGH / 2), (columns[1][0], top + _HIGH / 2)]


def _arrow(sheet: Sheet, way: Sequence[Point], down: float) -> None:
    corners = [(x, y + down) for x, y in way]
    xs, ys = zip(*corners, strict=True)
    sheet.axes.plot(xs[:-1], ys[:-1], color=sheet.theme.muted, linewidth=1.1, solid_capstyle="round")
    style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 8, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.1}
    sheet.axes.add_patch(FancyArrowPatch(corners[-2], corners[-1], color=sheet.theme.muted, **style))


def _bracket(sheet: Sheet, place: tuple[float, float, float], words: str) -> None:
    left, top, bottom = place
    xs = [left, left + 0.08, left + 0.08, left]
    sheet.axes.plot(xs, [top, top, bottom, bottom], color=sheet.theme.text, linewidth=1.2)
    sheet.text(words, left + 0.16, (top + bottom) / 2, va="center", fontsize=NORMAL, fontweight="bold")
