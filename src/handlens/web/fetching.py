"""Data sets that are fetched because somebody has pressed the button that says so: each in a thread of its own, as it may take minutes.

One that is fetched by another process, such as a training or a command in a terminal, is told as well, so that no page offers it again.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from dataclasses import asdict, dataclass
from typing import Any

from handlens import data
from handlens.data import cache
from handlens.data.catalog import DATASETS
from handlens.errors import HandlensError, UsageError
from handlens.web.asked import Asked, Nothing


@dataclass
class Fetch:
    """How far one is.

    Attributes:
        says: what is done just now; empty when it is over.
        share: of the download that is there, 0 to 1; None if nothing is downloaded just now.
        error: why it did not work; empty if it did.
        hint: what to do about that.
    """

    says: str = "Looking for it"
    share: float | None = None
    error: str = ""
    hint: str = ""

    def tell(self, sentence: str, done: float | None = None) -> None:
        """See `handlens.data.say.Say`."""
        self.says, self.share = sentence, done


_fetches: dict[str, Fetch] = {}
_beginning = threading.Lock()


def begin(asked: Asked) -> dict[str, Any]:
    """Begin to fetch a data set of the catalogue; one that is being fetched already goes on."""
    asked.read(Nothing)
    name = _name(asked)
    with _beginning:
        if not _own(name).says:
            fetch = _fetches[name] = Fetch()
            # in a context of its own: this route, as all others, is offline
            threading.Thread(target=contextvars.Context().run, args=[_fetch, name, fetch], daemon=True).start()
    return asdict(_own(name))


def how_far(asked: Asked) -> dict[str, Any]:
    """What is done just now for a data set that is being fetched; of one that is not, nothing."""
    return asdict(_of(_name(asked)))


def is_going_on(name: str) -> bool:
    """Whether a data set of the catalogue that is not here is being fetched just now, whoever has begun it."""
    return bool(_of(name).says)


def _of(name: str) -> Fetch:
    own = _own(name)
    if own.says or not cache.is_being_filled(name):
        return own
    with _beginning:
        if _fetches.get(name) is own:
            del _fetches[name]  # how our last one ended says nothing of this one
    return Fetch("Another program is fetching it")


def _own(name: str) -> Fetch:
    """That of this lab; of one that it does not fetch, how its last one ended."""
    return _fetches.get(name, Fetch(says=""))


def _name(asked: Asked) -> str:
    if asked.path["name"] not in DATASETS:
        raise UsageError("There is no data set of this name that could be fetched.", hint="handlens data ls lists them.")
    return asked.path["name"]


def _fetch(name: str, fetch: Fetch) -> None:
    try:
        data.fetch(name, say=fetch.tell)
    except HandlensError as error:
        fetch.error, fetch.hint = error.what, error.hint
    except Exception as error:
        logging.getLogger("handlens").error("A fault while %s was fetched.", name, exc_info=error)
        fetch.error, fetch.hint = "The lab has a fault here.", "The terminal shows what happened. Please report it."
    finally:
        fetch.says = ""
