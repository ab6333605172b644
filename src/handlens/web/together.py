"""Questions that come at the same time, answered together in one thread."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")


class Together(Generic[Q]):
    """Whoever asks while it is busy is answered together with all others who did.

    One thread does that: many would take Python's lock from each other at every small step.

    Args:
        answer_all: gives as many answers as it gets questions; an exception in place of an answer is raised where that one was asked.
        most: questions at a time.
    """

    def __init__(self, answer_all: Callable[[Sequence[Q]], Sequence[Any]], most: int) -> None:
        self._answer_all = answer_all
        self._most = most
        self._waiting: queue.SimpleQueue[tuple[Q, asyncio.Future[Any]]] = queue.SimpleQueue()
        self._thread = ThreadPoolExecutor(1, "together")
        self._busy = False

    async def ask(self, question: Q) -> Any:
        """The answer."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._waiting.put((question, answer))
        self._go_on(loop)
        return await answer

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._busy and not self._waiting.empty():
            self._busy = True
            self._thread.submit(self._answer_waiting, loop)

    def _answer_waiting(self, loop: asyncio.AbstractEventLoop) -> None:
        asked: list[tuple[Q, asyncio.Future[Any]]] = []
        while len(asked) < self._most and not self._waiting.empty():
            asked.append(self._waiting.get())
        answers: Sequence[Any]
        try:
            answers = self._answer_all([question for question, _ in asked])
        except Exception as error:  # whoever asked is told, and whoever asks next is answered
            answers = [error] * len(asked)
        loop.call_soon_threadsafe(self._tell, loop, [(future, answer) for (_, future), answer in zip(asked, answers, strict=True)])

    def _tell(self, loop: asyncio.AbstractEventLoop, answered: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
        self._busy = False
        self._go_on(loop)
        for future, answer in answered:
            if future.done():  # nobody waits for it any more
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
