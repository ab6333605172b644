"""Who somebody is. The terminal shows a link; it works once, and is traded for a cookie that only this lab's pages can use."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

import platformdirs

from handlens import files
from handlens.errors import FileError

OWNER, LEARNER = "owner", "learner"
_SECRET_BYTES = 32
_MOST_LINKS = 2  # one in the terminal, one that a browser was started with


class Keys:
    """The links and cookies of one lab.

    Args:
        port: all ports of a machine share their cookies, so the cookie's name has it.
        role: what a link makes of somebody: `owner`, or `learner`, who may look but change nothing.
        secret: what cookies are made from.
    """

    def __init__(self, port: int, role: str = OWNER, secret: bytes | None = None) -> None:
        self.name = f"handlens-{port}"
        self.role = role
        self._secret = secret or kept_secret()
        self._links: list[str] = []

    def new_link(self) -> str:
        """The key of a link that works once; of older ones only the newest still does."""
        self._links = [*self._links, secrets.token_urlsafe(24)][-_MOST_LINKS:]
        return self._links[-1]

    @property
    def has_link(self) -> bool:
        """Whether there is a link that was not used yet."""
        return bool(self._links)

    def redeem(self, key: str) -> bool:
        """Whether a link has this key; it has it no more."""
        found = [link for link in self._links if hmac.compare_digest(link.encode(), key.encode())]
        self._links = [link for link in self._links if link not in found]
        return bool(found)

    def cookie(self, role: str) -> str:
        """The value of the cookie of a role."""
        return hmac.new(self._secret, f"{self.name} {role}".encode(), hashlib.sha256).hexdigest()

    def role_of(self, header: str) -> str:
        """The role that a `Cookie` header proves; empty if none. Where one may only look, an owner's older cookie is worth no more."""
        try:
            given = SimpleCookie(header)[self.name].value
        except (CookieError, KeyError):
            return ""
        roles = dict.fromkeys((LEARNER, self.role))
        return next((role for role in roles if hmac.compare_digest(self.cookie(role).encode(), given.encode())), "")


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
