"""The routes of the user's own digits: kept, counted, shown, mended, deleted."""

from __future__ import annotations

import base64
import collections
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Base64Bytes, Field
from starlette.responses import JSONResponse

from handlens.data import mine
from handlens.data.mine.adding import MOST, Doubtful
from handlens.data.mine.digits import OtherLabel, check_label, drawn, home
from handlens.data.mine.restoring import Removed, put_back, take_out
from handlens.errors import DataDamaged, HandlensError, UsageError
from handlens.web.asked import Asked, Body
from handlens.web.draw import Strokes
from handlens.web.guard import Refused
from handlens.web.pictures import as_png
from handlens.web.tiles import smaller

_AT_ONCE = 60
_SIDE = 72  # pixels


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


class Label(Body):
    """What a digit really is, and what the page shows that it is up to now."""

    label: int = Field(ge=0, le=9)
    before: int = Field(ge=0, le=9)


class Chosen(Body):
    """Digits by their ids."""

    digits: list[Annotated[str, Field(max_length=12)]] = Field(max_length=500)


class Gone(Body):
    """A digit that was deleted: its line in the table, its picture, its strokes."""

    id: str = Field(pattern="^[0-9a-f]{12}$")
    label: int = Field(ge=0, le=9)
    part: Literal["train", "test"]
    how: str = Field(max_length=40)
    added: str = Field(max_length=40)
    source: str = Field(max_length=400)
    png: Base64Bytes
    strokes: str


class Restored(Body):
    """Digits to be put back."""

    removed: list[Gone] = Field(max_length=500)


def counts(_asked: Asked) -> dict[str, Any]:
    """How many digits of each label there are."""
    kept = mine.digits()
    found = collections.Counter(digit.label for digit in kept)
    tests = collections.Counter(digit.label for digit in kept if digit.part == "test")
    in_all = {"all": found.total(), "tests": tests.total(), "most": MOST, "folder": str(home())}
    return {"counts": [found[label] for label in range(10)], **in_all}


def keep(asked: Asked) -> JSONResponse:
    """Keep a drawing with its label. When this is answered it is on the disk, lastingly."""
    body = asked.read(Kept)
    answer = _kept(asked, lambda: mine.add(body.strokes, body.label, source="drawn in the lab", anyway=body.anyway))
    if answer.status_code == 201:
        asked.lab.phone.keep(body.strokes)
    return answer


def keep_photo(asked: Asked) -> JSONResponse:
    """Keep a photo with its label."""
    label, anyway = asked.path["label"], "anyway" in asked.query
    return _kept(asked, lambda: mine.add(asked.body, label, source="a photo in the lab", anyway=anyway))


def _kept(asked: Asked, add: Callable[[], mine.Digit]) -> JSONResponse:
    try:
        digit = add()
    except Doubtful as doubt:  # the page asks whether it is meant
        return JSONResponse({"error": doubt.what, "what to do": "", "doubtful": True}, 422)
    except OtherLabel as other:
        what = "It is among your digits already, as another digit."
        raise Refused(422, what, "To change that, choose it there: page Data, My digits.") from other
    return JSONResponse({**digit.to_dict(), **counts(asked)}, 201)


def listed(asked: Asked) -> dict[str, Any]:
    """The digits of a label, the newest first, some at a time: each as it was drawn, small."""
    label, start = check_label(asked.path["label"]), asked.query.get("from", "0")
    same = [digit for digit in reversed(mine.digits()) if digit.label == label]
    first = int(start) if start.isdecimal() and len(start) < 6 else 0
    return {"digits": [_shown(digit) for digit in same[first : first + _AT_ONCE]], "all": len(same)}


def _shown(digit: mine.Digit) -> dict[str, Any]:
    """A digit with its picture; without one, and with the reason, if that is damaged."""
    try:
        return {**digit.to_dict(), "picture": as_png(smaller(drawn(digit), _SIDE)), "damage": ""}
    except DataDamaged as damage:
        return {**digit.to_dict(), "picture": "", "damage": damage.what}


def relabel(asked: Asked) -> dict[str, Any]:
    """Say what a digit really is."""
    body = asked.read(Label)
    try:
        return {**mine.relabel(_exactly(asked), body.label, before=body.before).to_dict(), **counts(asked)}
    except OtherLabel as other:
        raise Refused(409, other.what, "It was changed in another window, or in a terminal. Reload this page.") from other


def take_back(asked: Asked) -> dict[str, Any]:
    """Forget a digit that was kept: the one of exactly that id."""
    return {**mine.remove(_exactly(asked)).to_dict(), **counts(asked)}


def delete(asked: Asked) -> dict[str, Any]:
    """Delete digits. The answer holds all that there was of them: who sends it to `restore` has them back."""
    ids = list(dict.fromkeys(asked.read(Chosen).digits))
    if missing := set(ids) - {digit.id for digit in mine.digits()}:
        raise _not_there(len(missing))
    removed: list[Removed] = []
    for digit_id in ids:
        try:
            removed.append(take_out(digit_id))
        except HandlensError:
            if not removed:
                raise
            break  # what is gone must be handed over
    gone = [{**one.digit.to_dict(), "png": base64.b64encode(one.png).decode(), "strokes": one.strokes} for one in removed]
    return {"removed": gone, **counts(asked)}


def restore(asked: Asked) -> dict[str, Any]:
    """Put digits back that were deleted."""
    failed = None
    for one in asked.read(Restored).removed:
        known = one.model_dump(exclude={"png", "strokes"})
        try:
            put_back(Removed(mine.Digit(**known), one.png, one.strokes))
        except UsageError as error:  # the others shall not be lost for it
            failed = error
    if failed:
        raise failed
    return counts(asked)


def _exactly(asked: Asked) -> str:
    """The id in the address, if a digit has exactly that one."""
    if asked.path["digit"] not in {digit.id for digit in mine.digits()}:
        raise _not_there(1)
    return asked.path["digit"]


def _not_there(count: int) -> UsageError:
    what = "None of your digits has this id." if count == 1 else f"None of your digits has one of these {count} ids."
    return UsageError(what, hint="It may have been taken back already.")
