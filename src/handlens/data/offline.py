"""Where nothing may be fetched over the network, whoever asks for data: a page that is only looked at, for one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_is_on: ContextVar[bool] = ContextVar("offline", default=False)


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Within it data come from this machine or not at all: in this task, and in threads given its context; a process says it itself."""
    before = _is_on.set(True)
    try:
        yield
    finally:
        _is_on.reset(before)


def is_offline() -> bool:
    """Whether that holds just now."""
    return _is_on.get()
