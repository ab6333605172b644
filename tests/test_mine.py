"""Own digits: kept with the right label or refused in words, a data set like any other, and none is both learned from and tested on."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from terminal import Terminal

import handlens as hl
from handlens import data
from handlens.cli.terminal import show_classes
from handlens.data import drawing, stored, table
from handlens.data.formats import read_idx
from handlens.data.mine.names import label_of
from handlens.data.mine.restoring import take_out
from handlens.errors import DataDamaged, DataError, DataMissing, UsageError

Pixels = NDArray[np.uint8]
QUICK = {"examples": 300, "epochs": 1, "batch_size": 50, "quiet": True}


@pytest.fixture(autouse=True)
def own_data(mnist: hl.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, in which MNIST is."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "mnist").symlink_to(Path(os.environ["HANDLENS_DATA"], "mnist"))
    monkeypatch.setenv("HANDLENS_DATA", str(folder))
    return folder


@pytest.fixture
def written(mnist: hl.Dataset) -> list[tuple[Pixels, int]]:
    """Forty digits as somebody drew them: dark on light, 112 x 112; four of each."""
    labels = mnist.test.labels.numpy()
    places = [place for label in range(10) for place in np.flatnonzero(labels == label)[:4]]
    return [(drawn_of(mnist.test.images[place, 0].numpy()), int(labels[place])) for place in places]


def drawn_of(image: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(255 - image).resize((112, 112), Image.Resampling.BICUBIC))


def size_of(path: str | Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def keep(written: list[tuple[Pixels, int]]) -> None:
    for pixels, label in written:
        hl.mine.add(pixels, label)


def save(pixels: Pixels, path: str) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return Path(path)


@pytest.mark.parametrize(
    "path, label, how",
    [
        ("7/a.png", 7, "folder"),
        ("seven/a.png", 7, "folder"),
        ("digit_7/a.png", 7, "folder"),
        ("7/more/3.png", 7, "folder"),
        ("7.png", 7, "name"),
        ("x/7_a.png", 7, "name"),
        ("x/a-7.png", 7, "name"),
        ("x/a (7).jpg", 7, "name"),
        ("x/Seven2.png", None, "neither"),
        ("x/digit7.png", 7, "name"),
        ("x/7_3.png", 7, "name"),
        ("x/7_10.png", 7, "name"),
        ("12/a.png", None, "12 is no digit"),
        ("x/12.png", None, "12 is no digit"),
        ("x/photo 3.jpg", None, "only count"),
        ("x/IMG_7.jpg", None, "only count"),
        ("x/a.png", None, "neither"),
        ("x/-.png", None, "neither"),
    ],
)
def test_the_label_is_found_in_the_name_of_the_folder_or_of_the_file_and_never_guessed(path: str, label: int | None, how: str) -> None:
    found = label_of(PurePosixPath(path))
    assert found.label == label
    assert how in found.how


def test_a_digit_is_kept_as_a_picture_and_a_line_that_people_can_read(written: list[tuple[Pixels, int]], own_data: Path) -> None:
    digit = hl.mine.add(written[0][0], 0, source="my first")
    with Image.open(own_data / "mine" / "pictures" / f"{digit.id}.png") as image:
        assert np.array_equal(np.asarray(image), written[0][0])
    with (own_data / "mine" / "digits.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{name: str(value) for name, value in digit.to_dict().items()}]
    assert (digit.label, digit.how, digit.source) == (0, "given", "my first")
    assert hl.mine.digits() == [digit]


def test_strokes_are_kept_as_such_and_seen_as_they_were_drawn(own_data: Path) -> None:
    strokes = [[(20, 20), (80, 20), (45, 95)]]
    digit = hl.mine.add(strokes, "7")
    assert json.loads((own_data / "mine" / "pictures" / f"{digit.id}.json").read_text()) == [[[20, 20], [80, 20], [45, 95]]]
    assert np.array_equal(hl.load("mine", val=0).train.images[0, 0].numpy(), drawing.normalize(strokes).image)


def test_a_digit_whose_strokes_are_damaged_can_be_deleted(own_data: Path) -> None:
    digit = hl.mine.add([[(20, 20), (80, 20), (45, 95)]], "7")
    (own_data / "mine" / "pictures" / f"{digit.id}.json").write_bytes(b"\xff\xfe\x00")
    assert take_out(digit.id).digit == digit
    assert hl.mine.digits() == []


def test_the_same_picture_is_noticed_under_any_name_and_format(written: list[tuple[Pixels, int]]) -> None:
    first = hl.mine.add(save(written[30][0], "7_a.png"), 7)
    assert hl.mine.add(save(written[30][0], "b/7_b.bmp"), 7) == first
    with pytest.raises(UsageError, match=f"there as a 7; if it is a 1: handlens mine label {first.id} 1"):
        hl.mine.add(written[30][0], 1)
    assert hl.mine.digits() == [first]


def test_what_cannot_be_judged_is_refused_in_words_unless_the_user_insists(written: list[tuple[Pixels, int]]) -> None:
    with pytest.raises(DataError, match="Too little ink"):
        hl.mine.add(np.full((100, 100), 250, np.uint8), 7)
    two = np.hstack([written[4][0], written[8][0]])
    with pytest.raises(DataError, match=r"More than one digit\?"):
        hl.mine.add(two, 1)
    with pytest.raises(UsageError, match="'12' is no digit"):
        hl.mine.add(written[0][0], 12)
    with pytest.raises(DataMissing, match="no picture"):
        hl.mine.add("nowhere.png", 7)
    assert hl.mine.digits() == []
    assert hl.mine.add(two, 1, anyway=True).label == 1


def test_every_third_of_each_digit_is_for_the_test_for_good(written: list[tuple[Pixels, int]]) -> None:
    keep(written)
    before = {digit.id: digit.part for digit in hl.mine.digits()}
    assert list(before.values()) == ["train", "test", "train", "train"] * 10
    for digit in hl.mine.digits()[::5]:
        hl.mine.relabel(digit.id[:9], (digit.label + 1) % 10)
    hl.mine.remove(hl.mine.digits()[0].id)
    keep([(255 - pixels, label) for pixels, label in written])
    after = {digit.id: digit.part for digit in hl.mine.digits()}
    assert all(after[one] == before[one] for one in before if one in after)
    assert list(after.values()).count("test") in range(22, 29)


def test_labels_are_mended_and_digits_forgotten_by_the_beginning_of_their_id(written: list[tuple[Pixels, int]], own_data: Path) -> None:
    keep(written[:2])
    first, second = hl.mine.digits()
    assert hl.mine.relabel(first.id[:8], 6).label == 6
    assert [(digit.label, digit.how) for digit in hl.mine.digits()] == [(6, "mended"), (0, "given")]
    hl.mine.remove(second.id[:8])
    assert [digit.id for digit in hl.mine.digits()] == [first.id]
    assert [path.stem for path in (own_data / "mine" / "pictures").iterdir()] == [first.id]
    for wrong, why in (("zzz", "None of your digits is"), ("", "None of your digits is")):
        with pytest.raises(UsageError, match=why):
            hl.mine.remove(wrong)
    letter = first.id[0]
    more = [hl.mine.add(pixels, label) for pixels, label in written[2:]]
    several = sum(digit.id.startswith(letter) for digit in [first, *more])
    with pytest.raises(UsageError, match="begin with" if several > 1 else "no digit"):
        hl.mine.relabel(letter, 7 if several > 1 else "x")


def test_mine_is_a_data_set_of_what_predict_would_see(written: list[tuple[Pixels, int]]) -> None:
    keep(written)
    found = hl.load("mine", val=0)
    assert (len(found.train), len(found.test), found.classes, found.ink) == (30, 10, tuple("0123456789"), True)
    parts = {"train": [0, 2, 3], "test": [1]}
    for name, places in parts.items():
        split = found.splits[name]
        wanted = [drawing.normalize(written[4 * label + place][0]).image for label in range(10) for place in places]
        assert np.array_equal(split.images[:, 0].numpy(), np.stack(wanted))
        assert split.labels.tolist() == [label for label in range(10) for _ in places]
    assert "40 digits of your own" in next(one.description for one in data.status() if one.name == "mine")


def test_the_data_set_is_made_again_when_the_digits_have_changed_and_only_then(written: list[tuple[Pixels, int]], own_data: Path) -> None:
    keep(written[:6])
    hl.load("mine")
    first = stored.find("mine")
    hl.load("mine")
    assert stored.find("mine") == first
    hl.mine.relabel(hl.mine.digits()[0].id, 9)
    assert 9 in hl.load("mine", val=0).train.labels.tolist()
    assert stored.find("mine") != first
    (own_data / "mine" / "lock").unlink()
    (own_data / "mine" / "lock").mkdir()  # the arrays cannot be written any more
    hl.mine.relabel(hl.mine.digits()[0].id, 8)
    assert 8 in hl.load("mine", val=0).train.labels.tolist()


def test_no_digits_yet_says_what_to_do(terminal: Terminal) -> None:
    with pytest.raises(DataMissing, match=r"no digits of your own yet(.|\n)*handlens mine template"):
        hl.load("mine")
    for words in (("mine", "ls"), ("mine", "show"), ("mine", "export", "out"), ("train", "--with", "mine"), ("data", "show", "mine")):
        terminal(*words, code=3)
        assert "handlens mine add" in terminal.err
    assert terminal.json("mine", "ls") == []
    assert "mine" not in terminal("data", "ls")


def test_damage_is_told_with_the_line_or_the_digit_and_mended_by_adding_again(written: list[tuple[Pixels, int]], own_data: Path) -> None:
    keep(written[:3])
    digit = hl.mine.digits()[1]
    picture = own_data / "mine" / "pictures" / f"{digit.id}.png"
    save(written[9][0], str(picture))
    with pytest.raises(DataDamaged, match=f"{digit.id}, a 0, is damaged. It is another picture now(.|\n)*handlens mine rm {digit.id}"):
        hl.load("mine")
    picture.unlink()
    with pytest.raises(DataDamaged, match="There is no picture"):
        hl.load("mine")
    assert hl.mine.add(written[1][0], 0) == digit
    assert len(hl.load("mine", val=0).train) == 2
    path = own_data / "mine" / "digits.csv"
    lines = path.read_text().splitlines()
    for wrong in (lines[2].replace(",0,", ",12,"), lines[2].replace(digit.id, "../../x"), "x", lines[2] + ",more"):
        path.write_text("\n".join([*lines[:2], wrong]))
        with pytest.raises(DataDamaged, match="line 3 is no digit"):
            hl.mine.digits()
    for content in (b"\xff\xfe", b"a,b\n", b""):
        path.write_bytes(content)
        with pytest.raises(DataDamaged, match="damaged"):
            hl.mine.digits()


def many(folder: str, written: list[tuple[Pixels, int]]) -> Path:
    """A folder as people have them: class folders, names, and much that does not belong there."""
    for number, (pixels, label) in enumerate(written[:20]):
        save(pixels, f"{folder}/{label}/{number}.png")
    for number, (pixels, label) in enumerate(written[20:30]):
        save(pixels, f"{folder}/{label}_{'abcdefghij'[number]}.bmp")
    save(written[30][0], f"{folder}/who-knows.png")
    save(np.full((90, 90), 255, np.uint8), f"{folder}/3/blank.png")
    save(np.hstack([written[4][0], written[8][0]]), f"{folder}/1/two.png")
    (Path(folder) / "7.png").write_text("this is text")
    (Path(folder) / "5.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    (Path(folder) / "Thumbs.db").write_text("x")
    return Path(folder)


def test_of_a_folder_all_that_can_be_kept_is_and_the_rest_is_told_with_its_name(
    written: list[tuple[Pixels, int]], terminal: Terminal
) -> None:
    folder = many("digits", written)
    lines = [line.split("\t") for line in terminal("mine", "add", folder).splitlines()[1:]]
    assert [(name, why.split(":")[-1].split(";")[0].strip()) for name, why in lines] == [
        ("1/two.png", "more than one digit?"),
        ("3/blank.png", "too little ink to judge"),
        ("5.heic", "it is a HEIC photo, as iPhones take them"),
        ("7.png", "it is no picture of a kind that is read here"),
        ("who-knows.png", "neither its name nor its folder's says which digit it is"),
    ]
    assert "Kept 30 digits: 0: 4, 1: 4, 2: 4, 3: 4, 4: 4, 5: 4, 6: 4, 7: 2." in terminal.err
    assert "the folder's name (20), the file's name (10)" in terminal.err
    assert "--label 7" in terminal.err
    assert "--anyway" in terminal.err
    terminal("mine", "add", folder / "1" / "two.png", "--anyway")
    terminal("mine", "add", folder / "who-knows.png", "--label", "7")
    again = terminal.json("mine", "add", str(folder))
    assert [one["name"] for one in again if one["kept"]] == []  # type: ignore[attr-defined]
    assert sum(one["said"] == "there already" for one in again) == 30  # type: ignore[attr-defined]
    rows = [line.split("\t") for line in terminal("mine", "ls").splitlines()]
    assert rows[-1][:2] == ["all", "32"]
    assert len(terminal("mine", "ls", "--all").splitlines()) == 33


def test_a_zip_file_is_a_folder(written: list[tuple[Pixels, int]], terminal: Terminal) -> None:
    folder = many("digits", written)
    with zipfile.ZipFile("digits.zip", "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path)
    terminal("mine", "add", "digits.zip")
    assert len(hl.mine.digits()) == 30


def test_bad_input_of_the_verbs_gets_a_sentence_and_an_exit_code(written: list[tuple[Pixels, int]], terminal: Terminal) -> None:
    Path("empty").mkdir()
    picture = save(written[0][0], "a.png")
    for code, words in (
        (3, ("add", "empty")),
        (3, ("add", "nowhere")),
        (3, ("add", "a.png")),
        (2, ("add", picture, "--label", "12")),
        (2, ("add",)),
        (3, ("sheet", "nowhere.jpg")),
        (3, ("sheet", picture)),
        (2, ("template", "sheet.doc")),
        (2, ("rm", "abc")),
        (2, ("label", "abc", "7")),
        (2, ("export", "out", "--format", "tiff")),
        (2, ("compare", "a", "b", "c")),
    ):
        terminal("mine", *words, code=code)
    terminal("data", "rm", "mine", code=2)
    terminal("data", "import", "empty", "--name", "mine", code=2)
    os.environ["HANDLENS_DATA"] = str(picture)  # a file where the folder should be
    terminal("mine", "add", picture, "--label", "0", code=5)
    assert "HANDLENS_DATA" in terminal.err


def test_digits_are_shown_mended_and_forgotten_by_the_verbs(written: list[tuple[Pixels, int]], terminal: Terminal, tmp_path: Path) -> None:
    keep(written)
    terminal("mine", "show")
    assert size_of("mine.png")[0] > 500
    terminal("mine", "show", "--label", "7", "--save", "seven.png")
    assert size_of("seven.png")[1] < size_of("mine.png")[1]
    first, second, *_ = hl.mine.digits()
    assert terminal("mine", "label", first.id, "6") == f"{first.id} is a 6 now.\n"
    assert f"Forgot {second.id}, a 0" in terminal("mine", "rm", second.id)
    assert len(hl.mine.digits()) == 39


@pytest.mark.parametrize("kind", ["png", "zip", "csv", "idx"])
def test_what_is_exported_is_read_by_others(kind: str, written: list[tuple[Pixels, int]]) -> None:
    keep(written)
    mine = hl.load("mine", val=0)
    everything = mine.train.joined(mine.test)
    images: Any
    labels: Any
    target = hl.mine.export({"zip": "out.zip", "csv": "out.csv"}.get(kind, "out"), kind if kind == "idx" else None)
    if kind == "idx":
        parts = [[read_idx(target / f"{part}-{what}-ubyte") for part in ("train", "t10k")] for what in ("images-idx3", "labels-idx1")]
        images, labels = (np.concatenate(some) for some in parts)
    elif kind == "csv":
        images, labels = (array for array in table.read_csv(target)[:2])
    else:
        found = hl.load(data.import_images(target, "again", say=lambda *_: None), val=0)
        both = found.train.joined(found.test)
        images, labels = both.images.numpy(), both.labels.numpy()

    def bag(some: Pixels, names: NDArray[Any]) -> list[bytes]:
        return sorted(bytes([int(name)]) + image.tobytes() for image, name in zip(some, names, strict=True))

    assert bag(images, labels) == bag(everything.images.numpy(), everything.labels.numpy())
    with pytest.raises(UsageError, match="there already"):
        hl.mine.export(target, kind)


def test_pictures_as_drawn_go_to_another_machine_and_are_the_same_digits(
    written: list[tuple[Pixels, int]], terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keep(written)
    here = {digit.id: digit.label for digit in hl.mine.digits()}
    terminal("mine", "export", "all.zip", "--drawn")
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "other"))
    terminal("mine", "add", "all.zip")
    assert {digit.id: digit.label for digit in hl.mine.digits()} == here
    with pytest.raises(UsageError, match="no csv form"):
        hl.mine.export("x.csv", drawn=True)


def test_a_run_is_measured_on_no_digit_that_it_or_the_run_before_it_has_learned(written: list[tuple[Pixels, int]]) -> None:
    keep(written)
    before = hl.fit("softmax", name="before", **QUICK)  # type: ignore[arg-type]
    learned = hl.fit("softmax", name="learned", with_data="mine", **QUICK)  # type: ignore[arg-type]
    later = hl.fit(init_from="learned", name="later", **QUICK)  # type: ignore[arg-type]
    alone = hl.fit("softmax", "mine", name="alone", epochs=1, quiet=True)
    again = hl.resume("later", quiet=True)
    assert [hl.load_run(run.folder).evaluate("mine").n for run in (before, learned, later, alone, again)] == [40, 10, 10, 10, 10]
    apart = {image.tobytes() for image in hl.load("mine").test.images.numpy()}
    assert {image.tobytes() for image in learned.evaluate("mine").images} == apart
    assert not apart & {image.tobytes() for image in learned.split("train").images.numpy()}
    hl.mine.remove(hl.mine.digits()[0].id)
    assert before.split("mine").counts[0] == 3


def test_own_digits_are_no_test_of_what_tells_other_things_apart(written: list[tuple[Pixels, int]]) -> None:
    keep(written)
    images = torch.zeros((20, 1, 28, 28), dtype=torch.uint8)
    run = hl.fit("softmax", (images, torch.arange(20) % 2), epochs=1, quiet=True)
    with pytest.raises(UsageError, match="another task"):
        run.evaluate("mine")


def test_digits_that_are_added_are_repeated_to_count_and_stay_whole_beside_few_others(
    mnist: hl.Dataset, written: list[tuple[Pixels, int]]
) -> None:
    keep(written)
    both = data.with_added(mnist, "mine")
    assert (len(both.train), both.added, len(both.val), len(both.test)) == (54_030, 30, 6_000, 10_000)
    assert len(both.epoch) == 54_000 + 30 * 100  # repeated a hundred times at most
    few = both.few(300)
    assert (len(few.train), few.added, len(few.epoch)) == (330, 30, 330 + 30)
    assert len(both.few(90).epoch) == 120
    assert torch.equal(few.train.images[-30:], hl.load("mine", val=0).train.images)
    assert few.few(300) is few
    mine = hl.load("mine", val=0).train
    others = mnist.with_images(hl.Split(255 - mine.images, mine.labels, mine.classes))
    assert len({both.fingerprint, mnist.fingerprint, others.fingerprint}) == 3
    assert data.with_added(both, "mine") is both
    with pytest.raises(UsageError, match="to itself"):
        data.with_added(mnist, "mnist")
    with pytest.raises(
        DataError, match=r"Grey images of 8 by 8 pixels of the classes 0, 1.* cannot be added to mnist: it has grey images of 28 by 28"
    ):
        mnist.with_images(hl.Split(torch.zeros((2, 1, 8, 8), dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), mnist.classes))


def test_a_training_with_own_digits_is_repeated_and_gone_on_with_until_they_change(
    written: list[tuple[Pixels, int]], terminal: Terminal
) -> None:
    keep(written)
    terminal("train", "softmax", "--with", "mine", "--examples", "300", "--epochs", "2", "--name", "one")
    assert "300 of 54,000 images to learn from and 30 of mine (each 2 times an epoch" in terminal.err
    run = hl.load_run("one")
    assert run.config.with_data == "mine"
    terminal("runs", "repeat", "one", "--name", "two")
    assert hl.load_run("two").checkpoint["sha256"] == run.checkpoint["sha256"]
    half = hl.fit("softmax", with_data="mine", examples=300, epochs=1, name="half", quiet=True)
    assert hl.resume("half", quiet=True).checkpoint["sha256"] == half.checkpoint["sha256"]
    hl.mine.relabel(hl.mine.digits()[2].id, 5)
    terminal("evaluate", "one")
    assert "changed since run one" in terminal.err
    terminal("runs", "repeat", "one", code=2)
    assert "cannot be repeated" in terminal.err
    with pytest.raises(UsageError, match="other images"):
        hl.resume("one", quiet=True)


def test_before_and_after_are_compared_on_the_same_digits_and_said_with_their_luck(
    written: list[tuple[Pixels, int]], terminal: Terminal
) -> None:
    keep(written)
    before = hl.fit("softmax", name="before", **QUICK)  # type: ignore[arg-type]
    alone = hl.analysis.own_hand(before)
    assert (alone.mine[0].n, alone.apart, alone.change) == (40, False, None)
    after = hl.fit(init_from="before", with_data="mine", name="after", **QUICK)  # type: ignore[arg-type]
    found = hl.analysis.own_hand("before", "after")
    assert found.apart
    assert [one.n for one in found.mine] == [10, 10]
    assert np.array_equal(found.mine[0].images, found.mine[1].images)
    assert [test.accuracy for test in found.tests] == [before.evaluate("test").accuracy, after.evaluate("test").accuracy]
    said = " ".join(found.sentences)
    low, high = found.mine[0].interval
    assert f"before reads {found.mine[0].accuracy:.1%} of them ({low:.1%} to {high:.1%})" in said
    assert "McNemar" in said
    assert "So few say little" in said
    table_ = [line.split("\t") for line in terminal("mine", "compare", "before", "after").splitlines()]
    assert [len(row) for row in table_] == [6] * 12
    assert table_[-1][:2] == ["all", "10"]
    assert size_of("mine-compare.png")[0] > 1000
    shown = terminal.json("mine", "compare", "before")
    assert shown["runs"][0]["mine"]["n"] == 40  # type: ignore[index]
    assert "nothing" not in terminal("errors", "before", "--on", "mine", "--top", "3")
    terminal("evaluate", "after", "--on", "mine")
    assert "10 of mine, those that were kept apart" in terminal.out


def test_with_one_digit_everything_answers(written: list[tuple[Pixels, int]], terminal: Terminal) -> None:
    keep(written[:1])
    hl.fit("softmax", name="one", **QUICK)  # type: ignore[arg-type]
    for words in (("evaluate", "one"), ("errors", "one"), ("explain", "one")):
        terminal(*words, "--on", "mine")
    terminal("mine", "compare", "one")
    terminal("mine", "show")
    show_classes(hl.load_run("one").evaluate("mine"))
    assert terminal.capsys.readouterr().out.splitlines()[2] == "1\t\t\t\t0"  # no image, no verdict
    hl.fit("softmax", name="with", with_data="mine", **QUICK)  # type: ignore[arg-type]
    terminal("evaluate", "with", "--on", "mine", code=2)
    assert "None of your digits is kept apart" in terminal.err


def test_any_bytes_as_a_table_give_digits_or_an_error(own_data: Path) -> None:
    (own_data / "mine").mkdir()
    header = ",".join(hl.mine.Digit.__dataclass_fields__)
    random = np.random.default_rng(0)
    for number in range(60):
        tail = random.integers(0, 256, int(random.integers(0, 40)), np.uint8).tobytes()
        (own_data / "mine" / "digits.csv").write_bytes((header.encode() + b"\n" if number % 2 else b"") + tail)
        with pytest.raises(DataDamaged, match="damaged") if tail or number % 2 == 0 else contextlib.nullcontext():
            hl.mine.digits()


def test_a_large_photo_is_kept_small(own_data: Path) -> None:
    image = Image.new("L", (4000, 3000), 235)
    image.paste(Image.fromarray(np.full((900, 120), 30, np.uint8)), (1900, 1000))
    target = io.BytesIO()
    image.save(target, "JPEG")
    digit = hl.mine.add(target.getvalue(), 1)
    assert max(size_of(own_data / "mine" / "pictures" / f"{digit.id}.png")) < 1000
