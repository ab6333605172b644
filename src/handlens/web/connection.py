"""A connection that is let go when the other side is slow; uvicorn itself would wait for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from h11 import IDLE, SEND_BODY
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 256
"""Connections at a time. One more takes the place of whoever has kept the lab waiting longest."""

_HEAD_S = 10.0
_BODY_S = 11.0  # the guard says after 10 that it was too slow
_READING_S = 10.0
_LEAST_READ = 1 << 16  # bytes in that time
_COMING = {IDLE: _HEAD_S, SEND_BODY: _BODY_S}


class Connection(H11Protocol):
    """uvicorn's connection, with a deadline for the head of a request, for its body, and for the reading of an answer.

    A byte now and then moves no deadline. The body of a request that was refused must come in time as well.
    """

    _expects: Any = None
    _since = 0.0
    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that it is told of everything that cannot be sent at once
        self._expect()
        if len(self.connections) > MOST:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """A part of a request has come."""
        super().data_received(data)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        for timer in filter(None, (self._late, self._unread)):
            timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The other side does not read, or not as quickly as it is written."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """It has read all."""
        super().resume_writing()
        if self._unread:
            self._unread.cancel()

    def _expect(self) -> None:
        """Begin to wait for what must come next, if that is another part than before."""
        part = self.conn.their_state
        if part is self._expects:
            return
        self._expects, self._since = part, self.loop.time()
        if self._late:
            self._late.cancel()
        self._late = self.loop.call_later(_COMING[part], self.transport.abort) if part in _COMING else None

    def _make_room(self) -> None:
        others = [other for other in self.connections if other is not self and isinstance(other, Connection)]
        idle = [other for other in others if other.conn.their_state in _COMING]
        if idle:
            longest = min(idle, key=lambda other: other._since)
            self.connections.discard(longest)
            longest.transport.abort()

    def _await_reader(self, before: int | None = None) -> None:
        unread = self.transport.get_write_buffer_size()
        if before is not None and unread > before - _LEAST_READ:
            self.transport.abort()
        else:
            self._unread = self.loop.call_later(_READING_S, self._await_reader, unread)
