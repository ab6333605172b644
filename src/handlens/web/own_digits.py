"""The routes that keep what was drawn: corrected, counted, taken back."""

from __future__ import annotations

import collections
from typing import Any

from pydantic import Field
from starlette.responses import JSONResponse

from handlens.data import mine
from handlens.errors import UsageError
from handlens.web.asked import Asked, Body
from handlens.web.draw import Strokes


class Kept(Body):
    """A drawing to be kept.

    Attributes:
        strokes: lists of points (x, y).
        label: what it is.
        anyway: also if it may be more than one digit.
    """

    strokes: Strokes
    label: int = Field(ge=0, le=9)
    anyway: bool = False


def counts(_asked: Asked) -> dict[str, Any]:
    """How many digits of each label there are."""
    found = collections.Counter(digit.label for digit in mine.digits())
    return {"counts": [found[label] for label in range(10)], "all": found.total()}


def keep(asked: Asked) -> JSONResponse:
    """Keep a drawing with its label. When this is answered it is on the disk, lastingly."""
    body = asked.read(Kept)
    digit = mine.add(body.strokes, body.label, source="drawn in the lab", anyway=body.anyway)
    return JSONResponse({**digit.to_dict(), **counts(asked)}, 201)


def keep_photo(asked: Asked) -> JSONResponse:
    """Keep a photo with its label."""
    digit = mine.add(asked.body, asked.path["label"], source="a photo in the lab")
    return JSONResponse({**digit.to_dict(), **counts(asked)}, 201)


def take_back(asked: Asked) -> dict[str, Any]:
    """Forget a digit that was kept: the one of exactly that id."""
    if asked.path["digit"] not in {digit.id for digit in mine.digits()}:
        raise UsageError("None of your digits has this id.", hint="It may have been taken back already.")
    return {**mine.remove(asked.path["digit"]).to_dict(), **counts(asked)}
