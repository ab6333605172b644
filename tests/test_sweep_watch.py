"""What is seen of a sweep while it is under way."""

from __future__ import annotations

import os

import pytest
from terminal import Terminal

from handlens.cli.watching import Best, Watch, epochs_of
from handlens.config import Config
from handlens.sweep import Event, Trials, begin, capacity, load_sweep, make_engine, make_spec, sweep, sweeps_folder, trial
from handlens.sweep.spec import TrialName
from handlens.sweep.trial import advance

pytestmark = pytest.mark.usefixtures("mnist")
BASE = Config(examples=200, epochs=2, batch_size=50, hidden_sizes=(8,))


def begun(seeds: int = 2, *, prune: bool = False, epochs: int = 2) -> Trials:
    base = BASE.model_copy(update={"epochs": epochs})
    return begin(make_spec(base, {"lr": "0.1,0.01,0.001"}, "grid", seeds, prune), "sweep")


def train(trials: Trials, number: int) -> None:
    for seed in trials.spec.seeds:
        assert [*advance(trials.job(TrialName(number, seed), 2))][-1] == {"reason": ""}
    trial._dataset.cache_clear()


def test_the_best_is_known_from_the_folder_and_is_a_mean_over_seeds() -> None:
    trials = begun()
    train(trials, 2)
    best = Best(trials)
    assert best.point() == (2, load_sweep("sweep").table[1]["val_accuracy"])
    best.take(TrialName(1, 42), 0.99)
    assert best.point()[0] == 2, "one seed of two is no mean"
    best.take(TrialName(1, 43), 0.97)
    assert [*best.point()] == pytest.approx([1, 0.98])
    for seed in (42, 43):
        best.take(TrialName(1, seed), 0.0)
    assert best.point()[0] == 2, "the luckiest epoch has counted"


def test_piped_it_is_said_how_far_all_is_and_how_long_the_rest_takes(capsys: pytest.CaptureFixture[str]) -> None:
    trials = begun()
    train(trials, 2)
    with Watch(trials) as watch:
        watch.see(Event("0001-42", {"epoch": 1, "train_accuracy": 0.5, "val_accuracy": 0.5}))
        watch.see(Event("0001-42"))
        watch.see(Event("0001-43"))
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "0001-42  lr 0.1  epoch 1  val acc 50.00%"
    assert said[1].startswith("5 of 12 epochs, about 0 s left, best so far lr 0.01 with ")
    assert said[1].endswith("(mean of 2 seeds)")
    assert len(said) == 3, "such a line comes now and then, not after each trial"


def test_the_epochs_of_a_pruned_sweep_are_those_that_its_rungs_let_go_on() -> None:
    assert epochs_of(begun(prune=True, epochs=9)) == 2 * (3 * 1 + 1 * (3 - 1) + 1 * (9 - 3))


def test_ctrl_c_while_the_processors_are_measured_leaves_nothing_begun(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_threads: int) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(2), raising=False)
    monkeypatch.setattr(capacity, "_rate", interrupted)
    terminal("sweep", "lr=0.1,0.01", "--examples", "200", "--name", "cut", code=130)
    assert not sweeps_folder().exists()


def test_what_cannot_give_out_trials_leaves_nothing_begun(terminal: Terminal) -> None:
    for words in (["--workers", "many"], ["--address", "auto"], ["--backend", "ray", "--workers", "3"]):
        terminal("sweep", "lr=0.1,0.01", "--examples", "200", *words, code=2)
    assert not sweeps_folder().exists()


def test_the_words_to_go_on_with_are_those_that_were_said() -> None:
    spec = begun().spec
    assert make_engine(spec, 2, patience_s=60.0).words == " --workers 2 --patience-s 60"
    assert make_engine(spec, "1").words == " --workers 1"


def test_in_python_a_line_is_printed_for_each_trial(capsys: pytest.CaptureFixture[str]) -> None:
    found = sweep({"lr": [0.1, 1e30]}, name="told", workers=1, examples=200, epochs=1, hidden_sizes=(8,))
    first, done, failed = capsys.readouterr().out.splitlines()
    assert first == f"Sweep told, kept in {found.trials.folder}: 2 points."
    assert done.startswith("0001-42  lr 0.1  epoch 1  val acc ")
    assert failed.startswith("0002-42  lr 1e+30  failed: The loss became")
