"""Widgets for notebooks, with the same code in the browser as the lab: `hl.widgets.DrawPad()` draws, and a network answers."""

from __future__ import annotations

from importlib import resources
from typing import Any

from handlens import files
from handlens.errors import HandlensError, UsageError
from handlens.prediction import Prediction, predict
from handlens.runs import Run, load_run, preparation_of

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise UsageError("Widgets need anywidget, which is not installed.", hint='pip install "handlens[notebook]"') from error

_MOST_BYTES = 1 << 20
_STYLE = """
.handlens-pad { --ink: #1a1d21; --ghost: #c4ccd5; --wrong: #b84a00; display: block; width: 280px; height: 280px; touch-action: none;
  cursor: crosshair; background: #ffffff; border: 2px solid #586069; border-radius: 10px; margin-bottom: 8px; }
.handlens-said { font-size: 1.2em; min-height: 1.5em; }
"""


def _script() -> str:
    """The lab's pad, and behind it what joins it to a notebook, as one module."""
    static = resources.files("handlens") / "web" / "static"
    pad, joint = (files.read_bytes(static / name, _MOST_BYTES).decode() for name in ("drawpad.js", "notebook.js"))  # type: ignore[arg-type]
    return pad + joint.replace('import { DrawPad } from "./drawpad.js";', "")


class DrawPad(anywidget.AnyWidget):
    """A pad to draw on in a notebook; a network says what it reads while one draws.

    Args:
        run: who answers: a run, or how `load_run` finds one.

    Attributes:
        strokes: lists of points (x, y), as they were drawn; may also be set.
        said: the answer in words.
        prediction: the answer; None while nothing was drawn.

    Raises:
        RunNotFound, RunDamaged: there is no such run, or it cannot be read.
    """

    _esm = _script()
    _css = _STYLE
    strokes: Any = traitlets.List().tag(sync=True)
    said: Any = traitlets.Unicode("Draw a digit.").tag(sync=True)

    def __init__(self, run: Run | str = "starter") -> None:
        super().__init__()
        self.run = load_run(run) if isinstance(run, str) else run
        self.prediction: Prediction | None = None
        self._model = self.run.model()
        self._preparation = preparation_of(self.run.config, self.run.about)
        self.observe(self._ask, "strokes")

    def _ask(self, _change: object) -> None:
        try:
            self.prediction = predict(self._model, self.run.about.classes, self._preparation, self.strokes) if self.strokes else None
        except HandlensError as error:
            self.prediction, self.said = None, error.what
        else:
            self.said = _in_words(self.prediction)


def _in_words(prediction: Prediction | None) -> str:
    if prediction is None:
        return "Draw a digit."
    return " ".join(filter(None, (prediction.doubt.capitalize(), prediction.answer)))
