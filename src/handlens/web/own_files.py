"""The routes of the user's own digits as files: pictures, zip files and photographed sheets in; files for other programs out."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from handlens.data import mine
from handlens.data.mine.adding import Outcome
from handlens.data.mine.exporting import ONE_FILE
from handlens.data.mine.template import template_file
from handlens.errors import UsageError, nearest
from handlens.web.asked import Asked
from handlens.web.own_digits import counts

_MOST_NAME = 400
_TYPES = {".zip": "application/zip", ".csv": "text/csv; charset=utf-8", ".pdf": "application/pdf"}


def add(asked: Asked) -> dict[str, Any]:
    """Keep a picture, or a zip file of pictures. The file's name, with its folder, may say what it is; nothing is looked for by it."""
    name = asked.query.get("name", "")[-_MOST_NAME:] or "picture"
    outcomes = mine.add_named(name, asked.body, asked.query.get("label"), anyway="anyway" in asked.query)
    return _told(list(outcomes), asked)


def add_sheet(asked: Asked) -> dict[str, Any]:
    """Keep the digits on a photo of a filled sheet."""
    return _told(list(mine.add_sheet(asked.body)), asked)


def _told(outcomes: list[Outcome], asked: Asked) -> dict[str, Any]:
    kept = [outcome for outcome in outcomes if outcome.kept]
    left = [outcome for outcome in outcomes if outcome.digit is None]
    reasons = [{"name": one.name, "why": _why(one), "unlabelled": one.unlabelled, "doubtful": one.doubtful} for one in left]
    return {"kept": len(kept), "twice": len(outcomes) - len(kept) - len(left), "left": reasons, **counts(asked)}


def _why(left: Outcome) -> str:
    """Why a picture was left out, for somebody who has no terminal before them."""
    return f"it is among your digits already, as a {left.other.label}" if left.other else left.said


def export(asked: Asked) -> Response:
    """All digits in one file for another program."""
    kind = asked.path["kind"]
    if kind not in ONE_FILE:
        raise UsageError("Digits cannot be written so.", hint=nearest(kind, ONE_FILE))
    name, make = ONE_FILE[kind]
    return _download(name, make())


def sheet(_asked: Asked) -> Response:
    """The page to print and to write digits on."""
    return _download("sheet.pdf", template_file())


def _download(name: str, content: bytes) -> Response:
    kind = _TYPES[name[name.index(".") :]]
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
