"""Nobody can reach a training from outside: while one goes on, alone or in a sweep, no socket waits for connections."""

from __future__ import annotations

import time

import pytest
from drivers import DEADLINE_S, Driver, driver, running, wait_until

pytestmark = pytest.mark.usefixtures("mnist")
SMALL = ["--epochs", "1", "--examples", "3000", "--batch-size", "20"]


def heard_until_its_end(program: Driver) -> list[str]:
    """Every address where it has waited for connections, looked at again and again."""
    heard, until = [], time.monotonic() + DEADLINE_S
    while program.is_running and time.monotonic() < until:
        heard += program.listening()
        time.sleep(0.1)
    return heard


def test_during_a_sweep_nothing_listens() -> None:
    with driver("lr=0.1,0.01", *SMALL, "--workers", "2") as sweeping:
        wait_until(lambda: sweeping.workers() or not sweeping.is_running, "a worker")
        assert heard_until_its_end(sweeping) == []
        assert sweeping.wait() == 0, sweeping.said


def test_during_a_training_nothing_listens() -> None:
    with running("-m", "handlens", "train", "mlp", *SMALL) as training:
        assert heard_until_its_end(training) == []
        assert training.wait() == 0, training.said
