"""The shell that every page is, the files in static/, and the way in."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from starlette.responses import FileResponse, RedirectResponse, Response

from handlens import __version__
from handlens.web.asked import Asked
from handlens.web.code import SNIPPETS
from handlens.web.guard import Refused
from handlens.web.keys import DRAWER, OWNER

STATIC = Path(str(resources.files("handlens.web"))) / "static"
FILES = {path.name: path for path in sorted(STATIC.iterdir())}
"""What there is, by its address: an address that is not in here leads to no file."""

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


def start(asked: Asked) -> Response:
    """Trade a link that works once for a cookie; whoever has the cookie already just goes on."""
    keys = asked.lab.keys
    role = keys.redeem(asked.query.get("key", ""), asked.reach)
    if not role and not asked.role:
        raise _used_up(asked)
    first = "/class" if asked.lab.classroom else "/"
    answer = RedirectResponse("/phone" if (role or asked.role) == DRAWER else first, 303)
    if role:
        answer.set_cookie(keys.name, keys.cookie(role), httponly=True, samesite="strict", max_age=30 * 86400)
    return answer


def _used_up(asked: Asked) -> Refused:
    if DRAWER in asked.reach:
        return Refused(401, "This link was used already, or is older than two minutes.", "The page Draw on the computer shows a new one.")
    if not asked.lab.keys.has_link:
        asked.lab.tell(f"A link was used up or wrong. A new one, which works once: {asked.lab.link()}")
    return Refused(401, "This link was used already, or is an old one.", "The terminal where the lab runs shows a new one.")


def shell(_asked: Asked) -> Response:
    """The one HTML file; its script looks at the address and shows that page."""
    return _file("shell.html")


def phone(_asked: Asked) -> Response:
    """The page of a phone that draws."""
    return _file("phone.html")


def learner(_asked: Asked) -> Response:
    """The page of a learner of the class."""
    return _file("learner.html")


def static(asked: Asked) -> Response:
    """A file of static/."""
    return _file(asked.path["name"])


def _file(name: str) -> Response:
    if name not in FILES:
        raise Refused(404, "There is no such file.")
    path = FILES[name]
    return FileResponse(path, media_type=_TYPES.get(path.suffix), headers={"cache-control": "no-cache"})


def lab(asked: Asked) -> dict[str, object]:
    """What every page wants to know of the lab."""
    return {"version": __version__, "may_change": asked.role == OWNER, "phone": bool(asked.lab.lan), "class": bool(asked.lab.classroom)}


def code(_asked: Asked) -> dict[str, str]:
    """The lines behind each "show code"."""
    return SNIPPETS
