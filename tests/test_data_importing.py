"""A data set of one's own images: from class folders, packed or not, and from a table of pixels."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import handlens as hl
from handlens import data
from handlens.cli.verbs import run
from handlens.data import cache, decoding, folders, importing, pictures, shares, stored, table
from handlens.errors import DataDamaged, DataError, DataMissing, FileError, HandlensError, UsageError

RANDOM = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "cache"))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def say(said: list[str]) -> Callable[..., None]:
    return lambda sentence, done=None: said.append(sentence) if done is None else None


def picture(colour: tuple[int, int, int] | int, size: tuple[int, int] = (12, 10), kind: str = "PNG", mode: str = "") -> bytes:
    body = io.BytesIO()
    made = Image.new("L" if isinstance(colour, int) else "RGB", size, colour)
    (made.convert(mode) if mode else made).save(body, kind)
    return body.getvalue()


def tree(top: Path, names: dict[str, bytes]) -> Path:
    for name, content in names.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)
    return top


def zipped(path: Path, names: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return path


def flowers(count: int = 20, *, inside: str = "") -> dict[str, bytes]:
    """Twenty red roses and as many yellow tulips, all of slightly different colour."""
    roses = {f"{inside}rose/{number:02}.png": picture((200 + number, 0, 0)) for number in range(count)}
    return roses | {f"{inside}tulip/{number:02}.png": picture((200, 200 + number, 0)) for number in range(count)}


def test_a_folder_of_class_folders_is_split_80_10_10_of_each_class_and_it_is_said(said: list[str], say: Callable[..., None]) -> None:
    found = hl.data.load(tree(Path("flowers"), flowers()), say=say)
    assert repr(found) == "Dataset(flowers: 32 train, 4 val, 4 test; images 3x10x10, 2 classes)"
    assert [split.counts for split in found.splits.values()] == [[16, 16], [2, 2], [2, 2]]
    assert found.classes == ("rose", "tulip")
    assert "80 % of each class are train, 10 % val, 10 % test" in said[0]
    assert said[1] == "Images become 10x10 pixels, colour (as they are)."
    again = hl.load("flowers")
    assert again.fingerprint == found.fingerprint
    reds = {int(image[0, 0, 0]) for split in again.splits.values() for image in split.images}
    assert reds == set(range(200, 220))


def test_the_split_does_not_depend_on_the_name_or_the_place(say: Callable[..., None]) -> None:
    one = hl.load(data.import_images(tree(Path("a"), flowers()), "one", say=say))
    two = hl.load(data.import_images(zipped(Path("b.zip"), flowers(inside="all/flowers/")), "two", say=say))
    for split in one.splits:
        assert one.splits[split].images.equal(two.splits[split].images)


@pytest.mark.parametrize("names", [("train", "val", "test"), ("training", "valid", "testing"), ("Train", "Validation", "Test")])
def test_folders_train_val_test_are_kept_as_they_are(names: tuple[str, str, str], said: list[str], say: Callable[..., None]) -> None:
    train, val, test = names
    parts = flowers(8, inside=f"{train}/") | flowers(3, inside=f"{val}/") | flowers(2, inside=f"{test}/")
    name = data.import_images(tree(Path("ours"), parts), say=say)
    found = hl.load(name)
    assert [len(split) for split in found.splits.values()] == [16, 6, 4]
    assert said[0] == "Split as the folders say: train, val, test."
    assert [len(split) for split in hl.load(name, val=0).splits.values()] == [22, 0, 4]


def test_without_a_test_folder_a_tenth_of_train_becomes_test(said: list[str], say: Callable[..., None]) -> None:
    parts = flowers(inside="train/") | flowers(3, inside="val/")
    found = hl.load(data.import_images(tree(Path("ours"), parts), say=say))
    assert [split.counts for split in found.splits.values()] == [[18, 18], [3, 3], [2, 2]]
    assert "a tenth of each class of train" in said[0]


def test_what_is_outside_class_folders_or_hidden_is_left_out_and_said(said: list[str], say: Callable[..., None]) -> None:
    extra = {"README.txt": b"hello", ".DS_Store": b"x", "rose/.hidden.png": b"x", "__MACOSX/rose/1.png": b"x", "rose/Thumbs.db": b"x"}
    found = hl.load(data.import_images(tree(Path("ours"), flowers() | extra), say=say))
    assert sum(len(split) for split in found.splits.values()) == 40
    assert "1 file outside the class folders left out." in said


def test_unreadable_files_are_left_out_named_and_kept_in_mind(said: list[str], say: Callable[..., None], tmp_path: Path) -> None:
    whole = picture((250, 0, 0), (64, 64), "JPEG")
    broken = {"rose/cut.jpg": whole[: len(whole) // 2], "rose/text.jpg": b"no picture", "tulip/empty.png": b""}
    name = data.import_images(tree(Path("ours"), flowers() | broken), say=say)
    assert sum(len(split) for split in hl.load(name).splits.values()) == 40
    assert any("3 files left out that cannot be read" in sentence for sentence in said)
    about = data.check(name).about  # type: ignore[union-attr]
    assert set(about.unreadable) == set(broken)
    assert run(["data", "check", name, "--plot", str(tmp_path / "x.png")]) == 0


def test_uneven_classes_are_said(said: list[str], say: Callable[..., None]) -> None:
    few = {name: content for name, content in flowers().items() if "rose" in name or name < "tulip/05"}
    data.import_images(tree(Path("ours"), few), say=say)
    assert said[2] == "The classes are uneven: 16 images of 'rose', 3.2 times as many as of 'tulip' (5)."


def test_every_kind_of_picture_becomes_upright_pixels_on_white() -> None:
    assert pictures.decode(picture(7, mode="1"), 4, grey=True).shape == (1, 4, 4)
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "TGA"):
        shown = pictures.decode(picture((200, 100, 50), kind=kind), 6, grey=False)
        assert shown.shape == (3, 6, 6)
        assert np.abs(shown.mean(axis=(1, 2)) - [200, 100, 50]).max() < 4, kind
    body = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(body, "PNG")
    assert (pictures.decode(body.getvalue(), 8, grey=False) == 255).all()
    deep = io.BytesIO()
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(deep, "PNG")
    assert (pictures.decode(deep.getvalue(), 8, grey=True) == 0x80).all()
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    half = np.zeros((8, 8), np.uint8)
    half[:, :4] = 255
    Image.fromarray(half).save(turned, "PNG", exif=exif)
    assert np.array_equal(pictures.decode(turned.getvalue(), 8, grey=True)[0], np.rot90(half, -1))


def test_a_kind_that_starts_another_program_is_not_read() -> None:
    with pytest.raises(pictures.Unreadable, match="no picture of a kind"):
        pictures.decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", 4, grey=True)


def test_a_picture_of_absurd_size_is_refused_from_its_header() -> None:
    header = bytearray(picture(1, (1, 1), "BMP"))
    header[18:26] = (20000).to_bytes(4, "little") + (4000).to_bytes(4, "little")
    with pytest.raises(pictures.Unreadable, match="20,000 x 4,000 pixels"):
        pictures.look(bytes(header))


@pytest.mark.parametrize("size, expected", [(None, 10), (4, 4), (32, 32)])
def test_the_image_size_is_the_median_or_what_is_asked_for(size: int | None, expected: int, say: Callable[..., None]) -> None:
    found = hl.load(data.import_images(tree(Path("ours"), flowers()), image_size=size, say=say))
    assert found.image_shape == (3, expected, expected)


def test_large_images_become_224_and_grey_ones_stay_grey(say: Callable[..., None], said: list[str]) -> None:
    large = {f"{label}/{number}.png": picture(100 + number, (400, 300)) for label in "ab" for number in range(10)}
    assert hl.load(data.import_images(tree(Path("ours"), large), say=say)).image_shape == (1, 224, 224)
    assert "Images become 224x224 pixels, grey (the median of their shorter sides is 300; --image-size changes it)." in said


def test_the_same_source_is_not_read_twice_and_a_changed_one_is(monkeypatch: pytest.MonkeyPatch, say: Callable[..., None]) -> None:
    folder = tree(Path("ours"), flowers())
    data.import_images(folder, say=say)
    first = stored.find("ours")
    with monkeypatch.context() as patch:
        patch.setattr(decoding.Decoding, "plan", lambda *_: pytest.fail("read again"))
        assert data.import_images(folder, say=say) == "ours"
    (folder / "rose" / "00.png").write_bytes(picture((1, 2, 3)))
    data.import_images(folder, say=say)
    assert stored.find("ours") != first
    assert first
    assert not first.exists()


def test_a_folder_that_grew_is_read_again_by_its_name_too_but_not_for_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(Path("ours"), flowers())
    data.import_images(folder, image_size=8)
    before = hl.load("ours")
    (folder / "rose" / "new.png").write_bytes(picture((1, 2, 3)))
    assert data.load_known("ours").fingerprint == before.fingerprint
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with monkeypatch.context() as patch:
        patch.chdir(elsewhere)
        assert hl.load("ours").fingerprint == before.fingerprint
    grown = hl.load("ours")
    assert sum(len(split) for split in grown.splits.values()) == sum(len(split) for split in before.splits.values()) + 1
    assert grown.image_shape == before.image_shape == (3, 8, 8)


def test_a_name_that_is_taken_is_not_taken_again(say: Callable[..., None]) -> None:
    data.import_images(tree(Path("a/ours"), flowers()), say=say)
    with pytest.raises(UsageError, match="There is a data set 'ours' already") as caught:
        data.import_images(tree(Path("b/ours"), flowers()), say=say)
    assert "handlens data rm ours" in caught.value.hint
    with pytest.raises(UsageError, match="of the catalogue"):
        data.import_images(Path("a/ours"), "mnist", say=say)
    for wrong in ("../x", "A", "x/y", ""):
        if wrong:
            with pytest.raises(UsageError, match="cannot be a name"):
                data.import_images(Path("a/ours"), wrong, say=say)
    assert importing.name_for(tree(Path("mnist"), flowers())) == "mnist-images"
    assert run(["data", "rm", "ours"]) == 0
    assert data.import_images(Path("b/ours"), say=say) == "ours"


@pytest.mark.parametrize(
    "names, words",
    [
        ({}, "0 class folders"),
        ({"a.png": b"x"}, "0 class folders"),
        ({"one/a.png": b"x"}, "1 class folder;"),
        ({"one/a.png": b"x", "two/a.png": b"y"}, "None of the files in the class folders is a picture"),
    ],
)
def test_a_folder_that_is_none_of_class_folders_is_said(names: dict[str, bytes], words: str, say: Callable[..., None]) -> None:
    Path("ours").mkdir()
    with pytest.raises(DataError, match=words):
        data.import_images(tree(Path("ours"), names), say=say)
    assert stored.names() == []
    assert not (cache.root() / "ours" / "filling").exists()


def test_what_is_not_there_is_said(say: Callable[..., None]) -> None:
    for source in ("nowhere", "nowhere.zip", "nowhere.csv"):
        with pytest.raises(DataMissing):
            data.import_images(source, say=say)
    Path("some.txt").write_text("hello")
    with pytest.raises(DataDamaged, match="no zip file"):
        data.import_images("some.txt", say=say)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "~nobody/x", "zero\0byte", "zero\0/byte", "x" * 300, "x/" * 2000 + "y", "\udcff", "/dev/null", "a b", "ü"]
)
def test_any_word_after_data_is_answered_in_words(name: str) -> None:
    with pytest.raises(HandlensError) as caught:
        hl.load(name)
    str(caught.value).encode()
    with pytest.raises(HandlensError):
        data.import_images(name, say=lambda *_: None)


def test_class_folders_of_any_name_are_taken(say: Callable[..., None]) -> None:
    for name in ("with space", "new\nline", os.fsdecode(b"not-\xff-utf8"), "日本", "a" * 200):
        tree(Path("ours"), {f"{name}/{number}.png": picture((number, 0, 0)) for number in range(3)} | {f"{name}/bad{name[:9]}.png": b"x"})
    found = hl.load(data.import_images("ours", say=say))
    assert len(found.classes) == 5
    assert "日本" in found.classes
    assert "new\ufffdline" in found.classes
    assert len(data.check("ours").about.unreadable) == 5  # type: ignore[union-attr]


def test_too_much_for_memory_is_refused_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch, say: Callable[..., None]) -> None:
    monkeypatch.setattr(importing, "MOST_BYTES", 10_000)
    with pytest.raises(DataError, match="at most 10 kB are kept") as caught:
        data.import_images(tree(Path("ours"), flowers()), say=say)
    assert "--image-size" in caught.value.hint


def info(name: str, **changes: object) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    for key, value in changes.items():
        setattr(made, key, value)
    return made


@pytest.mark.parametrize(
    "name, changes, words",
    [
        ("../rose/1.png", {}, "leads out of its folder"),
        ("/rose/1.png", {}, "leads out of its folder"),
        ("C:rose/1.png", {}, "leads out of its folder"),
        ("rose/link.png", {"external_attr": 0o120777 << 16}, "is a link"),
    ],
)
def test_a_zip_file_that_means_harm_is_refused_from_its_list(
    name: str, changes: dict[str, object], words: str, say: Callable[..., None]
) -> None:
    path = zipped(Path("ours.zip"), flowers())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info(name, **changes), b"x")
    with pytest.raises(DataDamaged, match=words):
        data.import_images(path, say=say)


def test_a_zip_bomb_is_refused_from_its_list(say: Callable[..., None]) -> None:
    path = zipped(Path("ours.zip"), flowers() | {"rose/bomb.png": bytes(50 << 20)})
    with pytest.raises(DataDamaged, match="would be 52,428,800 bytes when unpacked"):
        data.import_images(path, say=say)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip_file_is_refused(say: Callable[..., None]) -> None:
    path = zipped(Path("ours.zip"), flowers())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("rose/00.png", b"another")
    with pytest.raises(DataDamaged, match="in it twice"):
        data.import_images(path, say=say)


@given(cuts=st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=6)), min_size=1, max_size=4))
def test_fuzz_a_damaged_zip_file_is_a_data_set_or_a_sentence(tmp_path: Path, cuts: list[tuple[int, bytes]]) -> None:
    content = bytearray(zipped(tmp_path / "whole.zip", flowers(3)).read_bytes())
    for at, changed in cuts:
        content[at % len(content) : at % len(content) + len(changed)] = changed
    (tmp_path / "ours.zip").write_bytes(content)
    try:
        with folders.opened(tmp_path / "ours.zip") as found:
            plan = decoding.Decoding.plan(found, folders.arrange(found, "here").pictures, 4, 224, lambda *_: None)
            assert plan.shape[1:] == (4, 4)
    except HandlensError as error:
        assert str(error)  # noqa: PT017


@given(content=st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(b"\x89PNG\r\n\x1a\n".__add__)))
def test_fuzz_any_bytes_are_pixels_or_a_reason(content: bytes) -> None:
    for kind in (content, picture((1, 2, 3))[: len(content)] + content, picture(5, kind="GIF")[:-9] + content):
        try:
            assert pictures.decode(kind, 4, grey=False).shape == (3, 4, 4)
        except pictures.Unreadable as error:
            assert str(error)  # noqa: PT017


def csv(rows: list[list[object]], names: list[str] | None = None) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in ([names] if names else []) + rows)


PIXELS = RANDOM.integers(0, 256, (40, 16)).tolist()
ROWS = [[number % 2 + 3, *row] for number, row in enumerate(PIXELS)]


@pytest.mark.parametrize("names", [None, ["label", *(f"pixel{number}" for number in range(16))]])
def test_kaggles_table_of_pixels_is_read(names: list[str] | None, say: Callable[..., None], said: list[str]) -> None:
    Path("digits.csv").write_text(csv(ROWS, names))
    found = hl.load(data.import_images("digits.csv", say=say))
    assert found.classes == ("3", "4")
    assert [split.counts for split in found.splits.values()] == [[16, 16], [2, 2], [2, 2]]
    rows = {tuple(image.flatten().tolist()) for split in found.splits.values() for image in split.images}
    assert rows == {tuple(row) for row in PIXELS}


def test_the_label_may_stand_last_if_its_column_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(csv([[*row[1:], row[0]] for row in ROWS], [*(f"p{number}" for number in range(16)), "class"]))
    images, labels, classes = table.read_csv(path)
    assert (images[1].ravel() == PIXELS[1]).all()
    assert labels[:2].tolist() == [0, 1]
    assert classes == ("3", "4")


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "are no square image"),
        ("label,a,b\n1,2,3\n", "2 pixels a line are no square image"),
        ("pixel0,pixel1,pixel2,pixel3\n1,2,3,4\n", "No column is called 'label'"),
        ("label,a\n", "There is no image"),
        ("1,2\n1,300\n", "A pixel is 300"),
        ("1,2\n1,-1\n", "A pixel is -1"),
        ("1,2\n1,x\n", "(?s)A pixel is x; each must be a whole number.*line 2"),
        ("1,2\n1,0.5\n", "A pixel is 0.5; each must be a whole number"),
        ("1,2\n1,\n", "A pixel is empty"),
        ("1,2\n1,2,3\n", "This line has 3 columns where 2 are announced"),
        ("1,2\n1,99999999999\n", "A pixel is 99999999999"),
        ("1,2\n,2\n", "(?s)A label must be there.*line 2"),
        ("label,id,pixel0\n1,7,2\n", "(?s)2 pixels a line are no square.*Take the columns out that are no pixels: id"),
    ],
)
def test_a_table_that_cannot_be_is_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        table.read_csv(tmp_path / "x.csv")


def test_labels_are_any_text_and_quotes_are_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text, names in (
        ("cat,1\ndog,2\ncat,3\n", ("cat", "dog", "cat")),
        ('label,pixel0\n"cat, black","1"\n"dog","2"\n"cat, black",3\n', ("cat, black", "dog", "cat, black")),
        ("70000,1\n-5,2\n70000,3\n", ("70000", "-5", "70000")),
        ("10,1\n9,2\n10,3\n", ("10", "9", "10")),
    ):
        path.write_text(text)
        images, labels, classes = table.read_csv(path)
        assert tuple(classes[label] for label in labels) == names
        assert images.ravel().tolist() == [1, 2, 3]
    assert classes == ("9", "10")


def test_blank_lines_are_no_images_and_count_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("label,pixel\n1,2\n" + "\n" * 5000 + "3,4\n")
    assert table.read_csv(path)[0].ravel().tolist() == [2, 4]
    path.write_text("\n\n1,2\n3,4\n")
    assert table.read_csv(path)[0].ravel().tolist() == [2, 4]
    path.write_text("\n \nlabel,pixel\n1,2\n3,x\n")
    with pytest.raises(DataError, match="line 5"):
        table.read_csv(path)
    for wrong in ("3,400", "3,x", "3,4,5"):
        path.write_text("label,pixel\n1,2\n" + "\n" * 10 + f"3,4\n{wrong}\n1,2\n")
        with pytest.raises(DataError, match="line 14"):
            table.read_csv(path)


@given(content=st.one_of(st.binary(max_size=100), st.text("0123456789,.\n-labe\"' ", max_size=100).map(str.encode)))
def test_fuzz_any_bytes_are_a_table_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    try:
        images, labels, classes = table.read_csv(tmp_path / "x.csv")
        assert len(images) == len(labels)
        assert labels.max() < len(classes)
    except HandlensError as error:
        assert str(error)  # noqa: PT017


@given(counts=st.lists(st.integers(1, 60), min_size=2, max_size=6))
def test_fuzz_each_image_is_in_one_part_and_each_class_gives_its_tenth(counts: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = shares.three_ways(labels)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(labels)))
    for name in ("val", "test"):
        assert len(parts[name]) == round(0.1 * len(labels))
        found = np.bincount(labels[parts[name]], minlength=len(counts))
        assert (np.abs(found - np.array(counts) / 10) <= 2).all()


def test_a_changed_file_in_the_cache_is_found(say: Callable[..., None]) -> None:
    folder = stored.find(data.import_images(tree(Path("ours"), flowers()), say=say))
    assert folder
    about = json.loads((folder / stored.ABOUT).read_text())
    for name in about["arrays"]:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(DataDamaged, match=f"{name} must have"):
            data.check("ours")
        (folder / name).write_bytes(content)
    about["classes"] = ["x", "y"]
    (folder / stored.ABOUT).write_text(json.dumps(about))
    with pytest.raises(DataDamaged, match=r"about\.json has changed"):
        hl.load("ours")
    assert run(["data", "ls"]) == 0


def test_it_is_trained_on_from_the_command_line_and_the_run_keeps_the_class_names(capsys: pytest.CaptureFixture[str]) -> None:
    tree(Path("flowers"), flowers())
    assert run(["train", "--data", "flowers/", "--epochs", "2", "--name", "ours", "--hidden-sizes", "8"]) == 0
    found = hl.load_run("ours")
    assert found.config.data == "flowers"
    assert found.about.classes == ("rose", "tulip")
    assert run(["evaluate", "ours", "--json"]) == 0
    assert run(["data", "show", "flowers"]) == 0
    assert run(["data", "path", "flowers"]) == 0
    capsys.readouterr()
    assert run(["data", "ls", "--json"]) == 0
    assert any(one["name"] == "flowers" and one["on_disk"] for one in json.loads(capsys.readouterr().out))


def test_a_folder_without_permission_is_said(monkeypatch: pytest.MonkeyPatch, say: Callable[..., None]) -> None:
    tree(Path("ours"), flowers())

    def refuse(_path: object) -> None:
        raise PermissionError(13, "as for another user, which root never is", "ours")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FileError, match="No permission"):
        data.import_images(Path("ours"), say=say)


SHARED = os.environ.get("HANDLENS_SHARED")


@pytest.mark.skipif(not SHARED, reason="HANDLENS_SHARED: cifar10-jpeg.zip")
def test_cifar_10_as_a_zip_of_jpeg_files_is_imported_and_trained_on(say: Callable[..., None], said: list[str]) -> None:
    name = data.import_images(Path(str(SHARED), "cifar10-jpeg.zip"), say=say)
    found = hl.load(name)
    assert repr(found) == "Dataset(cifar10-jpeg: 45,000 train, 5,000 val, 10,000 test; images 3x32x32, 10 classes)"
    assert found.test.counts == [1000] * 10
    result = hl.fit("softmax", found, epochs=1, quiet=True)
    assert result.evaluate("test").accuracy > 0.25
