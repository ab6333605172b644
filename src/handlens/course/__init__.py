"""The course: the session's lessons, slides and questions, and exercises that check themselves.

hl.course.check("cnn", MNISTCNN)      in a notebook, what you have defined there
hl.course.check("cnn")                your file of the exercise
hl.course.ours("cnn")                 our solution's network, for a lesson that goes on before yours is done
hl.course.keep(model)                 the weights of your run, for the exercise cnn
"""

from __future__ import annotations

from handlens.lazy import make_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from handlens.course.check import check
    from handlens.course.kept import keep
    from handlens.course.material import ours
    from handlens.course.plan import EXERCISES, Exercise
    from handlens.course.verdict import Result

_HOMES = {"EXERCISES": "plan", "Exercise": "plan", "Result": "verdict", "check": "check", "keep": "kept", "ours": "material"}

__all__ = ["EXERCISES", "Exercise", "Result", "check", "keep", "ours"]

_package = make_lazy(__name__)


def __getattr__(name: str) -> Any:
    return _package.find(name)
