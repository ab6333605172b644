"""Questions that are answered together: a fault reaches those who asked, the next are answered, and nothing else holds them up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from web.service import SEVEN, Service

import handlens as hl
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


SLOW = """\
import time
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).parent


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, images):
        if torch.is_grad_enabled() and not self.training:  # it is being explained
            (HERE / "begun").touch()
            until = time.monotonic() + 60
            while not (HERE / "goes on").exists() and time.monotonic() < until:
                time.sleep(0.02)
        return self.layer(images.flatten(1))
"""


def test_an_answer_does_not_wait_for_a_slow_look_inside(
    lab: Service, home: Path, mnist: hl.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "slow.py").write_text(SLOW)
    monkeypatch.chdir(home)
    monkeypatch.setenv("HANDLENS_RUNS", str(home / "runs"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))  # there it is noted that the user has named the file
    hl.fit("slow.py:Slow", mnist, name="slow", quiet=True, examples=200, epochs=1)
    question = {"strokes": SEVEN, "run": "slow"}
    assert lab.ask("POST", "/api/answer", question).status == 200
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(lab.ask, "POST", "/api/inside", question)
        until = time.monotonic() + 25
        while not (home / "begun").exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert lab.ask("POST", "/api/answer", question).status == 200
        assert not looking.done()
        (home / "goes on").touch()
        assert looking.result().status == 200
