"""A run is measured on a folder of pictures: each is prepared as `predict` prepares it, and what cannot be read is said."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import Terminal

import handlens as hl
from handlens.errors import DataError, DataMissing


@pytest.fixture
def run(mnist: hl.Dataset) -> hl.Run:
    return hl.fit("softmax", mnist, examples=500, epochs=2, name="one", quiet=True)


@pytest.fixture
def folder(mnist: hl.Dataset, tmp_path: Path) -> Path:
    """Thirty digits as somebody might have scanned them, dark on light; and one file that is no picture."""
    for place, (image, label) in enumerate(zip(mnist.test.images[:30, 0].numpy(), mnist.test.labels[:30].tolist(), strict=True)):
        path = tmp_path / "mine too" / str(label) / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - np.pad(image, 20)).resize((204, 204)).save(path)
    (tmp_path / "mine too" / "7" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "mine too"


def test_a_folder_is_measured_as_each_of_its_pictures_is_predicted(run: hl.Run, folder: Path) -> None:
    with pytest.warns(UserWarning, match=r"1 of these are left out: 7/broken.png"):
        found = run.evaluate(str(folder))
    pictures = sorted(folder.rglob("[0-9]*.png"), key=lambda path: path.relative_to(folder).as_posix())
    assert found.n == 30
    assert [run.about.classes[place] for place in found.predictions.tolist()] == [run.predict(path).label for path in pictures]
    assert found.accuracy > 0.6
    assert found.split == "mine-too"


def test_what_was_added_to_a_folder_counts(run: hl.Run, folder: Path) -> None:
    (folder / "7" / "broken.png").unlink()
    before = run.evaluate(str(folder)).n
    Image.new("L", (50, 50), 255).save(folder / "7" / "blank.png")
    assert run.evaluate(str(folder)).n == before + 1


def test_a_zip_file_and_the_pictures_for_testing_alone(run: hl.Run, folder: Path, tmp_path: Path) -> None:
    (folder / "7" / "broken.png").unlink()
    names = sorted(path.relative_to(folder) for path in folder.rglob("*.png"))
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as packed:
        for place, name in enumerate(names):
            packed.write(folder / name, Path("test" if place % 3 == 0 else "train", name).as_posix())
    assert run.evaluate(str(tmp_path / "scans.zip")).n == len(names[::3])


def test_a_folder_called_test_is_not_the_test_images(run: hl.Run, folder: Path) -> None:
    folder.rename("test")
    assert run.evaluate("test").n == 10_000
    Path("test").rename("scans")
    with pytest.warns(UserWarning, match="left out"):
        assert run.evaluate("scans").n == 30


def test_folders_that_cannot_be_measured_on_are_refused_in_words(run: hl.Run, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        run.evaluate("./nowhere")
    (folder / "zebra").mkdir()
    (folder / "zebra" / "1.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"a folder 'zebra', and the network knows no such class"):
        run.evaluate(str(folder))
    for name in ("1", "2"):
        (tmp_path / "none" / name).mkdir(parents=True)
        (tmp_path / "none" / name / "a.png").write_bytes(b"no")
    with pytest.warns(UserWarning, match="2 of these are left out"), pytest.raises(DataError, match="None of the files"):
        run.evaluate(str(tmp_path / "none"))


@pytest.mark.filterwarnings("always")
def test_the_verbs_take_a_folder_and_say_what_is_left_out(run: hl.Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(capsys)
    assert run.name == "one"
    assert terminal.json("evaluate", "one", "--on", str(folder))["n"] == 30  # type: ignore[index]
    assert "Note: 1 of these are left out: 7/broken.png (" in terminal.err
    assert ".py:" not in terminal.err
    assert "strokes" in terminal("errors", "one", "--on", str(folder), "--json")
    assert "mine-too" not in [one.name for one in hl.data.status()]
