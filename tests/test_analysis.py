"""Error analysis: equal to SciPy, scikit-learn, cleanlab and PyTorch's own counter, and right about what was planted."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import sklearn.cluster
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import small_data
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import handlens as hl
from handlens import analysis, metrics, models
from handlens.config import make_config
from handlens.data import Split, distort
from handlens.errors import DataError, UsageError
from handlens.evaluation import Evaluation


def guesses(count: int = 3000, classes: int = 5, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Logits that are too sure by a factor of two, and labels drawn from half of them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, classes)) * 3
    labels = np.array([rng.choice(classes, p=row) for row in metrics.probabilities(logits / 2)])
    return logits.astype(np.float32), labels


def made(count: int = 300, seed: int = 0) -> Evaluation:
    logits, labels = guesses(count, 3, seed)
    images = np.random.default_rng(1).integers(0, 256, (count, 1, 6, 6), np.uint8)
    return Evaluation(logits, labels, ("ant", "bee", "cat"), images, "test")


@pytest.fixture(scope="module")
def network(mnist: hl.Dataset) -> tuple[nn.Module, Evaluation]:
    """A small network after an epoch of 10,000 real images, and what it says to the test images."""
    model = models.MLP((32,), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for images, labels in hl.batches(mnist.train.subset(torch.arange(10_000)), 64):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model, Evaluation.measure(model, mnist.test)


# Two models on the same images


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))
def test_mcnemars_test_is_scipys_exact_binomial_test(first: int, second: int, both: int) -> None:
    one = np.array([True] * first + [False] * second + [True] * both, dtype=bool)
    other = np.array([False] * first + [True] * second + [True] * both, dtype=bool)
    found = metrics.mcnemar(one, other)
    assert (found.only_first, found.only_second) == (first, second)
    expected = scipy.stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_mcnemars_test_stands_large_numbers() -> None:
    one = np.arange(20_000) < 9_000
    assert metrics.mcnemar(one, ~one).p == pytest.approx(scipy.stats.binomtest(9_000, 20_000).pvalue, rel=1e-6)
    with pytest.raises(DataError, match="truth values"):
        metrics.mcnemar(one, ~one[:5])
    with pytest.raises(DataError, match="truth values"):
        metrics.mcnemar(one.astype(int), one.astype(int))


# How sure


def test_the_temperature_makes_the_loss_least_as_scipy_finds_it() -> None:
    logits, labels = guesses()
    found = metrics.fit_temperature(logits, labels)
    best = scipy.optimize.minimize_scalar(lambda t: metrics.cross_entropy(logits / t, labels).mean(), bounds=(0.05, 20), method="bounded")
    assert found == pytest.approx(best.x, rel=1e-3)
    assert found == pytest.approx(2, abs=0.15)


def test_a_temperature_mends_the_calibration_and_no_prediction() -> None:
    val, test = (Evaluation(*guesses(seed=seed), tuple("abcde"), np.zeros((3000, 1, 2, 2), np.uint8), "x") for seed in (0, 1))
    found = analysis.calibrate(val, test)
    assert (found.after.predictions == found.before.predictions).all()
    assert found.before.ece > 0.1
    assert found.after.ece < 0.03
    assert found.after.loss < found.before.loss
    for answer in found.answering:  # chosen on val, so only nearly what was wanted
        assert answer.accuracy is not None
        assert answer.interval is not None
        assert answer.accuracy == pytest.approx(answer.wanted, abs=0.04)
        assert answer.interval[0] <= answer.accuracy <= answer.interval[1]
    assert found.to_dict()["after"]["ece"] == found.after.ece
    assert len(found.plot().axes) == 2
    assert found.warning == found.to_dict()["warning"] == ""
    assert "higher than without" in analysis.calibrate(val, found.after).warning  # these are divided by it already


def test_a_temperature_from_images_that_are_all_right_is_warned_of() -> None:
    sure = Evaluation(np.eye(3, dtype=np.float32), np.arange(3), tuple("abc"), np.zeros((3, 1, 2, 2), np.uint8), "val")
    assert "end of its range" in analysis.calibrate(sure, sure).warning


def test_a_temperature_stays_finite_where_all_is_right_or_wrong() -> None:
    logits = np.eye(3, dtype=np.float32)
    assert metrics.fit_temperature(logits, np.arange(3)) == pytest.approx(0.01)
    assert metrics.fit_temperature(logits, np.array([1, 2, 0])) == pytest.approx(100)
    with pytest.raises(DataError):
        metrics.fit_temperature(logits[:0], np.arange(0))
    with pytest.raises(UsageError, match="temperature"):
        made().scaled(0)


@given(st.lists(st.tuples(st.sampled_from([0.5, 0.6, 0.7, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40))
def test_coverage_is_counted_threshold_by_threshold(answers: list[tuple[float, bool]]) -> None:
    sure, right = np.array([one for one, _ in answers]), np.array([good for _, good in answers])
    shares = np.stack([sure, 1 - sure], axis=1)
    found = metrics.coverage(shares, np.where(right, shares.argmax(axis=1), 1 - shares.argmax(axis=1)))
    assert found.threshold.tolist() == sorted(set(sure.tolist()), reverse=True)
    for threshold, share, accuracy in zip(found.threshold, found.share, found.accuracy, strict=True):
        assert share == pytest.approx((sure >= threshold).mean())
        assert accuracy == pytest.approx(right[sure >= threshold].mean())
        assert found.at(threshold) == (share, accuracy)
    assert found.share[-1] == 1
    assert 0 <= found.aurc <= 1
    best = found.threshold_for(0.8)
    assert (best is None) == (found.accuracy < 0.8).all()
    assert best is None or found.at(best)[1] >= 0.8
    share, accuracy = found.at(2.0)
    assert share == 0
    assert math.isnan(accuracy)


# Groups of mistakes


def test_k_means_finds_what_scikit_learn_finds() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(size, 6)) + 6 * rng.normal(size=6) for size in (50, 40, 30, 20)])
    ours = metrics.k_means(points, 4)
    theirs = sklearn.cluster.KMeans(4, n_init=10, random_state=0).fit(points)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-6)
    assert sklearn.metrics.adjusted_rand_score(ours.members, theirs.labels_) == 1
    assert np.bincount(ours.members).tolist() == [50, 40, 30, 20]
    assert metrics.k_means(np.ones((5, 2)), 3).centres.shape == (1, 2)
    with pytest.raises(DataError):
        metrics.k_means(np.array([[np.nan]]), 1)


def test_clusters_hold_each_mistake_once_with_its_commonest_pairs(network: tuple[nn.Module, Evaluation]) -> None:
    model, evaluation = network
    found = analysis.cluster_mistakes(evaluation, model, count=5)
    everything = np.concatenate([cluster.indices for cluster in found])
    assert sorted(everything.tolist()) == np.flatnonzero(~evaluation.correct).tolist()
    for cluster in found:
        assert sum(pair.count for pair in cluster.pairs) == len(cluster.indices)
        assert [pair.count for pair in cluster.pairs] == sorted((pair.count for pair in cluster.pairs), reverse=True)
    assert len(analysis.plot_clusters(evaluation, found).axes) == 1
    with pytest.raises(UsageError, match="no mistakes"):
        analysis.cluster_mistakes(perfect())


def perfect() -> Evaluation:
    return Evaluation(np.eye(3, dtype=np.float32) * 9, np.arange(3), tuple("abc"), np.zeros((3, 1, 2, 2), np.uint8), "test")


def test_the_images_of_a_pair_and_the_least_certain_ones_are_those() -> None:
    evaluation = made()
    pair = evaluation.most_confused(1)[0]
    chosen = evaluation.confused(pair.true, pair.predicted)
    assert len(chosen) == pair.count
    assert set(chosen.true) == {pair.true}
    assert set(chosen.predicted) == {pair.predicted}
    assert chosen.losses == sorted(chosen.losses, reverse=True)
    top = evaluation.probabilities.max(axis=1)
    assert evaluation.uncertain(5).indices.tolist() == np.argsort(top, kind="stable")[:5].tolist()
    with pytest.raises(UsageError, match="Did you mean 'bee'"):
        evaluation.confused("be", "ant")
    with pytest.raises(UsageError, match="no mistake"):
        evaluation.confused("bee", "bee")


def test_images_are_counted_by_how_many_runs_are_wrong() -> None:
    evaluation = made()
    other = Evaluation(np.roll(evaluation.logits, 1, axis=1), evaluation.labels, evaluation.classes, evaluation.images, "test")
    found = analysis.agreement([evaluation, evaluation, other])
    wrong, too = ~evaluation.correct, ~other.correct
    assert found.counts == [int((~wrong & ~too).sum()), int((~wrong & too).sum()), int((wrong & ~too).sum()), int((wrong & too).sum())]
    assert sum(found.by_chance) == pytest.approx(evaluation.n)
    expected = [(1 - evaluation.accuracy) ** 2 * (1 - other.accuracy), evaluation.accuracy**2 * other.accuracy]
    assert [found.by_chance[3], found.by_chance[0]] == pytest.approx([share * evaluation.n for share in expected])
    assert set(found.indices(3).tolist()) == set(np.flatnonzero(wrong & too).tolist())
    assert len(found.plot().axes) == 1
    with pytest.raises(UsageError, match="two runs"):
        analysis.agreement([evaluation])
    with pytest.raises(UsageError, match="different images"):
        analysis.agreement([evaluation, perfect()])


# How it is written


def line(width: float, angle: float) -> np.ndarray[Any, Any]:
    """A bar of 40 pixels, so wide and so turned, with soft edges."""
    y, x = np.mgrid[0:256, 0:256] / 4 + 0.125 - 32
    turned = np.deg2rad(angle)
    along, beside = x * np.cos(turned) + y * np.sin(turned), y * np.cos(turned) - x * np.sin(turned)
    bar = ((abs(along) < 20) & (abs(beside) < width / 2)).astype(float)
    return np.asarray(bar.reshape(64, 4, 64, 4).mean((1, 3))[None, None])


@pytest.mark.parametrize("width", [2, 3, 4, 5])
@pytest.mark.parametrize("angle", [0, 15, 30, 45, 90])
def test_the_thickness_of_a_bar_is_its_width(width: float, angle: float) -> None:
    ends = width * 40 / (width + 40)  # its short sides are edge as well
    assert metrics.measure_strokes(line(width, angle)).thickness[0] == pytest.approx(ends, rel=0.12)


def test_shearing_scaling_and_thickening_real_digits_changes_slant_size_and_thickness_as_much(mnist: hl.Dataset) -> None:
    images = nn.functional.pad(models.to_float(mnist.test.images[:200]), (14, 14, 14, 14))
    before = metrics.measure_strokes(images.numpy())
    sheared = metrics.measure_strokes(distort.warp(images, shear=15.0).numpy())
    gained = np.tan(np.deg2rad(sheared.slant)) - np.tan(np.deg2rad(before.slant))
    np.testing.assert_allclose(gained, math.tan(math.radians(15)), atol=0.02)
    larger = metrics.measure_strokes(distort.warp(images, scale=1.5).numpy())
    np.testing.assert_allclose(larger.size / before.size, 1.5, rtol=0.02)
    thicker, thinner = (metrics.measure_strokes(distort.thicken(images, amount).numpy()).thickness for amount in (0.5, -1.0))
    assert (thicker > before.thickness).all()
    assert (thinner < before.thickness).mean() > 0.95
    with pytest.raises(DataError, match="strokes"):
        metrics.measure_strokes(np.zeros((2, 3, 4, 4)))


def test_groups_hold_each_image_once_and_empty_images_nowhere() -> None:
    evaluation = made()
    values = np.random.default_rng(0).normal(size=evaluation.n)
    values[:7] = np.nan
    groups = analysis.accuracy_by_measure(evaluation, values, "px", bins=4)
    assert sum(group.n for group in groups) == evaluation.n - 7
    assert max(group.n for group in groups) - min(group.n for group in groups) <= 2
    assert sum(group.correct for group in groups) == int(evaluation.correct[7:].sum())
    assert len(analysis.accuracy_by_measure(evaluation, np.ones(evaluation.n))) == 1
    tied = (np.arange(evaluation.n) % 4).astype(np.float64)  # a group begins with its lower edge; the last one has both its edges
    assert [group.n for group in analysis.accuracy_by_measure(evaluation, tied, bins=3)] == [
        int(((tied >= low) & (tied < high)).sum()) for low, high in ((0, 1), (1, 2), (2, 4))
    ]
    blank = Evaluation(evaluation.logits, evaluation.labels, evaluation.classes, np.zeros_like(evaluation.images), "test")
    with pytest.raises(UsageError, match="groups"):
        analysis.accuracy_by_stroke(blank)


def test_writers_are_counted_apart_the_worst_first() -> None:
    evaluation = made()
    writers = np.arange(evaluation.n) % 7
    groups = analysis.accuracy_by_writer(evaluation, writers)
    assert [group.accuracy for group in groups] == sorted(group.accuracy for group in groups)
    for group in groups:
        mine = writers == int(group.name.removeprefix("writer "))
        assert (group.n, group.correct) == (int(mine.sum()), int(evaluation.correct[mine].sum()))
    with pytest.raises(UsageError, match="writers"):
        analysis.accuracy_by_writer(evaluation, [1, 2])


# Changed images


def test_images_changed_by_several_amounts_at_once_are_those_of_each_change_in_turn(mnist: hl.Dataset) -> None:
    model = models.MLP((8,), seed=1)
    both = analysis.changed(model, mnist.test, {"blur": 1.0, "contrast": 0.5}, examples=200)
    images = models.to_float(mnist.test.images[torch.arange(200) * 50])
    expected = distort.change_contrast(distort.blur(images, 1.0), 0.5)
    assert np.array_equal(both.images, expected.numpy())
    assert both.predictions.tolist() == models.predict_logits(model, expected).argmax(1).tolist()
    assert both.correct == (both.predictions == both.labels).sum()
    alone = analysis.changed(model, mnist.test, {"rotate": 20.0}, examples=500)
    found = analysis.robustness(model, mnist.test, examples=500)
    assert alone.accuracy == next(one.accuracy for one in found.of("rotate") if one.strength == 20)
    assert np.array_equal(analysis.changed(model, mnist.test, analysis.UNCHANGED, examples=200).images, images.numpy())
    with pytest.raises(UsageError, match="cannot be changed by 'melt'"):
        analysis.changed(model, mnist.test, {"melt": 1.0})
    for split, examples in ((mnist.test, -1), (mnist.test.subset(torch.arange(0)), 5)):
        with pytest.raises(UsageError, match=f"{examples} of {len(split):,} test images cannot be taken"):
            analysis.changed(model, split, {}, examples=examples)


def test_robustness_is_measured_on_the_same_images_and_falls_with_the_strength(
    network: tuple[nn.Module, Evaluation], mnist: hl.Dataset
) -> None:
    model = network[0]
    found = analysis.robustness(model, mnist.test, examples=500)
    places = torch.arange(500) * 20
    right = models.predict_logits(model, mnist.test.images[places]).argmax(1) == mnist.test.labels[places]
    assert (found.clean.n, found.clean.correct) == (500, int(right.sum()))
    assert len(found.conditions) == 35
    for change in found.changes:
        weak, *_, strong = [one.accuracy for one in found.of(change)]
        assert strong < weak <= found.clean.accuracy + 0.02, change
    shifted = distort.warp(models.to_float(mnist.test.images[places]), shift=_steps(2 / 28))
    two = found.of("shift")[1]
    assert two.correct == int((models.predict_logits(model, shifted).argmax(1) == mnist.test.labels[places]).sum())
    assert analysis.robustness(model, mnist.test, examples=500).to_dict() == found.to_dict()
    assert "thickness" not in analysis.robustness(model, mnist.test, examples=10, ink=False).changes
    assert len(found.plot().axes) == 14
    with pytest.raises(UsageError):
        analysis.robustness(model, mnist.test.subset(torch.arange(0)))


def _steps(far: float) -> tuple[torch.Tensor, torch.Tensor]:
    right, down = torch.tensor([far, 0.0, -far, 0.0]), torch.tensor([0.0, far, 0.0, -far])
    return right.repeat(125), down.repeat(125)


# Labels


def noisy(count: int = 2000, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    logits, labels = guesses(count, 10, seed)
    rng = np.random.default_rng(seed)
    given_ = np.where(rng.random(count) < 0.1, rng.integers(0, 10, count), labels)
    return given_, metrics.probabilities(logits), labels


@pytest.mark.parametrize("seed", range(3))
def test_label_issues_are_those_of_cleanlab_in_the_same_order(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanlab.filter import find_label_issues

    labels, shares, _ = noisy(seed=seed)
    # cleanlab starts processes of its own unless there is one job
    theirs = find_label_issues(labels, shares, filter_by="confident_learning", return_indices_ranked_by="normalized_margin", n_jobs=1)
    ours = metrics.find_label_issues(labels, shares)
    assert set(ours.tolist()) == set(theirs.tolist())
    margin = shares.max(axis=1) - shares[np.arange(len(labels)), labels]
    np.testing.assert_allclose(margin[ours], margin[theirs], atol=1e-12)
    assert len(ours) > 50


def test_planted_wrong_labels_of_real_digits_are_found(mnist: hl.Dataset) -> None:
    images = mnist.train.subset(torch.arange(0, 54_000, 3))
    rng = np.random.default_rng(0)
    planted = rng.choice(len(images), 900, replace=False)
    labels = images.labels.clone()
    labels[planted] = (labels[planted] + torch.from_numpy(rng.integers(1, 10, 900))) % 10
    split = Split(images.images, labels, images.classes)
    told: list[int] = []
    found = analysis.find_label_issues(split, make_config({"epochs": 3, "lr": 2e-3}), tell=told.append)
    hits = np.isin(found.suspects, planted)
    recall, precision = hits.sum() / 900, hits.mean()
    print(f"{len(found.suspects)} suspects: recall {recall:.3f}, precision {precision:.3f}, of the first 100 {hits[:100].mean():.2f}")
    assert told == [1, 2, 3]
    assert recall > 0.7
    assert precision > 0.8
    assert hits[:100].mean() > 0.9
    assert {one.suggested for one in found.top(5)} <= set(split.classes)
    assert len(found.plot(9).axes) == 1


def test_each_image_is_judged_by_a_network_that_has_not_learned_from_it() -> None:
    """Images of pure noise: a network knows by heart what it has seen, and can only guess the rest."""
    noise = torch.randint(0, 256, (120, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    split = Split(noise, torch.arange(120) % 4, tuple("abcd"))
    model = models.MLP((64,), image_size=8, num_classes=4, seed=0)
    before = [weights.clone() for weights in model.parameters()]
    found = analysis.find_label_issues(split, make_config({"epochs": 40, "lr": 5e-3, "batch_size": 20}), model=model)
    assert found.accuracy < 0.5
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    with pytest.raises(UsageError, match="folds"):
        analysis.find_label_issues(split, make_config({}), folds=31)


# Cost


@pytest.mark.parametrize("name", models.MODELS)
def test_multiplications_are_half_of_the_flops_that_pytorch_counts(name: str) -> None:
    model = models.build(name)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, 1, 28, 28))
    assert models.count_multiplications(model, (1, 28, 28)) == counter.get_total_flops() / 2 > 0
    assert not any(layer._forward_hooks for layer in model.modules())


# Runs side by side


def test_runs_on_the_same_images_are_compared_in_pairs_and_words() -> None:
    data = small_data()
    good = hl.fit(models.MLP((16,), image_size=8, num_classes=4, seed=0), data, epochs=4, lr=0.01, name="good", quiet=True)
    poor = hl.fit(models.MLP((4,), image_size=8, num_classes=4, seed=0), data, epochs=2, lr=1e-5, name="poor", quiet=True)
    found = hl.compare(good, poor)
    (pair,) = found.paired
    first, second = (run.evaluate("test").correct for run in (good, poor))
    assert pair.test.p == pytest.approx(scipy.stats.binomtest(int((first & ~second).sum()), int((first != second).sum())).pvalue)
    assert found.sentences[0].startswith("good is more accurate than poor, ")
    assert "times as long to train" in found.sentences[1]
    assert [row["multiplications"] for row in found.rows] == [64 * 16 + 16 * 4, 64 * 4 + 4 * 4]
    assert len(found.plot_disagreements().axes) == 1


def test_runs_on_other_images_get_a_sentence_instead_of_a_test() -> None:
    one, other = (hl.fit("softmax", small_data(count), epochs=1, name=f"of{count}", quiet=True) for count in (240, 120))
    found = hl.compare(one, other)
    assert found.paired == []
    assert found.disagreements is None
    assert found.sentences == [found.why_not]
    assert "different images" in found.why_not
    assert all(row["interval"] for row in found.rows)
    with pytest.raises(UsageError, match="no paired test"):
        found.plot_disagreements()
