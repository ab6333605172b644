"""`make test-full` counts honestly, goes on where it was stopped, and never takes a failure for done."""

from __future__ import annotations

import shlex
from pathlib import Path

import full
import pytest

CODE = """
    import os
    import pytest

    def test_many(record_property):
        record_property("cases", int(os.environ["HANDLENS_MANY"]))

    def test_one():
        pass

    def test_bad():
        assert os.path.exists("mended")

    @pytest.mark.skip
    def test_skipped():
        pass
"""


@pytest.fixture
def small(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytester.makepyfile(test_it=CODE)
    pytester.makeini("[pytest]\nfilterwarnings = error")
    parts = {
        "good": full.Part("-k 'many or one or skipped'", {"HANDLENS_MANY": "1000"}),
        "bad": full.Part("-k bad", {}),
        "none": full.Part("-k x", {}),
    }
    monkeypatch.setattr(full, "PARTS", parts)
    monkeypatch.setattr(full, "ROOT", pytester.path)
    monkeypatch.setattr(full, "state_of_the_code", lambda: "abc")
    return pytester.path


pytest_plugins = ["pytester"]


def test_the_table_counts_cases_failures_and_skips(small: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert full.main([]) == 1
    out = capfd.readouterr().out
    assert "make test-full at abc" in out
    assert "| good | 1,001 | 0 | 1 | " in out
    assert "| bad | 1 | 1 | 0 | " in out
    assert "| none | 0 | 1 | 0 | " in out


def test_a_finished_part_is_not_run_again_and_a_failed_one_is(small: Path, capfd: pytest.CaptureFixture[str]) -> None:
    full.main(["good", "bad"])
    (small / "mended").touch()
    capfd.readouterr()
    assert full.main(["good", "bad"]) == 0
    out = capfd.readouterr().out
    assert "== good ==" not in out
    assert "== bad ==" in out
    assert "| good | 1,001 | 0 | 1 | " in out


def test_a_part_over_its_time_has_failed(small: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(full, "LIMIT_S", 0.01)
    assert full.main(["good"]) == 1
    assert "| good | 0 | 1 |" in capfd.readouterr().out


def test_an_unknown_part_is_answered_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert full.main(["kill"]) == 2
    assert "kills" in capsys.readouterr().err


def test_each_part_names_tests_that_are_there() -> None:
    for name, part in full.PARTS.items():
        assert all((full.ROOT / word).exists() for word in shlex.split(part.arguments) if word.startswith("tests")), name
