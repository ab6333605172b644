"""The verbs of error analysis on real MNIST: tables, JSON, and the figures that they name."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handlens as hl
from handlens import cli

PNG = b"\x89PNG"


@pytest.fixture
def runs(mnist: hl.Dataset) -> tuple[hl.Run, hl.Run]:
    one, two = (hl.fit("softmax", mnist, epochs=1, batch_size=500, seed=seed, name=f"seed{seed}", quiet=True) for seed in (1, 2))
    return one, two


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            cli.main(list(words))
        out, err = capsys.readouterr()
        assert ended.value.code == 0, err
        return json.loads(out) if "--json" in words else (out, err)

    return run


def are_pictures(paths: Any) -> bool:
    return bool(paths) and all(Path(path).read_bytes().startswith(PNG) for path in paths)


def test_errors_of_a_run_agree_with_its_evaluation_and_name_their_figures(runs: tuple[hl.Run, hl.Run], said: Any) -> None:
    found, evaluation = said("errors", "seed1", "--top", "7", "--json"), runs[0].evaluate("test")
    assert found["mistakes"] == int((~evaluation.correct).sum()) == sum(cluster["n"] for cluster in found["clusters"])
    assert [image["index"] for image in found["worst"]] == evaluation.mistakes(7).indices.tolist()
    assert [image["index"] for image in found["uncertain"]] == evaluation.uncertain(7).indices.tolist()
    assert found["pairs"][0] == vars(evaluation.most_confused(1)[0])
    assert [sum(group["n"] for group in groups) for groups in found["strokes"].values()] == [10_000] * 3
    assert set(found["figures"]) == {"pairs", "worst", "uncertain", "clusters", "strokes"}
    assert are_pictures(found["figures"].values())
    out, err = said("errors", "seed1")
    assert out.splitlines()[0] == "class\ttaken for\ttimes"
    assert re.search(r"Of [\d,]+ test images [\d,]+ are wrong\.", err)


def test_a_pair_is_shown_alone_in_the_file_that_was_named(runs: tuple[hl.Run, hl.Run], said: Any) -> None:
    found = said("errors", "seed1", "--pair", "4,9", "--save", "pair.png", "--json")
    assert found["figures"] == {"pair": "pair.png"}
    assert are_pictures(["pair.png"])
    assert {(image["true"], image["predicted"]) for image in found["pair"]} == {("4", "9")}


def test_errors_of_several_runs_count_how_often_each_image_is_wrong(runs: tuple[hl.Run, hl.Run], said: Any) -> None:
    found = said("errors", "seed1", "seed2", "--json")
    wrong = np.sum([~run.evaluate("test").correct for run in runs], axis=0)
    assert found["wrong_in"] == [int((wrong == times).sum()) for times in range(3)]
    assert sorted(found["always_wrong"]) == (wrong == 2).nonzero()[0].tolist()
    assert are_pictures(found["figures"].values())


def test_evaluate_calibrates_and_changes_the_images(runs: tuple[hl.Run, hl.Run], said: Any) -> None:
    found = said("evaluate", "seed1", "--calibrate", "--robustness", "--examples", "200", "--json")
    assert found["calibration"]["before"]["ece"] == pytest.approx(found["ece"])
    assert found["calibration"]["after"]["nll"] < found["loss"]
    assert found["robustness"]["n"] == 200
    assert len(found["robustness"]["conditions"]) == 35
    assert are_pictures([found[name]["figure"] for name in ("calibration", "robustness")])
    out, err = said("evaluate", "seed1", "--robustness", "--examples", "100")
    assert len(out.splitlines()) == 8
    assert "on 100 images" in err


def test_labels_of_a_run_and_of_a_data_set_give_places_among_all_training_images(
    runs: tuple[hl.Run, hl.Run], said: Any, mnist: hl.Dataset
) -> None:
    every = hl.load("mnist", val=0).train
    for what in ("seed1", "mnist"):
        found = said("labels", what, "--examples", "1500", "--epochs", "1", "--folds", "2", "--top", "5", "--json")
        assert found["n"] == 1500
        assert len(found["top"]) == 5
        assert all(every.classes[int(every.labels[one["index"]])] == one["label"] != one["suggested"] for one in found["top"])
        assert are_pictures([found["figure"]])


def test_compare_tells_the_test_in_words_and_shows_the_images(runs: tuple[hl.Run, hl.Run], said: Any) -> None:
    found = said("compare", "seed1", "seed2", "--json")
    assert found["paired"][0]["p"] <= 1
    assert "McNemar" in found["sentences"][0]
    assert are_pictures([found["plot"], found["disagreements_plot"]])


@pytest.mark.skipif("HANDLENS_SHARED" not in os.environ, reason="HANDLENS_SHARED: qmnist-labels")
def test_writers_of_mnist_are_told_where_qmnists_labels_are(runs: tuple[hl.Run, hl.Run], said: Any) -> None:
    _, of_test = hl.data.mnist_writers(offline=True)
    worst = hl.analysis.accuracy_by_writer(runs[0].evaluate("test"), of_test)[0]
    found = said("errors", "seed1", "--json")["writers"]
    assert len(found) == 25
    assert found[0] == worst.to_dict()
    assert "writers" not in said("errors", "seed1", "--on", "val", "--json")


def test_without_qmnists_labels_no_writers_are_told(runs: tuple[hl.Run, hl.Run], said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDLENS_SHARED", raising=False)
    assert "writers" not in said("errors", "seed1", "--json")
