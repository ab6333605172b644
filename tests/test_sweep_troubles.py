"""What goes wrong around the trials of a sweep: it is said, no trial is blamed for it, and the sweep goes on afterwards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import handlens as hl
from handlens.errors import UsageError
from handlens.sweep.tpe import at_random

pytestmark = pytest.mark.usefixtures("mnist")
QUICK: dict[str, Any] = {"examples": 200, "epochs": 2, "batch_size": 50}


@pytest.mark.parametrize("count, number", [(1, 1), (6, 2), (20, 6), (30, 10), (1000, 10)])
def test_a_third_of_the_points_of_tpe_are_at_random_and_not_more_than_ten(count: int, number: int) -> None:
    assert at_random(count) == number


def test_what_tpe_needs_is_asked_for_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match="needs optuna"):
        hl.sweep({"lr": "0.0001..0.1"}, name="none", search="tpe 4", **QUICK)
    assert not Path("runs").exists()
