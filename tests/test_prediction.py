import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from small import small_data

import handlens as hl
from handlens import cli
from handlens.data.drawing import TOO_LITTLE
from handlens.errors import DataDamaged, DataMissing, UsageError
from handlens.prediction import Prediction, Preparation


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, mnist: hl.Dataset) -> hl.Run:
    """A small network that has learned MNIST well enough to be asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(tmp_path_factory.mktemp("runs")))
        return hl.fit("mlp", mnist, examples=20_000, epochs=2, batch_size=128, lr=3e-3, name="reader", quiet=True)


def photograph(mnist: hl.Dataset, place: int) -> bytes:
    """A test image as it could come from a telephone: large, dark on light, off the centre, under a shadow."""
    digit = Image.fromarray(mnist.test.images[place, 0].numpy()).resize((200, 200), Image.Resampling.BICUBIC)
    paper = np.full((400, 500), 225.0)
    paper[60:260, 230:430] -= np.asarray(digit) * 0.7
    paper *= np.linspace(0.7, 1.0, 500)
    file = io.BytesIO()
    Image.fromarray(paper.astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def test_photographs_are_read_as_well_as_the_images_themselves(reader: hl.Run, mnist: hl.Dataset) -> None:
    answers = [reader.predict(photograph(mnist, place)) for place in range(40)]
    labels = mnist.test.labels[:40].tolist()
    assert sum(answer.label == mnist.classes[label] for answer, label in zip(answers, labels, strict=True)) >= 36
    first = answers[0]
    assert first.probability == max(first.probabilities.values())
    assert sum(first.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert first.second[1] == sorted(first.probabilities.values())[-2]
    assert first.image.shape == (1, 28, 28)
    assert first.seen is not None
    assert (first.image[0] == first.seen.image).all()


def test_a_picture_without_ink_gets_no_answer(reader: hl.Run) -> None:
    blank = reader.predict(np.full((80, 80), 250, np.uint8))
    assert (blank.doubt, blank.label, blank.probability, blank.probabilities) == (TOO_LITTLE, "", 0.0, {})
    assert "too little ink" in repr(blank)
    assert blank.show().axes


def test_a_sheet_is_read_row_by_row(reader: hl.Run, mnist: hl.Dataset) -> None:
    sheet = np.full((300, 620), 240, np.uint8)
    for place in range(10):
        top, left = 30 + 140 * (place // 5), 20 + 120 * (place % 5)
        digit = np.asarray(Image.fromarray(mnist.test.images[place, 0].numpy()).resize((90, 90)))
        sheet[top : top + 90, left : left + 90] = 240 - digit.astype(int) * 220 // 255
    found = reader.predict_sheet(sheet)
    said = [answer.label for answer in found]
    assert len(found) == 10
    assert sum(one == mnist.classes[label] for one, label in zip(said, mnist.test.labels[:10].tolist(), strict=True)) >= 8


def test_a_network_of_photographs_gets_the_middle_of_the_picture_in_its_own_size() -> None:
    colours = Preparation((3, 8, 8), ink=False)
    picture = Image.new("RGB", (40, 20), (255, 0, 0))
    ImageDraw.Draw(picture).rectangle((10, 0, 29, 19), fill=(0, 255, 0))
    image, seen = colours.prepare(picture)
    assert seen is None
    assert image.shape == (3, 8, 8)
    assert (image.reshape(3, -1).T[[20, 27, 35]] == [0, 255, 0]).all()
    grey, _ = Preparation((1, 8, 8), ink=False).prepare(picture)
    assert grey.shape == (1, 8, 8)


def test_what_the_data_are_decides_how_a_picture_is_prepared() -> None:
    data = small_data()
    assert hl.fit("mlp", data, hidden_sizes=(4,), epochs=1, quiet=True).predict(np.eye(9)).seen is None
    ink = dataclasses.replace(data, ink=True)
    drawn = hl.fit("mlp", ink, hidden_sizes=(4,), epochs=1, quiet=True).predict([[(1, 1), (1, 30)]])
    assert drawn.seen is not None
    assert drawn.image.shape == (1, 8, 8)


def test_what_is_no_picture_is_said(reader: hl.Run, tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="no picture"):
        reader.predict(tmp_path / "none.png")
    with pytest.raises(DataDamaged, match="no picture that can be read"):
        reader.predict(b"<html>")
    with pytest.raises(UsageError, match="learned from other pictures"):
        hl.fit("mlp", small_data(), hidden_sizes=(4,), epochs=1, quiet=True).predict_sheet(np.eye(9))


def ask(*words: str) -> object:
    """The exit code of `handlens predict`."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["predict", *words])
    return ended.value.code


def test_the_verb_answers_in_the_order_asked_and_goes_on_after_a_file_that_is_none(
    reader: hl.Run, mnist: hl.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.jpg").write_bytes(photograph(mnist, 0))
    (tmp_path / "bad.png").write_text("no picture")
    asked = [str(tmp_path / name) for name in ("bad.png", "one.jpg")]
    code = ask(str(reader.folder), *asked, "--json")
    found = json.loads(capsys.readouterr().out)
    assert code == 3
    assert [one["path"] for one in found] == asked
    assert "no picture" in found[0]["error"]
    assert found[1]["label"] == mnist.classes[int(mnist.test.labels[0])]
    assert ask(str(reader.folder), asked[1], "--show", str(tmp_path / "seen.png")) == 0
    assert "second guess" in capsys.readouterr().out
    with Image.open(tmp_path / "seen.png") as seen:
        assert seen.width > 500


def test_an_answer_in_words_has_a_second_guess_only_where_there_is_another_class() -> None:
    image = np.zeros((1, 8, 8), np.uint8)
    one, two = (Prediction("cat", shares["cat"], shares, "", image) for shares in ({"cat": 1.0}, {"cat": 0.7, "dog": 0.3}))
    assert (repr(one), repr(two)) == ("Prediction(cat, 100.0%)", "Prediction(cat, 70.0%; second guess dog, 30.0%)")
