"""What a sweep says of its knobs: nothing before it can, of ranges by ranks, and of points that were not drawn fairly with a warning."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

import handlens as hl
from handlens.config import Config
from handlens.metrics import rank_correlation
from handlens.sweep import Trials, begin, load_sweep, make_spec, trial
from handlens.sweep.figures import clouds, heat_maps
from handlens.sweep.findings import main_effects, trends
from handlens.sweep.trial import advance, write_failure

pytestmark = pytest.mark.usefixtures("mnist")
BASE = Config(examples=200, epochs=1, batch_size=50, hidden_sizes=(8,))
GRID = {"lr": "0.1,0.01", "width": "4,8"}


def begun(axes: Mapping[str, object], search: str = "grid") -> Trials:
    return begin(make_spec(BASE, axes, search, 1, False), "sweep")


def trained(trials: Trials, *numbers: int) -> hl.Sweep:
    """The sweep after these points were trained."""
    for name in trials.names:
        if name.number in numbers:
            assert [*advance(trials.job(name, 1))][-1] == {"reason": ""}
    trial._dataset.cache_clear()
    return load_sweep("sweep")


def test_an_unfinished_sweep_says_so_first_and_nothing_of_its_knobs() -> None:
    trials = begun(GRID)
    found = trained(trials, 1, 2, 3)
    first, *others = found.sentences
    assert first.startswith("3 of 4 points are done, and what follows may change; which knob matters is said when all points can")
    assert others[0].startswith("Best on the validation images so far is point ")
    assert not [sentence for sentence in others if "mattered" in sentence or "p =" in sentence]
    assert main_effects(found) == {}
    assert "effects" not in found.figures()
    assert np.isnan(heat_maps(found)[0][0].values).sum() == 1
    whole = trained(trials, 4)
    assert "may change" not in " ".join(whole.sentences)
    assert any("mattered most" in sentence for sentence in whole.sentences)


def test_values_of_a_knob_are_compared_in_the_same_company() -> None:
    trials = begun(GRID)
    write_failure(trials.folder, "0001-42", "The loss became NaN.")
    found = trained(trials, 2, 3, 4)
    effects = main_effects(found)
    scores = {(row["lr"], row["width"]): row["val_accuracy"] for row in found.table}
    assert [(one.value, one.mean, one.points) for one in effects["lr"]] == [(lr, scores[lr, 8], 1) for lr in (0.1, 0.01)]
    assert [(one.value, one.mean, one.points) for one in effects["width"]] == [(width, scores[0.01, width], 1) for width in (4, 8)]
    assert any("on average over the other knobs where no value of it failed" in sentence for sentence in found.sentences)


def test_points_that_failed_are_not_said_to_have_reached_a_rung() -> None:
    trials = begin(make_spec(BASE.model_copy(update={"epochs": 3}), {"lr": "0.01,0.001,0.0001"}, "grid", 1, True), "sweep")
    for number, upto in ((1, 3), (2, 1)):
        assert [*advance(trials.job(trials.names[number - 1], upto))][-1] == {"reason": ""}
    trial._dataset.cache_clear()
    write_failure(trials.folder, "0003-42", "The loss became NaN.")
    assert any("after epoch 1, which all points that did not fail reached" in one for one in load_sweep("sweep").sentences)


def test_of_a_range_the_rank_correlation_is_said_and_drawn() -> None:
    found = trained(begun({"lr": "0.0001..0.1", "dropout": "0..0.5"}, "random 5"), 1, 2, 3, 4, 5)
    lr, dropout = trends(found)
    for trend, name in ((lr, "lr"), (dropout, "dropout")):
        expected = stats.spearmanr([row[name] for row in found.table], [row["val_accuracy"] for row in found.table]).statistic
        assert trend.correlation
        assert trend.correlation.rho == pytest.approx(expected)
        assert any(f"Spearman's rank correlation {expected:.2f}, 95 % interval" in one and name in one for one in found.sentences)
    assert any("middle of a range" in sentence for sentence in found.sentences)
    drawn = clouds(found)
    assert [(cloud.name, cloud.log, cloud.ticks[0], cloud.ticks[-1]) for cloud in drawn] == [
        ("lr", True, 0.0001, 0.1),
        ("dropout", False, 0, 0.5),
    ]
    assert drawn[0].values == [row["lr"] for row in found.table]
    assert "ranges" in found.figures()


def test_of_points_at_random_no_average_over_the_other_knobs_is_said() -> None:
    said = " ".join(trained(begun({**GRID, "dropout": "0..0.5"}, "random 6"), *range(1, 7)).sentences)
    assert "drawn at random" in said
    assert "over the other knobs" not in said


def test_of_points_that_tpe_chose_no_average_is_said() -> None:
    trials = begun(GRID, "tpe 4")
    for lr, width in ((0.1, 4), (0.1, 8), (0.01, 4), (0.01, 8)):
        trials.add({"lr": lr, "width": width})
    said = " ".join(trained(trials, 1, 2, 3, 4).sentences)
    assert "no fair sample" in said
    assert "mattered" not in said


def test_a_rank_correlation_agrees_with_scipy() -> None:
    random = np.random.default_rng(0)
    first = random.integers(0, 9, 40).tolist()  # with ties
    second = (np.asarray(first) + random.normal(0, 3, 40)).tolist()
    found = rank_correlation(first, second)
    assert found
    assert found.rho == pytest.approx(stats.spearmanr(first, second).statistic)
    assert -1 <= found.low < found.rho < found.high <= 1
    assert found.is_clear
    perfect = rank_correlation([1, 2, 3, 4, 5], [1, 2, 4, 8, 16])
    assert perfect
    assert [perfect.rho, perfect.high] == pytest.approx([1, 1])
    assert perfect.low < 0.5, "five points in order are no certainty"
    assert rank_correlation([1, 2, 3], [1, 2, 3]) is None
    assert rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None


@pytest.mark.parametrize("count", [8, 20])
def test_the_interval_of_a_rank_correlation_has_the_truth_in_it_as_often_as_it_says(count: int) -> None:
    random = np.random.default_rng(1)
    pairs = random.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], (600, count))
    truth = 6 / np.pi * np.arcsin(0.3)  # of Spearman's in two normal numbers whose own correlation is 0.6
    found = [rank_correlation(both[:, 0].tolist(), both[:, 1].tolist()) for both in pairs]
    inside = sum(one is not None and one.low <= truth <= one.high for one in found)
    assert 0.92 < inside / len(found) < 0.99
