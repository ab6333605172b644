"""Who somebody is. The terminal shows a link; it works once, and is traded for a cookie that only this lab's pages can use."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import threading
import time
from typing import NamedTuple

import platformdirs

from handlens import files
from handlens.errors import FileError

OWNER, VIEWER, DRAWER, LEARNER = "owner", "viewer", "drawer", "learner"
INVITED_S = 120
"""So long a phone may be let in by a link."""

_SECRET_BYTES = 32
_MOST_LINKS = 2  # one in the terminal, one that a browser was started with
_MOST_VALUES = 8  # of cookies of one name: each is compared, and a header has room for thousands


class Link(NamedTuple):
    """A way in that works once: its key, what it makes of somebody, and until when."""

    key: str
    role: str
    until: float


class Keys:
    """The links and cookies of one lab.

    Args:
        port: all ports of a machine share their cookies, so the cookie's name has it.
        role: what the user's own link makes of them: `owner`, or `viewer`, who may look but change nothing. A phone becomes `drawer`.
        secret: what cookies are made from.
    """

    def __init__(self, port: int, role: str = OWNER, secret: bytes | None = None) -> None:
        self.name = f"handlens-{port}"
        self.learner_name = f"{self.name}-class"  # of its own: a phone may draw and be in a class
        self.role = role
        self._secret = secret or kept_secret()
        self._session = secrets.token_hex(8)
        self._cookies = {each: self._made_for(each) for each in (OWNER, VIEWER, DRAWER)}
        self._links: list[Link] = []
        self._lock = threading.Lock()  # each request has a thread of its own

    def new_link(self, role: str = "") -> str:
        """The key of a link that works once; of older ones of the same role only the newest still does. A phone's works for two minutes."""
        role = role or self.role
        until = time.monotonic() + INVITED_S if role == DRAWER else math.inf
        made = Link(secrets.token_urlsafe(24), role, until)
        with self._lock:
            same = [link for link in self._links if link.role == role][1 - _MOST_LINKS :]
            self._links = [link for link in self._links if link.role != role] + [*same, made]
        return made.key

    @property
    def has_link(self) -> bool:
        """Whether there is a link of the user's own that was not used yet."""
        return any(link.role == self.role for link in self._links)

    def redeem(self, key: str, reach: frozenset[str]) -> str:
        """What the link with this key makes of somebody who came by an address for these roles; it does so once. Empty: there is none."""
        with self._lock:
            found = [link for link in self._links if hmac.compare_digest(link.key.encode(), key.encode()) and link.role in reach]
            self._links = [link for link in self._links if link not in found]
        return next((link.role for link in found if time.monotonic() < link.until), "")

    def cookie(self, role: str) -> str:
        """The value of the cookie of a role. A drawer's is worth nothing any more when the lab is started again."""
        return self._cookies[role]

    def _made_for(self, role: str) -> str:
        what = f"{self.name} {role} {self._session}" if role == DRAWER else f"{self.name} {role}"
        return hmac.new(self._secret, what.encode(), hashlib.sha256).hexdigest()

    def learner_keys(self, header: str) -> list[str]:
        """The keys of learners in a `Cookie` header, right or not."""
        return _values(header, self.learner_name)

    def role_of(self, header: str, reach: frozenset[str]) -> str:
        """The role that a `Cookie` header proves, of those that may come this way; empty if none.

        Where one may only look, an owner's older cookie is worth no more.
        """
        given = [value.encode() for value in _values(header, self.name)]
        roles = [role for role in dict.fromkeys((VIEWER, self.role, DRAWER)) if role in reach]
        return next((role for role in roles if any(hmac.compare_digest(self.cookie(role).encode(), value) for value in given)), "")


def _values(header: str, name: str) -> list[str]:
    """What a `Cookie` header has under a name. Programs at other ports add their own cookies, of any form, even of the same name."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for key, _, value in pairs if key == name][:_MOST_VALUES]


def kept_secret() -> bytes:
    """The secret of this user on this machine. It is kept, so that a page which is open goes on when the lab is started again."""
    path = platformdirs.user_state_path("handlens", appauthor=False) / "lab.key"
    try:
        if path.exists() and len(secret := files.read_bytes(path, _SECRET_BYTES)) == _SECRET_BYTES:
            return secret
        secret = secrets.token_bytes(_SECRET_BYTES)
        files.write_atomic(path, secret, mode=0o600)
    except FileError:  # then only this one start knows it
        secret = secrets.token_bytes(_SECRET_BYTES)
    return secret
