"""What a network scored: computed once, equal to scikit-learn, in numbers that JSON can hold, and measured again rather than believed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import sklearn.metrics
import torch
from small import small_data

import handlens as hl
from handlens import files, metrics, models
from handlens.data.batches import batches
from handlens.errors import ModelError, TrainingError, UsageError
from handlens.evaluation import ConfusedPair, Evaluation

CLASSES = ("ant", "bee", "cat")


def made(count: int = 40, scale: float = 2.0, seed: int = 0) -> Evaluation:
    rng = np.random.default_rng(seed)
    logits = (rng.normal(size=(count, 3)) * scale).astype(np.float32)
    labels = np.where(rng.random(count) < 0.7, logits.argmax(axis=1), 0)
    return Evaluation(logits, labels, CLASSES, rng.integers(0, 256, (count, 1, 4, 4), np.uint8), "test")


@pytest.fixture(scope="module")
def real(mnist: hl.Dataset) -> Evaluation:
    """A softmax regression after a third of an epoch of the real MNIST, on the real test images."""
    model = models.SoftmaxRegression(seed=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for images, labels in batches(mnist.train.subset(torch.arange(20_000)), 64):
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return Evaluation.measure(model, mnist.test)


def test_real_predictions_score_what_scikit_learn_says(real: Evaluation) -> None:
    truth, guesses = real.labels, real.predictions
    assert real.accuracy == pytest.approx(sklearn.metrics.accuracy_score(truth, guesses))
    assert 0.85 < real.accuracy < 0.95
    np.testing.assert_array_equal(real.confusion_matrix, sklearn.metrics.confusion_matrix(truth, guesses))
    assert real.loss == pytest.approx(sklearn.metrics.log_loss(truth, real.probabilities))
    theirs = np.array(sklearn.metrics.precision_recall_fscore_support(truth, guesses), dtype=float).T
    np.testing.assert_allclose([[score.precision, score.recall, score.f1, score.support] for score in real.per_class], theirs)
    low, high = real.interval
    assert low < real.accuracy < high
    assert high - low < 0.02


def test_the_network_is_asked_once_and_left_in_its_mode() -> None:
    asked = 0

    class Counting(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(64, 4)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            nonlocal asked
            asked += len(images)
            scores: torch.Tensor = self.linear(images.flatten(1))
            return scores

    model, split = Counting().train(), small_data().test
    evaluation = Evaluation.measure(model, split)
    values = (evaluation.accuracy, evaluation.loss, evaluation.ece, evaluation.interval, evaluation.most_confused(2), evaluation.to_dict())
    assert values
    assert asked == len(split)
    assert model.training
    assert evaluation.logits.dtype == np.float32
    assert evaluation.probabilities is evaluation.probabilities


def test_every_number_follows_from_logits_and_labels() -> None:
    evaluation = made()
    assert (evaluation.predictions == evaluation.logits.argmax(axis=1)).all()
    assert evaluation.n == 40
    assert evaluation.accuracy == metrics.accuracy(evaluation.labels, evaluation.predictions)
    assert evaluation.interval == metrics.accuracy_interval(int(evaluation.correct.sum()), 40)
    assert evaluation.ece == evaluation.calibration.ece == metrics.calibration(evaluation.probabilities, evaluation.labels).ece
    assert [score.support for score in evaluation.per_class] == np.bincount(evaluation.labels, minlength=3).tolist()
    worst = evaluation.most_confused(1)[0]
    assert isinstance(worst, ConfusedPair)
    assert worst.count == (evaluation.confusion_matrix - np.diag(np.diag(evaluation.confusion_matrix))).max()
    assert worst.true in CLASSES
    assert worst.predicted != worst.true


def test_top_losses_and_mistakes_are_worst_first() -> None:
    evaluation = made()
    top = evaluation.top_losses(5)
    assert top.losses == sorted(evaluation.losses.tolist(), reverse=True)[:5]
    assert top.indices.tolist() == np.argsort(-evaluation.losses, kind="stable")[:5].tolist()
    assert np.array_equal(top.images, evaluation.images[top.indices])
    mistakes = evaluation.mistakes()
    assert len(mistakes) == evaluation.n - int(evaluation.correct.sum())
    assert all(true != predicted for true, predicted in zip(mistakes.true, mistakes.predicted, strict=True))
    assert mistakes.losses == sorted(mistakes.losses, reverse=True)
    assert evaluation.mistakes(2).indices.tolist() == mistakes.indices[:2].tolist()
    assert evaluation.first(3).indices.tolist() == [0, 1, 2]
    assert len(made(count=2).first(8)) == 2


def test_a_selection_shows_its_images_with_what_is_right_and_wrong() -> None:
    evaluation = made()
    assert "Most wrong first" in figure_words(evaluation.mistakes(4).show())
    mixed = figure_words(evaluation.first(8).show())
    assert sum(words.startswith("✓") for words in mixed) == int(evaluation.correct[:8].sum())
    assert sum(words.startswith("✗") for words in mixed) == 8 - int(evaluation.correct[:8].sum())
    assert f"image {evaluation.top_losses(1).indices[0]}: " in repr(evaluation.top_losses(1))
    assert "and 15 more" in repr(evaluation.first(40))
    assert "<img" in evaluation.first(3)._repr_html_()


def figure_words(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_network_without_mistakes_has_none_to_show() -> None:
    logits = np.eye(3, dtype=np.float32) * 9
    perfect = Evaluation(logits, np.arange(3), CLASSES, np.zeros((3, 1, 4, 4), np.uint8), "val")
    assert perfect.accuracy == perfect.interval[1] == 1.0
    assert perfect.most_confused(5) == []
    assert len(perfect.mistakes()) == 0
    assert "No such image" in perfect.mistakes()._repr_html_()
    with pytest.raises(UsageError, match="nothing to show"):
        perfect.mistakes().show()


def test_json_has_the_promised_keys_and_only_finite_numbers() -> None:
    for evaluation in (made(), made(count=1), made(scale=1e30)):
        text = json.dumps(evaluation.to_dict(), allow_nan=False)
        read = json.loads(text)
        assert list(read)[:5] == ["accuracy", "interval", "loss", "n", "split"]
        assert read["accuracy"] == evaluation.accuracy
        assert read["interval"] == list(evaluation.interval)
        assert read["per_class"][0].keys() == {"class", "precision", "recall", "f1", "support"}
        assert read["confusion_matrix"] == evaluation.confusion_matrix.tolist()
        assert all(pair.keys() == {"true", "predicted", "count"} for pair in read["most_confused"])
        assert math.isfinite(read["loss"])


def test_what_cannot_be_measured_is_said_in_words() -> None:
    data = small_data()
    with pytest.raises(UsageError, match="no test images"):
        Evaluation.measure(models.MLP((4,), image_size=8, num_classes=4), data.test.subset(torch.arange(0)))
    with pytest.raises(ModelError, match="80x3 logits for the test images, but there are 80 of them, of 4 classes"):
        Evaluation.measure(models.MLP((4,), image_size=8, num_classes=3), data.test)
    ruined = models.MLP((4,), image_size=8, num_classes=4)
    with torch.no_grad():
        next(ruined.parameters()).fill_(math.nan)
    with pytest.raises(TrainingError, match="80 of 80 images is infinite or not a number"):
        Evaluation.measure(ruined, data.test)


def test_it_shows_itself_with_its_classes_escaped() -> None:
    evaluation = Evaluation(made().logits, made().labels, ("<script>alert(1)</script>", "b", "c"), made().images, "<b>test</b>")
    shown = evaluation._repr_html_()
    assert "data:image/png" in shown
    assert "<script>" not in shown
    assert "<b>test" not in shown
    low, high = made().interval
    assert repr(made()) == f"Evaluation(test: accuracy {made().accuracy:.2%} [{low:.2%}, {high:.2%}], loss {made().loss:.4f}, 40 images)"
    assert made().plot_confusion_matrix().axes
    assert made().plot_calibration().axes


def test_saved_it_is_numbers_in_json_and_arrays_with_their_sha256(tmp_path: Path) -> None:
    evaluation = made()
    path = evaluation.save(tmp_path / "evaluation", checkpoint="abc")
    assert path == tmp_path / "evaluation" / "test.json"
    written = json.loads(path.read_text())
    assert written.items() >= {"checkpoint": "abc", **evaluation.to_dict()}.items()
    content = (path.parent / written["logits"]["file"]).read_bytes()
    assert (written["logits"]["sha256"], written["logits"]["size"]) == (files.sha256(content), len(content))
    arrays = safetensors.numpy.load(content)
    assert arrays["logits"].tobytes() == evaluation.logits.tobytes()
    assert arrays["labels"].tobytes() == evaluation.labels.tobytes()


def test_what_a_runs_folder_claims_to_have_scored_is_not_believed() -> None:
    run = hl.fit("softmax", small_data(), epochs=1, lr=1e-4, name="honest", quiet=True)
    honest = run.evaluate("test")
    perfect = np.eye(4, dtype=np.float32)[honest.labels] * 9
    Evaluation(perfect, honest.labels, honest.classes, honest.images, "test").save(
        run.folder / "evaluation", checkpoint=run.checkpoint["sha256"]
    )
    again = hl.load_run("honest", data=small_data()).evaluate("test")
    assert again.accuracy == honest.accuracy < 1
    assert json.loads((run.folder / "evaluation" / "test.json").read_text())["accuracy"] == honest.accuracy


@pytest.mark.parametrize("images", [(np.zeros((1, 8, 8)), [0]), (torch.zeros(1, 8, 8), torch.zeros(1)), None, 3, small_data()])
def test_images_in_place_of_a_name_are_answered_with_the_way_to_measure_on_them(images: Any) -> None:
    run = hl.fit("softmax", small_data(), epochs=1, quiet=True)
    with pytest.raises(UsageError, match=r"no name of a split or data set.\n.*hl.Evaluation.measure\(run.model"):
        run.evaluate(images)


def test_saved_again_only_the_newest_arrays_are_kept(tmp_path: Path) -> None:
    made(seed=0).save(tmp_path)
    other = made(seed=1)
    other.save(tmp_path)
    val = Evaluation(other.logits, other.labels, CLASSES, other.images, "val")
    val.save(tmp_path)
    other.save(tmp_path)
    assert sorted(path.name.split(".")[0] for path in tmp_path.iterdir()) == ["test", "test", "val", "val"]
    assert json.loads((tmp_path / "test.json").read_text())["accuracy"] == other.accuracy
    assert (tmp_path / json.loads((tmp_path / "test.json").read_text())["logits"]["file"]).is_file()


def test_the_arrays_of_a_data_set_whose_name_begins_alike_stay(tmp_path: Path) -> None:
    for seed, name in enumerate(("my.digits", "my", "my")):
        one = made(seed=seed)
        Evaluation(one.logits, one.labels, CLASSES, one.images, name).save(tmp_path)
    files = [json.loads((tmp_path / f"{name}.json").read_text())["logits"]["file"] for name in ("my", "my.digits")]
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == sorted(files)
