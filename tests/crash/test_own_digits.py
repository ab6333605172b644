"""Several processes that keep digits at once lose none, and a digit that was said to be kept is there after a kill."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from corpus import amount, commit
from nursery import Child, Nursery

import handlens as hl
from handlens.data.mine.digits import seen

Record = Callable[[str, object], None]


def told(child: Child) -> dict[str, int]:
    """The digits that it said to have kept: id and label."""
    lines = [line.split() for line in child.said.splitlines() if line.startswith("kept") and len(line.split()) == 3]
    return {digit_id: int(label) for _kept, digit_id, label in lines}


def kept() -> dict[str, int]:
    """Those that are there, whole."""
    assert all(seen(digit).image.any() for digit in hl.mine.digits())
    return {digit.id: digit.label for digit in hl.mine.digits()}


def test_processes_that_keep_digits_at_once_lose_none(nursery: Nursery, quick_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(quick_disk))
    children = [nursery.start("jobs:keep_digits", list(range(place, 120, 4)), log=quick_disk / f"child-{place}") for place in range(4)]
    assert [child.wait() for child in children] == [0] * 4, [child.said for child in children]
    everything = {digit_id: label for child in children for digit_id, label in told(child).items()}
    assert len(everything) == 120
    assert kept() == everything
    assert [sum(digit.part == "test" for digit in hl.mine.digits() if digit.label == label) for label in range(10)] == [4] * 10


def test_a_digit_that_was_said_to_be_kept_is_there_after_a_kill(
    nursery: Nursery, quick_disk: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(quick_disk))
    draw, count, everything = random.Random(commit()), amount("kills", 6), dict[str, int]()
    for turn in range(count):
        numbers = [list(range(start, start + 100)) for start in (1000 * turn, 1000 * turn + 500)]
        children = [nursery.start("jobs:keep_digits", some, log=quick_disk / f"child-{some[0]}") for some in numbers]
        while not told(children[0]) and children[0].is_alive:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.3))
        assert all(child.kill() in (0, -signal.SIGKILL) for child in children)
        for child in children:
            everything |= told(child)
        assert everything.items() <= kept().items()
    record_property("cases", count)
    assert everything
