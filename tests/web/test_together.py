"""Questions that are answered together: a fault reaches those who asked, and the next are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from handlens.web.together import Together


def test_a_fault_is_told_to_who_asked_and_the_next_is_answered() -> None:
    def doubled(numbers: Sequence[int]) -> list[int]:
        if 0 in numbers:
            raise ZeroDivisionError
        return [2 * number for number in numbers]

    async def ask() -> int:
        together = Together(doubled, 4)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(together.ask(0), 30)
        answer: int = await asyncio.wait_for(together.ask(3), 30)
        together._thread.shutdown()
        return answer

    with ThreadPoolExecutor(1) as pool:  # in this thread the browser of other tests may have a loop of its own
        assert pool.submit(lambda: asyncio.run(ask())).result(60) == 6
