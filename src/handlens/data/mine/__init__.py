"""The user's own digits: drawn, scanned or photographed, kept on the disk, and a data set like any other: `handlens.load("mine")`.

import handlens as hl

hl.mine.add("my-seven.png", 7)
hl.mine.dataset()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlens.lazy import make_lazy

if TYPE_CHECKING:
    from handlens.data.mine.adding import Outcome, add, add_named, add_pictures, add_sheet
    from handlens.data.mine.digits import Digit, digits, relabel, remove
    from handlens.data.mine.exporting import export
    from handlens.data.mine.showing import show
    from handlens.data.mine.template import save_template

_HOMES = {
    "Digit": "digits",
    "Outcome": "adding",
    "add": "adding",
    "add_named": "adding",
    "add_pictures": "adding",
    "add_sheet": "adding",
    "digits": "digits",
    "export": "exporting",
    "relabel": "digits",
    "remove": "digits",
    "save_template": "template",
    "show": "showing",
}

__all__ = [
    "Digit",
    "Outcome",
    "add",
    "add_named",
    "add_pictures",
    "add_sheet",
    "digits",
    "export",
    "relabel",
    "remove",
    "save_template",
    "show",
]

_package = make_lazy(__name__)


def __getattr__(name: str) -> Any:
    return _package.find(name)
