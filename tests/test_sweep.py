"""Sweeps: every point once, in its own folder, whatever is killed meanwhile; and what is said of them afterwards is so."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from drivers import driver, wait_until
from scipy import stats

import handlens as hl
from handlens.cli import main
from handlens.config import Config
from handlens.errors import ConfigError, FileError, RunNotFound, UsageError
from handlens.runs import runs_folder
from handlens.sweep import Pool, Trials, begin, capacity, folder, go_on, load_sweep, make_spec, trial
from handlens.sweep.figures import heat_maps, lines
from handlens.sweep.findings import Effect, main_effects, sentences
from handlens.sweep.halving import Halving
from handlens.sweep.schedule import stages
from handlens.sweep.space import knobs_of, make_axis, random_points
from handlens.sweep.spec import TrialName
from handlens.sweep.trial import Outcome, advance

pytestmark = pytest.mark.usefixtures("mnist")
QUICK: dict[str, Any] = {"examples": 200, "epochs": 2, "batch_size": 50, "hidden_sizes": (8,)}
AXES: dict[str, Any] = {"lr": [0.1, 0.01], "width": [4, 8]}


def facts(sweep: hl.Sweep) -> list[dict[str, Any]]:
    """The table, without how long it took."""
    return [{name: value for name, value in row.items() if name != "time_s"} for row in sweep.table]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, mnist: hl.Dataset) -> hl.Sweep:
    """Four points with two seeds each, by one worker, undisturbed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(tmp_path_factory.mktemp("whole")))
        found = hl.sweep(AXES, name="whole", seeds=2, workers=1, **QUICK)
        assert found.best
        return found


def test_every_point_is_trained_with_every_seed_as_fit_would(whole: hl.Sweep) -> None:
    assert [(row["lr"], row["width"], row["status"]) for row in whole.table] == [
        (lr, width, "complete") for lr in (0.1, 0.01) for width in (4, 8)
    ]
    run = hl.fit("mlp", **{**QUICK, "hidden_sizes": (8,), "lr": 0.01, "seed": 43, "threads": 1}, quiet=True)
    trial = hl.Run(whole.trials.folder / "0004-43")
    assert trial.config == run.config
    assert trial.pointer.last.sha256 == run.pointer.last.sha256
    assert whole.table[3]["val_accuracies"][1] == run.history["val_accuracy"][-1]


def test_the_winner_is_chosen_on_validation_and_measured_on_test_once(whole: hl.Sweep) -> None:
    best = whole.best
    assert best
    assert best.val_accuracy == max(row["val_accuracy"] for row in whole.table)
    assert best.test_accuracies == tuple(run.evaluate("test").accuracy for run in best.runs)
    measured = {path.parent.parent.name for path in whole.trials.folder.glob("*/evaluation/test*")}
    assert measured == {run.name for run in best.runs}


def test_a_damaged_file_of_the_measured_winner_is_as_none(whole: hl.Sweep) -> None:
    path = whole.trials.folder / "test.json"
    before = path.read_bytes()
    measured = json.loads(before)
    try:
        for content in ("", "3", "[]", "{}", json.dumps({**measured, "accuracies": 3}), json.dumps({**measured, "accuracies": [None]})):
            path.write_text(content, encoding="utf-8")
            assert whole.best
            assert whole.best.test_accuracies == (), content
    finally:
        path.write_bytes(before)


def test_three_workers_give_the_same_table(whole: hl.Sweep) -> None:
    assert facts(hl.sweep(AXES, name="three", seeds=2, workers=3, **QUICK)) == facts(whole)


def test_the_same_call_goes_on_and_another_is_refused(whole: hl.Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(whole.trials.folder.parents[1]))
    before = {path: path.stat().st_mtime_ns for path in whole.trials.folder.glob("*/*.safetensors")}
    assert facts(hl.sweep(AXES, name="whole", seeds=2, **QUICK)) == facts(whole)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with pytest.raises(UsageError, match="another sweep 'whole'"):
        hl.sweep(AXES, name="whole", seeds=3, **QUICK)
    assert facts(load_sweep()) == facts(whole)


def test_runs_are_not_listed_among_the_trials(whole: hl.Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(whole.trials.folder.parents[1]))
    assert hl.list_runs() == []
    with pytest.raises(UsageError, match="means something else"):
        hl.fit("mlp", name="sweeps", **QUICK)


def test_a_trial_that_cannot_be_trained_is_shown_and_the_others_finish() -> None:
    found = hl.sweep({"lr": [1e30, 0.01]}, name="nan", **QUICK)
    bad, good = found.table
    assert bad["status"].startswith("failed: The loss became")
    assert good["status"] == "complete"
    assert "1 of 2 points failed, all with lr 1e+30" in " ".join(found.sentences)
    before = (found.trials.folder / "0001-42" / "run.json").stat().st_mtime_ns
    assert facts(hl.sweep({"lr": [1e30, 0.01]}, name="nan", **QUICK)) == facts(found)
    assert (found.trials.folder / "0001-42" / "run.json").stat().st_mtime_ns == before


OWN = """
import time, torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(784, 10)

    def forward(self, images):
        {}
        return self.last(images.flatten(1))
"""


@pytest.mark.parametrize(
    "line, patience_s, reason",
    [
        ("len(images) == 50 and {}[len(images)]", 3600, "KeyError"),
        ("len(images) == 50 and time.sleep(100)", 6, "no epoch for 6 s"),
        ("len(images) == 50 and torch.ones(1 << 40)", 3600, "memory"),
    ],
    ids=["raises", "hangs", "eats memory"],
)
def test_what_goes_wrong_is_said(line: str, patience_s: float, reason: str) -> None:
    Path("net.py").write_text(OWN.replace("{}", line, 1), encoding="utf-8")
    spec = make_spec(Config(**{**QUICK, "hidden_sizes": (128, 64), "model": f"{Path.cwd()}/net.py:Net"}), {"lr": "0.01"}, "grid", 1, False)
    found = go_on(begin(spec, "here"), Pool(1, patience_s), lambda _event: None)
    assert reason in found.table[0]["status"]
    assert found.table[0]["status"].startswith("failed: ")


def test_pruning_ends_the_worse_two_thirds_and_does_not_change_the_others() -> None:
    axes = {"lr": [0.3, 0.03, 0.01, 0.003, 0.001, 0.0001]}
    knobs = {**QUICK, "epochs": 3}
    pruned, full = hl.sweep(axes, name="pruned", prune=True, **knobs), hl.sweep(axes, name="full", **knobs)
    first = sorted(range(6), key=lambda place: -full.trials.outcomes(place + 1)[0].rows[0]["val_accuracy"])
    assert {row["point"] - 1 for row in pruned.table if row["status"] == "complete"} == {*first[:2]}
    assert {row["status"] for row in pruned.table} == {"complete", "pruned after epoch 1"}
    for place in first[:2]:
        assert facts(pruned)[place] == facts(full)[place]


LATE = """
from torch import nn

class Net(nn.Linear):
    steps = 0

    def __init__(self):
        super().__init__(784, 10)

    def forward(self, images):
        self.steps += self.training
        assert self.steps < {}
        return super().forward({} * images.flatten(1))
"""


@pytest.mark.parametrize("prune", [True, "asha"])
def test_where_the_best_fails_late_the_next_one_takes_its_place(prune: bool | str) -> None:
    for name, steps, scale in (("breaks", 6, 1.0), ("stays", 1000, 0.05), ("worst", 1000, 0.0)):
        Path(f"{name}.py").write_text(LATE.format(steps, scale), encoding="utf-8")
    knobs = {name: value for name, value in QUICK.items() if name != "hidden_sizes"} | {"epochs": 3}
    found = hl.sweep({"model": ["breaks.py:Net", "stays.py:Net", "worst.py:Net"]}, name="late", prune=prune, workers=1, **knobs)
    assert [row["status"].partition(":")[0] for row in found.table] == ["failed", "complete", "pruned after epoch 1"]
    assert found.best
    assert found.best.number == 2
    assert len(found.best.test_accuracies) == 1


def test_weights_to_begin_with_can_be_an_axis() -> None:
    runs = [hl.fit("cnn", quiet=True, examples=200, epochs=1, channels=(2,), hidden_sizes=(), name=name) for name in ("a", "b")]
    found = hl.sweep({"init_from": [run.name for run in runs]}, name="starts", workers=1, epochs=1, examples=200)
    assert [row["status"] for row in found.table] == ["complete"] * 2
    assert {hl.Run(found.trials.folder / f"000{number}-42").config.channels for number in (1, 2)} == {(2,)}


def test_a_trial_that_cannot_be_saved_has_not_failed_and_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_run: hl.Run, _state: object, *, finished: bool = False) -> None:
        raise FileError("The disk is full.")

    spec = make_spec(Config(**QUICK), {"lr": "0.01"}, "grid", 1, False)
    trials = begin(spec, "full")
    monkeypatch.setattr(hl.Run, "save", full)
    job = trials.job(TrialName(1, 42), 2)
    with pytest.warns(UserWarning, match="not saved"):
        assert [*advance(job)][-1] == {"unfit": "The disk is full.", "where": "", "hint": ""}
    trial._dataset.cache_clear()
    assert [take() for take in stages(trials)] == [job]


@pytest.mark.parametrize(
    "processors, rates, count",
    [(1, {}, 1), (2, {1: 50, 2: 98}, 2), (2, {1: 90, 2: 95}, 1), (8, {1: 10, 2: 20, 4: 21, 8: 22}, 2), (6, {1: 1, 2: 2, 4: 4, 6: 0}, 4)],
)
def test_workers_are_as_many_as_bring_something(
    processors: int, rates: dict[int, int], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(processors), raising=False)
    monkeypatch.setattr(capacity, "_rate", rates.__getitem__)
    assert capacity.best_count(1) == count


def test_asynchronous_halving_brings_the_best_to_the_end_and_changes_no_trial() -> None:
    axes = {"lr": [0.3, 0.03, 0.01, 0.003, 0.001, 0.0001], "width": [4, 8]}
    knobs = {**QUICK, "epochs": 4}
    found, full = hl.sweep(axes, name="asha", prune="asha", workers=3, **knobs), hl.sweep(axes, name="full", **knobs)
    assert found.is_complete
    assert {row["epochs"] for row in found.table} <= {1, 2, 4}
    assert min(row["epochs"] for row in found.table) == 1, "nobody was ended early"
    for rung in found.trials.spec.rungs:
        there = [row["point"] for row in found.table if row["epochs"] >= rung]
        first = min(there, key=lambda number: (-found.trials.score(number, rung), number))
        assert found.table[first - 1]["epochs"] > rung, f"the best after epoch {rung} was ended"
    for ours, whole in zip(found.trials.names, full.trials.names, strict=True):
        rows, others = (timeless(trials.outcome(name).rows) for trials, name in ((found.trials, ours), (full.trials, whole)))
        assert rows == others[: len(rows)]


def timeless(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name not in ("time_s", "images_per_s")} for row in rows]


def test_asynchronous_halving_goes_on_from_its_folder() -> None:
    spec = make_spec(Config(**{**QUICK, "epochs": 4}), {"lr": "0.3,0.03,0.01,0.003,0.001,0.0001"}, "grid", 1, "asha")
    trials, taken = begin(spec, "asha"), list[str]()
    while job := Halving(Trials(trials.folder)).take():  # each time by a driver that knows nothing but the folder
        taken.append(f"{job.name} to {job.upto}")
        assert [*trial.advance(job)][-1] == {"reason": ""}
    trial._dataset.cache_clear()  # what a worker keeps open for its next trial
    assert len({*taken}) == len(taken) == 6 + 2 + 1, "a trial was asked for again, or left out"
    assert [row["status"] for row in load_sweep("asha").table].count("complete") == 1


def test_tpe_asks_for_so_many_points_and_goes_on() -> None:
    knobs = {**QUICK, "epochs": 1}
    found = hl.sweep({"lr": "0.0001..0.1", "hidden_sizes": ["4", "8-4"]}, name="tpe", search="tpe 3", **knobs)
    assert [row["status"] for row in found.table] == ["complete"] * 3
    again = hl.sweep({"lr": "0.0001..0.1", "hidden_sizes": ["4", "8-4"]}, name="tpe", search="tpe 3", **knobs)
    assert facts(again) == facts(found)


def test_axes_are_read_as_the_config_reads_its_knobs() -> None:
    base = Config()
    assert make_axis("lr", "0.1,0.01,0.1", base).values == (0.1, 0.01)
    assert make_axis("hidden_sizes", "128-64,256-128", base).values == ((128, 64), (256, 128))
    assert make_axis("batch_norm", [True, False], base).values == (True, False)
    assert make_axis("lr", "0.0001..0.1", base).log
    assert not make_axis("dropout", "0..0.5", base).log
    assert make_axis("lr", "0.01..0.1:log", base).log
    assert not make_axis("lr", "0.0001..0.1:linear", base).log
    assert knobs_of({"width": 64, "depth": 3}, base) == {"hidden_sizes": (64, 64, 64)}
    assert knobs_of({"depth": 14}, Config(model="resnet")) == {"depth": 14}


@pytest.mark.parametrize(
    "axes, search, said",
    [
        ({"lrr": "1"}, "grid", "no knob 'lrr'"),
        ({"lr": "a"}, "grid", "lr cannot be 'a'"),
        ({"lr": "0.1..0.01"}, "grid", "cannot go from 0.1 to 0.01"),
        ({"lr": "0.01..0.1"}, "grid", "this is a range"),
        ({"optimizer": "adam..sgd"}, "random 3", "cannot go from"),
        ({"dropout": "0..0.5:log"}, "random 3", "cannot be searched from 0 to 0.5 as 'log'"),
        ({"lr": "0.01..0.1:cubic"}, "random 3", "as 'cubic'"),
        ({"width": "0"}, "grid", "hidden_sizes cannot be"),
        ({"depth": "101"}, "grid", "at most 100"),
        ({"seed": "1,2"}, "grid", "seed is no axis"),
        ({"threads": "1,2"}, "grid", "threads is no axis"),
        ({"width": "4", "hidden_sizes": "4"}, "grid", "the one or the other"),
        ({}, "grid", "at least one axis"),
        ({"lr": "1"}, "guess 3", "no way to search"),
        ({"momentum": "0.1,0.2"}, "grid", "momentum has no effect"),
        ({"momentum": "0.9,0.5"}, "grid", "momentum has no effect"),
    ],
)
def test_what_cannot_be_an_axis_is_refused_in_words(axes: dict[str, str], search: str, said: str) -> None:
    with pytest.raises((ConfigError, UsageError), match=said):
        make_spec(Config(), axes, search, 1, False)


@pytest.mark.parametrize("base, axes", [(Config(val=0), {"lr": "0.1,0.01"}), (Config(), {"val": "0,0.1"})])
def test_a_sweep_without_validation_images_is_refused(base: Config, axes: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="winner on validation images"):
        make_spec(base, axes, "grid", 1, False)


def test_points_at_random_are_different_in_range_and_always_the_same() -> None:
    axes = [
        make_axis("lr", "0.0001..0.1", Config()),
        make_axis("batch_size", "16..64", Config()),
        make_axis("optimizer", "adam,sgd", Config()),
    ]
    points = random_points(axes, 200, 1)
    assert len({repr(point) for point in points}) == 200
    assert points[:50] == random_points(axes, 50, 1) != random_points(axes, 50, 2)
    assert all(0.0001 <= point["lr"] <= 0.1 and 16 <= point["batch_size"] <= 64 for point in points)
    assert {point["batch_size"] for point in points} >= {16, 64}
    depths = [point["depth"] for point in random_points([make_axis("depth", "1..3:log", Config())], 3, 1)]
    assert sorted(depths) == [1, 2, 3], "the end of a range of whole numbers is one of them"
    below = sum(point["lr"] < 0.00316 for point in points)
    assert 70 < below < 130, "half of a range that is searched by factors lies below its geometric middle"
    assert len(random_points(axes[2:], 10, 1)) == 2
    betas = [point["beta2"] for point in random_points([make_axis("beta2", "0.99..0.9999", Config())], 300, 1)]
    assert max(betas) <= 0.9999, "rounding to three digits has made 1 of it, which is no beta2"


def test_a_table_reads_each_trial_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = hl.sweep({"lr": [0.1, 0.03, 0.01, 0.001]}, name="pruned", prune=True, **{**QUICK, "epochs": 4})
    read, expected = list[str](), [row["status"] for row in found.table]

    def counted(place: Path, name: str) -> Outcome:
        read.append(name)
        return trial.read_outcome(place, name)

    monkeypatch.setattr(folder, "read_outcome", counted)
    again = load_sweep("pruned")
    assert [row["status"] for row in again.table] == expected
    assert again.is_complete
    assert again.best is not None
    assert sorted(read) == sorted({*read}) != []


def test_points_on_other_images_are_not_said_to_be_luck_or_not() -> None:
    found = hl.sweep({"val": [0.1, 0.2]}, name="vals", **QUICK)
    assert any("whether that is luck is not asked" in sentence for sentence in sentences(found))


def test_means_over_seeds_agree_with_scipy() -> None:
    one, other = [0.91, 0.93, 0.95], [0.90, 0.91, 0.95]
    interval = stats.t.interval(0.95, 2, np.mean(one), stats.sem(one))
    assert hl.metrics.mean_interval(one) == pytest.approx(interval)
    assert hl.metrics.mean_interval([0.9]) == (None, None)
    assert hl.metrics.paired_p(one, other) == pytest.approx(stats.ttest_rel(one, other).pvalue)
    assert hl.metrics.paired_p([1.0, 1.0], [1.0, 1.0]) == 1
    assert hl.metrics.paired_p([1.0, 1.0], [0.5, 0.5]) == 0.5  # no spread: two seeds with the same sign tell nothing
    assert hl.metrics.paired_p([0.9] * 10, [0.8] * 10) == pytest.approx(stats.binomtest(0, 10).pvalue)


def test_an_interval_goes_no_further_than_an_accuracy_can() -> None:
    assert Effect(8, (0.2, 0.9), 4).interval == (0.0, 1.0)
    assert Effect(8, (0.2,), 4).interval == (None, None)
    assert Effect(8, (0.5, 0.52, 0.54), 4).interval == hl.metrics.mean_interval([0.5, 0.52, 0.54])


def test_effects_are_means_over_the_other_knobs(whole: hl.Sweep) -> None:
    effects = main_effects(whole)
    rows = whole.table
    expected = np.mean([row["val_accuracies"] for row in rows if row["width"] == 8], axis=0)
    assert effects["width"][1].accuracies == pytest.approx(tuple(expected))
    assert [effect.value for effect in effects["lr"]] == [0.1, 0.01]


def test_points_of_a_pruned_sweep_are_compared_after_equally_many_epochs() -> None:
    found = hl.sweep({"lr": [0.03, 0.01, 0.0001], "width": [4, 8]}, name="pruned", prune=True, **{**QUICK, "epochs": 4})
    assert found.compared_after == 1
    assert len({row["epochs"] for row in found.table}) > 1, "nobody was ended early"
    after_one = {name.number: found.trials.outcome(name).rows[0]["val_accuracy"] for name in found.trials.names}
    maps, *_knobs = heat_maps(found)
    assert sorted(value for one in maps for value in one.values.flatten()) == sorted(after_one.values())
    assert maps[0].title == "Validation accuracy after epoch 1"
    effects = main_effects(found)
    assert effects["lr"][2].mean == pytest.approx(np.mean([after_one[row["point"]] for row in found.table if row["lr"] == 0.0001]))
    assert any("mattered most after epoch 1, which all points reached" in sentence for sentence in found.sentences)


def test_heat_maps_and_lines_have_the_numbers_of_the_table(whole: hl.Sweep) -> None:
    maps, row, column = heat_maps(whole)
    cells = {
        (name, other): value
        for one in maps
        for name, line in zip(one.rows, one.values, strict=True)
        for other, value in zip(one.columns, line, strict=True)
    }
    assert sorted(cells.values()) == sorted(line["val_accuracy"] for line in whole.table)
    assert {row, column} == {*whole.axes}
    drawn = lines(whole)
    assert dict(zip(drawn.points, drawn.scores, strict=True)) == {line["point"]: line["val_accuracy"] for line in whole.table}
    assert set(drawn.places) == set(drawn.ticks) == {*whole.axes}
    assert all(-0.05 <= place <= 1.05 for places in drawn.places.values() for place in places)


def test_tables_and_figures_are_written(whole: hl.Sweep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(whole.trials.folder.parents[1]))
    for words in (["ls"], ["show"], ["show", "whole", "--csv", "--sort", "time_s"], ["show", "whole", "--markdown"], ["show", "--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["sweeps", *words])
        assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "mattered most" in (whole.trials.folder / "findings.md").read_text(encoding="utf-8")
    assert {path.stem for path in (whole.trials.folder / "plots").iterdir()} == {"heat_maps", "effects", "parallel", "curves"}
    assert said.count("0.01") > 6
    times = [row["time_s"] for row in whole.sorted("time_s")]
    assert times == sorted(times)
    with pytest.raises(UsageError, match="no column 'nonsense'"):
        whole.sorted("nonsense")


def test_there_is_no_such_sweep() -> None:
    with pytest.raises(RunNotFound, match="no sweeps yet"):
        load_sweep()


SLOW = ("--examples", "2000", "--epochs", "3", "--batch-size", "20", "--name", "cut", "--workers", "2")


def test_ctrl_c_leaves_a_sweep_that_goes_on_and_tells_how() -> None:
    with driver("lr=0.1,0.01", "width=16,32", *SLOW) as started:
        wait_for_a_checkpoint()
        started.process.send_signal(signal.SIGINT)
        assert started.wait() == 130
        assert "to go on: handlens sweep --resume cut" in started.said
    assert not load_sweep("cut").is_complete
    with driver("--resume", "cut") as resumed:
        assert resumed.wait() == 0, resumed.said
    assert load_sweep("cut").is_complete


def wait_for_a_checkpoint() -> None:
    wait_until(lambda: len(list(runs_folder().glob("sweeps/cut/*/epoch-*.safetensors"))) > 1, "a checkpoint")


def test_nothing_trains_on_after_its_driver_was_killed() -> None:
    long = ("--examples", "20000", "--epochs", "90", "--batch-size", "20", "--name", "cut", "--workers", "2")
    with driver("lr=0.1,0.01", *long) as started:
        wait_for_a_checkpoint()
        orphans = started.workers()
        assert orphans
        started.kill()
        assert psutil.wait_procs(orphans, timeout=60)[1] == []


def test_the_command_line_names_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    Path("space.toml").write_text("[axes]\nlr = [0.1]\n[nonsense]\n", encoding="utf-8")
    for words, said in (
        (["lr=1", "lr=2"], "axis lr is given twice"),
        (["lr=1", "--lr", "2"], "lr is given twice"),
        (["nonsense"], "no preset, no grid"),
        (["lr=1", "--random", "2", "--grid"], "exclude each other"),
        (["lr=1", "--workers", "many"], "no number of workers"),
        (["--space", "space.toml"], "two tables"),
        (["--resume", "gone"], "no sweep"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["sweep", *words, "--examples", "100"] if "--resume" not in words else ["sweep", *words])
        assert ended.value.code in (2, 4)
        assert said in capsys.readouterr().err


def test_a_space_in_a_file_is_the_same_sweep() -> None:
    text = "[base]\nexamples = 200\nepochs = 1\nhidden-sizes = [8]\n[axes]\nlr = [0.1, 0.01]\ndropout = '0..0.5'\n"
    Path("space.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "--space", "space.toml", "--random", "2", "--name", "file", "--json"])
    assert ended.value.code == 0
    spec = json.loads((runs_folder() / "sweeps" / "file" / "sweep.json").read_text(encoding="utf-8"))
    assert spec["base"]["examples"] == 200
    assert [axis["name"] for axis in spec["axes"]] == ["lr", "dropout"]
    assert len(load_sweep("file").table) == 2
