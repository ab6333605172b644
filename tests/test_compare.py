import csv
import io
from pathlib import Path

import pytest
from small import small_data

import handlens as hl
from handlens.data.offline import offline
from handlens.errors import UsageError


@pytest.fixture
def two() -> tuple[hl.Run, hl.Run]:
    data = small_data()
    good = hl.fit(hl.models.MLP((16,), image_size=8, num_classes=4, seed=0), data, epochs=4, lr=0.01, name="good", quiet=True)
    poor = hl.fit(hl.models.MLP((4,), image_size=8, num_classes=4, seed=0), data, epochs=2, lr=1e-5, name="poor", quiet=True)
    return good, poor


def test_it_shows_what_was_reached_what_it_cost_and_only_the_knobs_that_differ(two: tuple[hl.Run, hl.Run]) -> None:
    good, poor = hl.compare(*two).rows
    assert good["test_accuracy"] > poor["test_accuracy"]
    assert good["interval"][0] <= good["test_accuracy"] <= good["interval"][1]
    assert (good["hidden_sizes"], poor["hidden_sizes"]) == ((16,), (4,))
    assert (good["parameters"], poor["parameters"]) == (64 * 16 + 16 + 16 * 4 + 4, 64 * 4 + 4 + 4 * 4 + 4)
    assert "seed" not in good
    assert "batch_size" not in good
    assert good["time_s"] > 0


def test_disagreements_are_counted_on_the_same_images(two: tuple[hl.Run, hl.Run]) -> None:
    predictions = [run.evaluate("test").predictions for run in two]
    assert hl.compare(*two).disagreements == int((predictions[0] != predictions[1]).sum()) > 0
    with pytest.raises(UsageError, match="twice"):
        hl.compare(two[0], "good")


def test_disagreements_are_in_cases_by_who_is_right(two: tuple[hl.Run, hl.Run]) -> None:
    found = hl.compare(*two)
    first, second = found.tests
    sizes = [len(places) for _, places in found.cases]
    assert sum(sizes) == found.disagreements
    assert sizes == sorted(sizes, reverse=True)
    for (one, other), places in found.cases:
        assert (first.correct[places] == one).all()
        assert (second.correct[places] == other).all()
        assert (first.predictions[places] != second.predictions[places]).all()


def test_epochs_are_those_done_and_planned_and_the_figures_those_of_the_weights_that_are_used() -> None:
    data = small_data()
    patient = hl.fit("mlp", data, epochs=30, lr=0.3, patience=1, name="patient", quiet=True)
    best = patient.pointer.best
    assert best is not None
    assert best.epoch < len(patient.rows) < 30
    other = hl.fit("softmax", data, epochs=2, name="other", quiet=True)
    found = hl.compare(patient, other)
    assert [row["epochs"] for row in found.rows] == [len(patient.rows), 2]
    assert found.rows[0]["val_loss"] == min(patient.history["val_loss"])
    table = dict(zip(found.columns, found.cells()[0], strict=True))
    assert table["weights"] == f"best epoch, {best.epoch}"
    assert table["epochs"] == f"{len(patient.rows)}/30"
    assert f"val_accuracy {patient.used_row['val_accuracy']:.4f}" in repr(patient)


def test_a_network_without_hidden_layers_claims_no_sizes_of_them() -> None:
    data = small_data()
    rows = hl.compare(hl.fit("mlp", data, epochs=1, hidden_sizes=8, quiet=True), hl.fit("softmax", data, epochs=1, quiet=True)).rows
    assert [row["hidden_sizes"] for row in rows] == [(8,), None]


def test_the_table_survives_csv_and_markdown(two: tuple[hl.Run, hl.Run]) -> None:
    found = hl.compare(*two)
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [row["run"] for row in rows] == ["good", "poor"]
    assert float(rows[0]["test_accuracy"]) == found.rows[0]["test_accuracy"]
    assert float(rows[0]["interval_low"]) == found.rows[0]["interval"][0]
    assert rows[0]["hidden_sizes"] == "16"
    assert found.to_markdown().splitlines()[2].startswith("| good | complete | ")
    assert "<th>run</th>" in found._repr_html_()


def test_runs_on_data_that_is_not_at_hand_are_compared_without_it(two: tuple[hl.Run, hl.Run]) -> None:
    found = hl.compare("good", "poor")
    assert found.disagreements is None
    assert [row["test_accuracy"] for row in found.rows] == [None, None]
    assert len(found.plot().axes) >= 1


def test_one_run_alone_is_no_comparison(two: tuple[hl.Run, hl.Run]) -> None:
    with pytest.raises(UsageError, match="two runs or more"):
        hl.compare("good")


def test_runs_whose_data_set_cannot_be_had_are_compared_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, sizes in (("one", (16,)), ("other", (8,))):
        hl.fit("mlp", "mnist", examples=200, epochs=1, hidden_sizes=sizes, name=name, quiet=True)
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "empty"))
    with offline():
        found = hl.compare("one", "other")
    assert [row["test_accuracy"] for row in found.rows] == [None, None]
    assert [row["hidden_sizes"] for row in found.rows] == [(16,), (8,)]
    assert found.sentences == ["There is no paired test: not all runs could be measured on their test images here."]
