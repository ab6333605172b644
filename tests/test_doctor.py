"""The doctor names a learner's mistake with its line, and says nothing of a right program."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from corpus import FULL
from doctor.healthy import HEALTHY, program
from doctor.programs import BASES, Mutant, mutants
from doctor.score import right_line
from terminal import Terminal

from handlens.doctor import Diagnosis, all_causes, examine
from handlens.errors import UsageError

KNOWN_MISSES = {"lr_too_low-nll", "eval_on_train-sequential"}
KNOWN_LINES = {"train_test_preprocess_mismatch-trainer", "train_test_leak-trainer"}
SAMPLE = [
    "missing_zero_grad-mlp",
    "softmax_before_ce-cnn",
    "missing_eval-trainer",
    "inputs_not_scaled-mlp",
    "broken_graph-mlp",
    "missing_step-nll",
    "eval_on_train-mlp",
    "unregistered_layers-mlp",
    "wrong_flatten_size-cnn",
    "accuracy_wrong_denominator-nll",
    "missing_train_mode-cnn",
]
SOME_HEALTHY = ["accumulation", "lbfgs", "k-fold", "frozen backbone", "gan", "accuracy of training"]
CHOSEN = [one for one in mutants() if one.name not in KNOWN_MISSES and (FULL or one.name in SAMPLE)]
RIGHT = {**{name: program(name) for name in (HEALTHY if FULL else SOME_HEALTHY)}, **(BASES if FULL else {})}

Ask = Callable[[str], Diagnosis]


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys)


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """What the doctor says of a program."""

    def examined(text: str) -> Diagnosis:
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return examine(path)[0]

    return examined


def test_the_sample_is_of_the_corpus() -> None:
    assert {one.name for one in CHOSEN} >= set(SAMPLE)


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda one: one.name)
def test_a_mistake_is_named_with_its_line(mutant: Mutant, ask: Ask) -> None:
    found = ask(mutant.text)
    assert found.causes[:1] == (mutant.cause,), found
    assert mutant.name in KNOWN_LINES or right_line(mutant, found.line), found
    assert found.evidence
    assert found.change


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_said_of_a_right_program(name: str, ask: Ask) -> None:
    found = ask(RIGHT[name])
    assert (found.causes, found.failure) == ((), ""), found


@pytest.mark.usefixtures("mnist")
def test_files_stay_as_they_are(tmp_path: Path) -> None:
    script, results = tmp_path / "program.py", tmp_path / "results.json"
    script.write_text(program("writes files"), encoding="utf-8")
    results.write_text("mine", encoding="utf-8")
    found, _ = examine(script)
    assert (found.causes, found.failure) == ((), "")
    assert results.read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["program.py", "results.json"]
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.usefixtures("mnist")
def test_the_command_says_what_to_try(tmp_path: Path, terminal: Terminal) -> None:
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    mutant = next(one for one in mutants() if one.name == "softmax_before_ce-cnn")
    bad.write_text(mutant.text, encoding="utf-8")
    good.write_text(BASES["cnn"], encoding="utf-8")
    said = terminal("doctor", bad, code=1)
    assert "CrossEntropyLoss already contains softmax" in said
    assert "bad.py:" in said
    assert '"softmax_before_ce"' in terminal("doctor", bad, "--json", code=1)
    assert "I found nothing wrong." in terminal("doctor", good)
    assert "softmax" in terminal("doctor", "--explain", "softmax_before_ce")


NO_TRAINING = {
    "for i in range(3)\n    pass\n": ("syntax",),
    "n = 0\nwhile n < 10_000:\n    n += 1\n": (),
    "import sys\nsys.exit(3)\n": (),
}


@pytest.mark.parametrize("text", NO_TRAINING)
def test_programs_that_train_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "program.py").write_text(text, encoding="utf-8")
    found, _ = examine(tmp_path / "program.py")
    assert found.causes == NO_TRAINING[text]


def test_an_endless_loop_is_ended(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("while True:\n    pass\n", encoding="utf-8")
    assert examine(tmp_path / "program.py")[0].causes == ()


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no text"):
        examine(tmp_path / "program.py")


@pytest.mark.parametrize("name", all_causes())
def test_a_cause_is_told_kindly(name: str) -> None:
    cause = all_causes()[name]
    assert 0 < len(cause.SENTENCE.split()) <= 25
    assert not re.search(r"\b(error|illegal|invalid|wrong)\b", f"{cause.SENTENCE} {cause.CHANGE}", re.IGNORECASE)
    assert cause.CHANGE
    assert cause.look.__doc__
    assert set(getattr(cause, "EXPLAINS", ())) <= set(all_causes())
