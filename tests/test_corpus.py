"""Of a big corpus every commit runs a fixed tenth and another one that changes from commit to commit."""

import corpus
import pytest


def test_portion_is_a_fixed_tenth_and_a_tenth_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {}
    for commit in ("a", "b"):
        monkeypatch.setattr(corpus, "commit", lambda commit=commit: commit)
        chosen[commit] = corpus.portion(range(1000))
        assert corpus.portion(range(1000)) == chosen[commit]
        assert len(set(chosen[commit])) == 200
        assert set(range(0, 1000, 10)) <= set(chosen[commit])
    assert 100 <= len(set(chosen["a"]) & set(chosen["b"])) < 150
    assert corpus.portion(["only"]) == ["only"]


def test_portion_is_everything_in_the_full_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "FULL", True)
    assert corpus.portion(range(25)) == list(range(25))


def test_amount_is_what_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert corpus.amount("kills", 25) == 25
    monkeypatch.setenv("HANDLENS_KILLS", "1000")
    assert corpus.amount("kills", 25) == 1000
