"""The report: one file that opens from disk, says what is true of the run, and lets nothing that a run contains act as HTML."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from pages import Page, measured, read
from small import small_data

import handlens as hl
from handlens import files, plots, report
from handlens.cli.train import train
from handlens.config import FIELDS
from handlens.models import idle_knobs
from handlens.report.facts import EMBEDDED, LOOKS, Facts
from handlens.report.recipe import config_section

NOTE = "a note\nof two lines"
PAYLOADS = [
    "<script>document.title='hacked'</script>",
    "\"><img src=x onerror=document.title='hacked'>",
    "' onload='document.title=\"hacked\"",
    "</title><svg onload=document.title='hacked'>",
    "]]>--></style><b>$\\frac{",
    "javascript:alert(1)",
    "&lt;b&gt; &amp;",
    "\u202eolleh\x00\ud800",
]


def fit(folder: Path, data: hl.Dataset, **options: Any) -> hl.Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(folder))
        knobs = {"epochs": 3, "lr": 0.01, "quiet": True, **options}
        return hl.fit(lambda: hl.models.MLP((16,), image_size=8, num_classes=len(data.classes)), data, **knobs)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> hl.Run:
    """Half trained, so that it has mistakes."""
    return fit(tmp_path_factory.mktemp("runs"), small_data(), epochs=2, lr=1e-4, name="brave-otter", note=NOTE)


@pytest.fixture(scope="module")
def saved(run: hl.Run) -> Path:
    return report.save(run)


@pytest.fixture(scope="module")
def page(saved: Path) -> Page:
    return read(saved.read_text(encoding="utf-8"))


def test_it_is_written_into_the_run_with_every_figure_as_png(run: hl.Run, saved: Path) -> None:
    assert saved == run.folder / "report.html"
    drawn = {path.stem for path in (run.folder / "plots").iterdir()}
    own = {
        "samples",
        "curves",
        "confusion_matrix",
        "predictions",
        "mistakes",
        "weights",
        "calibration",
        "graph",
        "attributions",
        "embedding",
    }
    assert drawn == own
    assert drawn <= plots.PLOTS.keys()
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (run.folder / "plots").iterdir())
    assert report.build(run) == saved.read_text(encoding="utf-8")


def test_it_has_all_sections_in_their_order(page: Page) -> None:
    assert page.text("h1") == "brave-otter"
    assert [attributes["id"] for attributes in page.all("h2")] == [
        *("layers", "graph", "samples", "curves", "classes", "confusion", "predictions", "mistakes"),
        *("looks", "embedding", "weights", "calibration"),
        *("config", "environment", "again"),
    ]
    assert [link["href"] for link in page.all("a")] == ["#" + heading["id"] for heading in page.all("h2")]


def test_it_asks_nothing_from_outside_and_runs_nothing(page: Page) -> None:
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "embed", "form", "base", "svg"})
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), tag
        for name in ("src", "srcset", "href", "poster", "data", "action"):
            assert re.match(r"data:image/png;base64,[A-Za-z0-9+/=]+$|#\w+$", attributes.get(name, "#x")), (tag, name)
    assert not re.search(r"url\(|@import|//", page.text("style"))


def test_the_numbers_are_those_of_the_evaluation(run: hl.Run, page: Page) -> None:
    evaluation = run.evaluate("test")
    low, high = evaluation.interval
    words = page.text("header")
    assert f"{evaluation.accuracy * 100:.2f} %" in words.replace("\xa0", " ")
    assert f"{low * 100:.2f} to {high * 100:.2f} %" in words.replace("\xa0", " ")
    assert f"{evaluation.n - int(evaluation.correct.sum())} of {evaluation.n}" in words
    assert "A network with 1,108 parameters in 2 layers learned 4 classes from 128 images" in words
    assert "2 of the 4 steps have any" in page.text("p")
    assert "The results below are those of the weights after epoch 2, the last." in words
    assert "Note: a note of two lines" in words
    for score in evaluation.per_class:
        assert f"{score.f1:.4f}" in page.text("td")


def test_every_prediction_is_marked_by_sign_word_and_class(run: hl.Run, page: Page) -> None:
    evaluation = run.evaluate("test")
    wrong = int((~evaluation.correct[:8]).sum()) + min(16, evaluation.n - int(evaluation.correct.sum())) + LOOKS
    marked = [item.get("class") for item in page.all("li")]
    assert marked.count("wrong") == page.text("li").count("✗") == page.text("li").count("wrong:") == wrong > 3
    assert (
        marked.count("right") == page.text("li").count("✓") == page.text("li").count("right:") == int(evaluation.correct[:8].sum()) + LOOKS
    )


def test_every_picture_has_an_alternative_and_every_table_its_headings(page: Page) -> None:
    pictures = page.all("img")
    assert all("alt" in picture for picture in pictures)
    charts = [picture["alt"] for picture in pictures if "height" in picture]
    assert [alt.split()[0] for alt in charts] == ["Graph", "Training", "Confusion", "Map", "Calibration"]
    assert all(len(alt) > 30 for alt in charts)
    assert len(page.all("table")) == len(page.all("caption")) == 7
    assert {heading["scope"] for heading in page.all("th")} == {"row", "col"}
    assert [tag for tag, attributes in page.tags if tag == "html" and attributes.get("lang") == "en"] == ["html"]
    assert all(region["aria-label"] and region["tabindex"] == "0" for region in page.all("div") if region.get("role") == "region")


def test_each_figure_comes_for_light_and_for_dark(page: Page) -> None:
    assert len(page.all("source")) == 5
    light = [picture["src"] for picture in page.all("img") if "height" in picture]
    for source, picture in zip(page.all("source"), light, strict=True):
        assert source["media"] == "screen and (prefers-color-scheme: dark)"
        assert source["srcset"] != picture


def test_the_config_says_what_was_changed_and_why_it_is_there(page: Page) -> None:
    words = page.text("td")
    assert page.text("th").index("epochs") < page.text("th").index("momentum")
    for name in ("epochs", "lr", "momentum"):
        assert " ".join(str(FIELDS[name].description).split()) in words
    idle = idle_knobs("mlp")
    assert f"The other {len(FIELDS.keys() - idle) - 4} knobs" in page.text("summary")
    assert not idle & set(page.text("th"))
    assert page.text("summary") == page.text("caption").split("Not at their default ")[1].split(" Versions")[0]


def test_where_no_knob_was_changed_all_are_folded() -> None:
    facts: Any = SimpleNamespace(run=SimpleNamespace(config=hl.Config()))
    page = read(config_section(facts).html())
    assert page.text("summary") == f"All {len(FIELDS.keys() - idle_knobs('mlp'))} knobs"
    assert "at their defaults" in page.text("p")


@pytest.mark.parametrize(
    "status, said",
    [
        ("interrupted", "This training was interrupted: 2 of 2 epochs are done. To go on: hl.resume('half', ...)"),
        ("running", "This training was still running when the report was made, with 2 of 2 epochs done."),
        ("failed", "This training failed: 2 of 2 epochs are done."),
        ("complete", "half"),
    ],
)
def test_a_training_that_is_not_at_its_end_is_said_to_be_so_before_any_number(tmp_path: Path, status: str, said: str) -> None:
    run = fit(tmp_path, small_data(), name="half", epochs=2)
    run.pointer = dataclasses.replace(run.pointer, finished=status == "complete")
    run.annotate(failure="The loss became infinite" if status == "failed" else "")
    with files.lock(run.folder / "run.lock") if status == "running" else contextlib.nullcontext():
        words = read(report.build(run)).text("header")
    assert words.split(" A network")[0].strip().endswith(said)


def test_a_training_that_stopped_early_says_so_and_whose_weights_are_used(tmp_path: Path) -> None:
    run = fit(tmp_path, small_data(), name="patient", epochs=50, lr=0.3, patience=1)
    best, last = run.pointer.best, run.pointer.last
    assert best is not None
    assert best.epoch < last.epoch < 50
    words = read(report.build(run)).text("header")
    assert f"stopped early, after {last.epoch} of 50 epochs" in words
    assert f"weights after epoch {best.epoch}, the one with the lowest validation loss" in words


KNOBS = {"hidden_sizes": (32, 16), "normalize": True, "lr": 0.00123456789, "schedule": "one-cycle", "val": 0.0}


@pytest.mark.parametrize("knobs", [{}, KNOBS])
def test_the_commands_lead_to_the_same_config_and_to_others(knobs: dict[str, Any]) -> None:
    @dataclass
    class Named:
        config: hl.Config
        name: str = "brave-otter"

    run: Any = Named(hl.Config(**knobs, threads=2))
    assert config_of(report.repeat_command(run.config)) == hl.Config(**knobs)
    wider, faster, compare = (command for command, _why in report.next_commands(run))
    sizes = run.config.hidden_sizes
    assert config_of(wider) == hl.Config(**{**knobs, "hidden_sizes": tuple(2 * size for size in sizes)})
    assert config_of(faster).lr == pytest.approx(10 * run.config.lr, rel=1e-4)
    assert compare == "handlens compare latest brave-otter"


@pytest.mark.parametrize("freeze", [False, True])
def test_a_network_that_began_with_learned_weights_is_next_tried_without_them(freeze: bool) -> None:
    run: Any = SimpleNamespace(config=hl.Config(init_from="first", freeze=freeze, lr=0.01), name="brave-otter")
    assert config_of(report.next_commands(run)[0][0]) == hl.Config(lr=0.01)


def test_a_knob_without_effect_that_an_older_run_kept_is_no_part_of_its_command() -> None:
    run: Any = SimpleNamespace(config=hl.Config(model="resnet", dropout=0.3, lr=0.01))
    assert report.repeat_command(run.config) == "handlens train --model resnet --lr 0.01"


def config_of(command: str) -> hl.Config:
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("handlens", "train")
    answer = CliRunner().invoke(train, [*words, "--print-config", "--json"], standalone_mode=False)
    assert answer.exception is None, answer.output
    return hl.Config(**{name: entry["value"] for name, entry in json.loads(answer.output).items()})


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a run whose every text is an attack."""
    data = small_data()
    classes = tuple(PAYLOADS[:4])
    named: dict[str, Any] = {name: hl.Split(split.images, split.labels, classes, name) for name, split in data.splits.items()}
    run = fit(tmp_path_factory.mktemp("runs"), hl.Dataset("mine", **named), epochs=1, name="hostile", note=" ".join(PAYLOADS))
    run.annotate(tags=tuple(PAYLOADS), failure=PAYLOADS[0])
    run.env = {payload: payload for payload in PAYLOADS}
    return report.save(run).read_text(encoding="utf-8")


def test_nothing_that_a_run_contains_becomes_html(hostile: str, page: Page) -> None:
    found = read(hostile)
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in page.tags}
    assert len(found.all("h2")) == len(page.all("h2"))
    names = {name for _, attributes in found.tags for name in attributes}
    assert names <= {name for _, attributes in page.tags for name in attributes}
    for payload in PAYLOADS[:7]:
        assert payload in found.text()
    assert PAYLOADS[0] in found.text("td")
    assert not re.search("[\x00-\x08\ud800-\udfff\u202e]", hostile)


@pytest.mark.parametrize("width", [320, 1280])
def test_in_a_browser_it_fits_its_text_is_large_enough_and_all_pictures_are_there(
    chromium: str, saved: Path, tmp_path: Path, width: int
) -> None:
    found = measured(chromium, tmp_path, saved, width)
    assert found["title"] == "brave-otter - handlens report"
    assert found["width"] <= width
    assert found["wide"] == []
    assert found["images"] == found["shrunk"] == 0
    assert found["unhinted"] == []
    assert found["smallest"] >= 8 / 72 * 96
    assert found["background"] == "rgb(255, 255, 255)"


def test_in_a_browser_it_is_dark_where_the_reader_wants_it_dark(chromium: str, saved: Path, tmp_path: Path) -> None:
    assert measured(chromium, tmp_path, saved, 1280, "--blink-settings=preferredColorScheme=0")["background"] == "rgb(20, 23, 27)"


def test_in_a_browser_nothing_that_a_run_contains_runs_even_without_the_policy(chromium: str, tmp_path: Path, hostile: str) -> None:
    bare = tmp_path / "bare.html"
    bare.write_text(re.sub(r"<meta http-equiv[^>]*>", "", hostile), encoding="utf-8")
    assert "Content-Security-Policy" not in bare.read_text(encoding="utf-8")
    assert measured(chromium, tmp_path, bare, 1280)["title"] == "hostile - handlens report"


def test_without_the_users_own_data_it_says_so_and_shows_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(tmp_path, small_data(), name="mine")
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path))
    found = read(report.build(hl.load_run("mine")))
    assert "Not in this report: Run 'mine' was trained on data of your own" in found.text("header")
    assert [heading["id"] for heading in found.all("h2")] == ["layers", "graph", "curves", "weights", "config", "environment", "again"]


def test_a_ruined_network_is_said_to_be_one(tmp_path: Path) -> None:
    run = fit(tmp_path, small_data(), name="ruined", epochs=1)
    ruined = run.model()
    with torch.no_grad():
        next(ruined.parameters()).fill_(float("nan"))
    run.model = lambda *_: ruined  # type: ignore[method-assign]
    found = read(report.build(run))
    assert "Not in this report: The model's answer for 80 of 80 images is infinite or not a number" in found.text("header")
    assert "curves" in [heading["id"] for heading in found.all("h2")]


def test_a_network_that_makes_no_mistake_is_not_asked_for_any(tmp_path: Path) -> None:
    found = read(report.build(fit(tmp_path, small_data(), name="perfect", epochs=12, val=0.0)))
    assert "There are none: every test image was right." in found.text()
    assert "0 of 80" in found.text("header")


def test_where_the_only_layer_has_a_unit_for_each_class_the_units_are_named_after_them(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(tmp_path))
        run = hl.fit(hl.models.SoftmaxRegression(image_size=8, num_classes=4), small_data(), epochs=1, quiet=True)
    found = read(report.build(run))
    assert [picture["alt"] for picture in found.all("img") if picture["alt"].startswith("Weights of")] == [
        f"Weights of {name}" for name in small_data().classes
    ]
    assert "in 1 layer learned" in found.text("header")
    assert "1 of the 2 steps has any" in found.text()


def test_a_learners_own_network_without_pictures_in_its_first_layer_is_reported_without_them(tmp_path: Path) -> None:
    networks = [
        torch.nn.Sequential(torch.nn.AvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(16, 4)),
        torch.nn.Sequential(torch.nn.Conv2d(1, 6, 3), torch.nn.Flatten(), torch.nn.Linear(216, 4)),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(tmp_path))
        pooled, filtered = (read(report.build(hl.fit(network, small_data(), epochs=1, quiet=True))) for network in networks)
    assert "weights" not in [heading["id"] for heading in pooled.all("h2")]
    assert "hl.fit(model, data, epochs=1)" in pooled.text("code")
    assert "handlens runs repeat" not in pooled.text("code")
    assert "Each picture is one filter: laid over every place" in filtered.text()


def test_what_it_looks_at_is_gradcam_where_there_are_convolutions_and_saliency_elsewhere(run: hl.Run, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(tmp_path))
        convolved = hl.fit("cnn", small_data(), epochs=1, channels=(4,), hidden_sizes=(8,), lr=1e-4, quiet=True)
    for one, method in ((run, "saliency"), (convolved, "gradcam")):
        facts = Facts(one)
        assert facts.looks is not None
        assert facts.looks.method == method
        chosen = facts.looked_at
        assert chosen is not None
        assert [right for _, right in facts.look_names] == [True] * LOOKS + [False] * LOOKS
        assert chosen.indices[LOOKS:].tolist() == one.evaluate("test").mistakes(LOOKS).indices.tolist()
    words = read(report.build(convolved)).text("section")
    assert "bright where the maps of the convolution speak for the class" in words


def test_each_image_of_the_map_can_be_pointed_at_where_it_is_drawn(run: hl.Run, page: Page) -> None:
    spots = [box for box in page.all("div") if box.get("class") == "spot"]
    facts = Facts(run)
    assert facts.embedding is not None
    assert len(spots) == len(facts.embedding.points) == 80
    found = np.array([[float(number) / 100 for number in re.findall(r"([\d.]+)%", spot["style"])] for spot in spots])
    assert found.min() > 0
    assert found.max() < 1
    points = facts.embedding.points
    for axis, sign in ((0, 1), (1, -1)):
        assert np.corrcoef(found[:, axis], points[:, axis])[0, 1] * sign > 0.9999
    assert len([box for box in page.all("div") if box.get("class", "").startswith("card")]) == 80


@pytest.fixture(scope="module")
def real(mnist: hl.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[hl.Run]:
    part = hl.Dataset(
        "part", mnist.train.subset(torch.arange(6000)), mnist.val.subset(torch.arange(500)), mnist.test.subset(torch.arange(1000))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield hl.fit(hl.models.MLP(seed=1), part, epochs=1, quiet=True)


def test_the_report_of_the_real_mnist_is_one_file_of_less_than_two_megabytes(real: hl.Run) -> None:
    text = report.build(real)
    found = read(text)
    assert len(text) < 2e6
    samples = [picture["alt"] for picture in found.all("img") if picture["alt"].startswith("Training image")]
    assert samples == [f"Training image, labelled {digit}" for digit in [*range(10), *range(10)]]
    assert len([item for item in found.all("li") if item.get("class") in ("right", "wrong")]) == 24 + 2 * LOOKS
    assert len([picture for picture in found.all("img") if picture["alt"] == ""]) == 128 + EMBEDDED


def test_a_run_of_the_users_own_data_is_repeated_in_python(run: hl.Run, page: Page) -> None:
    assert report.repeat_command(run.config) == ""
    assert "hl.fit('mlp', data, hidden_sizes=(16,), epochs=2, lr=0.0001)" in page.text("code")
    assert [command for command, _why in report.next_commands(run)] == [
        "handlens train session",
        "hl.fit('mlp', data, hidden_sizes=(16,), epochs=2, lr=0.001)",
        "handlens compare latest brave-otter",
    ]
