"""How every figure looks: product colours, one size of text, nothing left to the user's own matplotlib settings.

A figure is as wide in inches as a page shows it at 96 pixels an inch, so 8 points in the figure are 8 points on the page.
"""

from __future__ import annotations

import base64
import functools
import html
import io
from dataclasses import dataclass
from typing import Any

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text

from handlens.files import printable

WIDTH = 9.6
SMALL, NORMAL, TITLE = 8.0, 9.0, 11.0
RIGHT_MARK, WRONG_MARK = "✓", "✗"
SCREEN_DPI = 96
_DPI = 192


_MARKERS = "osD^v"
_DASHES: tuple[str | tuple[float, tuple[float, ...]], ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)))


@dataclass(frozen=True)
class Theme:
    """The colours of a figure; `right` is also the first series and `wrong` the second. Contrast is at least 4.5 : 1 on `background`."""

    text: str
    muted: str
    background: str
    faint: str
    right: str
    wrong: str
    magnitudes: str

    @property
    def series(self) -> tuple[str, ...]:
        """Colours that colour-blind people can tell apart (Okabe and Ito 2008); use a dash and a marker as well."""
        return (self.right, self.wrong, *(("#007A5A", "#A3478A", self.text) if self is LIGHT else ("#2FC79A", "#E29BC8", self.text)))

    def line(self, number: int) -> dict[str, Any]:
        """How the line of that number is drawn: its colour, dash, width and marker."""
        colours = self.series
        look = {"linestyle": _DASHES[number % len(_DASHES)], "linewidth": 1.8, "marker": _MARKERS[number % len(_MARKERS)]}
        return {"color": colours[number % len(colours)], **look}


LIGHT = Theme("#1A1D21", "#586069", "#FFFFFF", "#E3E6EA", "#0072B2", "#B84A00", "cividis_r")
DARK = Theme("#E8EAED", "#A9B1BA", "#14171B", "#333A42", "#56B4E9", "#FF8A4C", "cividis")

SIGNED = LinearSegmentedColormap.from_list("blue-white-orange", ["#00263F", "#0072B2", "#FFFFFF", "#F08A45", "#C85A12"], N=257)
"""For weights: zero is white. The blue end is darker than the orange one, so that the strongest of each differ without colour too."""


class Picture(Figure):
    """A matplotlib figure that also shows itself in a notebook that has no matplotlib set up."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = (round(size * SCREEN_DPI) for size in self.get_size_inches())
        return png(self), {"width": width, "height": height}


def new_figure(width: float, height: float, theme: Theme, *, constrained: bool = True) -> Picture:
    """An empty figure of so many inches."""
    return Picture(figsize=(width, height), facecolor=theme.background, layout="constrained" if constrained else None)


def dress(axes: Axes, theme: Theme, *, xlabel: str = "", ylabel: str = "") -> None:
    """Give axes their colours, labels and a faint grid."""
    axes.set_facecolor(theme.background)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.muted)
    axes.tick_params(which="both", colors=theme.muted, labelcolor=theme.text, labelsize=NORMAL)
    axes.grid(visible=True, color=theme.faint, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel(xlabel, color=theme.text, fontsize=NORMAL)
    axes.set_ylabel(ylabel, color=theme.text, fontsize=NORMAL)


def headline(axes: Axes, words: str, theme: Theme) -> None:
    """A title that begins where the plot begins."""
    axes.set_title(words, loc="left", color=theme.text, fontsize=TITLE, fontweight="bold", pad=8)


def finish(figure: Picture) -> Picture:
    """Last step of every plot: our typeface everywhere, and no text taken for a formula (a class may be called `$x_1$`)."""
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)
            text.set_fontfamily(families())
    return figure


_ASIAN = ("Noto Sans CJK JP", "Noto Sans JP", "IPAGothic", "Yu Gothic", "Hiragino Sans", "MS Gothic", "WenQuanYi Zen Hei")


@functools.cache
def families() -> list[str]:
    """DejaVu Sans, which comes with matplotlib, then what this machine has for Japanese and Chinese class names."""
    here = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _ASIAN if name in here)]


@functools.cache
def _font_files(weight: str) -> list[str]:
    return [font_manager.findfont(font_manager.FontProperties(family=[name], weight=weight)) for name in families()]


@functools.cache
def _letters() -> frozenset[int]:
    return frozenset().union(*(font_manager.get_font(file).get_charmap() for file in _font_files("normal")))


def plain(name: str, most: int = 24) -> str:
    """`name` as a figure can show it: one line, at most so many letters, a box for each letter that no typeface here has."""
    shown = printable(str(name), most)
    return "".join(letter if ord(letter) in _letters() else "▯" for letter in shown)


def text_width(words: str, size: float = SMALL, *, bold: bool = False) -> float:
    """How wide `words` are in inches."""
    font = font_manager.get_font(_font_files("bold" if bold else "normal"))  # matplotlib keeps one for each thread
    font.set_size(size, 10 * 72)  # ten times too large, so that rounding to pixels is nothing
    font.set_text(words)
    return float(font.get_width_height()[0]) / 64 / 10 / 72


def percent(share: float) -> str:
    """A probability as it stands under a picture: never rounded up to a certainty that was not there."""
    if 0.99 < share < 1:
        return f"{min(share, 0.9999) * 100:.2f} %" if share > 0.9995 else f"{min(share, 0.999) * 100:.1f} %"
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 or share == 0 else "< 1 %"


def png(figure: Figure, dpi: float = _DPI) -> bytes:
    """The figure as a PNG file; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=dpi, facecolor=figure.get_facecolor(), metadata={"Software": None}, bbox_inches=figure.bbox_inches
    )
    return buffer.getvalue()


def pdf(figure: Figure) -> bytes:
    """The figure as a PDF file of one page, of lines and letters that are sharp at any size; equal figures give equal bytes."""
    buffer = io.BytesIO()
    undated = dict.fromkeys(("CreationDate", "Producer", "Creator"))
    figure.savefig(buffer, format="pdf", facecolor=figure.get_facecolor(), metadata=undated)
    return buffer.getvalue()


def img_tag(figure: Figure, alt: str, width: int | None = None) -> str:
    """An HTML `<img>` that holds the figure itself, `width` pixels wide (as many as it was made for, if None).

    Args:
        figure: the picture.
        alt: what it shows, for those who cannot see it; any text, escaped here.
        width: in CSS pixels.
    """
    wide, high = figure.get_size_inches()
    width = width or round(wide * SCREEN_DPI)
    data = base64.b64encode(png(figure)).decode()
    return (
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" width="{width}" height="{round(width * high / wide)}" '
        'style="max-width:100%;height:auto">'
    )
