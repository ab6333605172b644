"""Each published format is read as its authors describe it, from small files made here in that format."""

from __future__ import annotations

import bz2
import functools
import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import scipy.io
import torch
from hypothesis import given
from hypothesis import strategies as st
from mirror import Mirror
from numpy.typing import NDArray

from handlens import data
from handlens.data import archives, cache, formats, originals, readers, sources, stored
from handlens.data.catalog import DATASETS
from handlens.data.entry import Archive, Original
from handlens.data.offline import offline
from handlens.errors import DataDamaged, DataMissing, HandlensError, UsageError

RANDOM = np.random.default_rng(5)
TRAIN, TEST = 12, 6


def pixels(*shape: int) -> NDArray[np.uint8]:
    return RANDOM.integers(0, 256, shape, np.uint8)


gz = functools.partial(gzip.compress, mtime=0)


def idx(array: NDArray[np.uint8]) -> bytes:
    return formats.idx_header(array.shape) + array.tobytes()


IMAGES = {"train": pixels(TRAIN, 28, 28), "test": pixels(TEST, 28, 28)}
LABELS = {split: np.arange(len(images), dtype=np.uint8) % 10 for split, images in IMAGES.items()}


@functools.cache
def kmnist() -> dict[str, bytes]:
    files = {"train": "train", "test": "t10k"}
    images = {f"{files[split]}-images-idx3-ubyte.gz": gz(idx(IMAGES[split])) for split in files}
    return images | {f"{files[split]}-labels-idx1-ubyte.gz": gz(idx(LABELS[split])) for split in files}


def qmnist_table(split: str) -> bytes:
    table = np.zeros((len(LABELS[split]), 8), ">i4")
    table[:, 0], table[:, 1], table[:, 2] = LABELS[split], 4, 1000 + np.arange(len(table))
    return b"\0\0\x0c\x02" + len(table).to_bytes(4, "big") + (8).to_bytes(4, "big") + table.tobytes()


@functools.cache
def qmnist() -> dict[str, bytes]:
    images = {f"qmnist-{split}-images-idx3-ubyte.gz": gz(idx(IMAGES[split])) for split in IMAGES}
    return images | {f"qmnist-{split}-labels-idx2-int.gz": gz(qmnist_table(split)) for split in IMAGES}


@functools.cache
def emnist(part: str = "letters", first: int = 1) -> dict[str, bytes]:
    body, classes = io.BytesIO(), archives.ARCHIVES[f"emnist-{part}"].classes
    with zipfile.ZipFile(body, "w") as archive:
        rows = [f"{first + place} {ord(name)}\n" for place, name in enumerate(classes)]
        archive.writestr(f"gzip/emnist-{part}-mapping.txt", "".join(rows))
        for split in IMAGES:
            turned = IMAGES[split].transpose(0, 2, 1)
            archive.writestr(f"gzip/emnist-{part}-{split}-images-idx3-ubyte.gz", gz(idx(turned)))
            archive.writestr(f"gzip/emnist-{part}-{split}-labels-idx1-ubyte.gz", gz(idx(LABELS[split] + np.uint8(first))))
    return {"gzip.zip": body.getvalue()}


COLOUR = {"train": pixels(TRAIN - 2, 3, 32, 32), "test": pixels(TEST, 3, 32, 32)}
COLOUR_LABELS = {split: np.arange(len(images), dtype=np.uint8) % 10 for split, images in COLOUR.items()}


def records(split: str, part: slice, *, coarse: bool) -> bytes:
    columns = [COLOUR_LABELS[split][part, None], COLOUR[split][part].reshape(len(COLOUR[split][part]), -1)]
    if coarse:
        columns.insert(0, np.full((len(columns[0]), 1), 19, np.uint8))
    return np.concatenate(columns, axis=1).astype(np.uint8).tobytes()


def tar(members: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return body.getvalue()


@functools.cache
def cifar_10() -> dict[str, bytes]:
    batches = {f"data_batch_{number + 1}.bin": records("train", slice(2 * number, 2 * number + 2), coarse=False) for number in range(5)}
    batches |= {"test_batch.bin": records("test", slice(None), coarse=False), "readme.html": b"hello"}
    return {"cifar-10-binary.tar.gz": tar({f"cifar-10-batches-bin/{name}": content for name, content in batches.items()})}


@functools.cache
def cifar_100() -> dict[str, bytes]:
    batches = {f"cifar-100-binary/{split}.bin": records(split, slice(None), coarse=True) for split in COLOUR}
    return {"cifar-100-binary.tar.gz": tar(batches)}


@functools.cache
def svhn() -> dict[str, bytes]:
    found = {}
    for split, images in COLOUR.items():
        body = io.BytesIO()
        labels = np.where(COLOUR_LABELS[split] == 0, 10, COLOUR_LABELS[split])[:, None]
        scipy.io.savemat(cast("str", body), {"X": images.transpose(2, 3, 1, 0), "y": labels}, do_compression=True)
        found[f"{split}_32x32.mat"] = body.getvalue()
    return found


@functools.cache
def usps() -> dict[str, bytes]:
    lines: dict[str, bytes] = {}
    for name, split in (("usps.bz2", "train"), ("usps.t.bz2", "test")):
        rows = [image[:16, :16].ravel() / 127.5 - 1 for image in IMAGES[split]]
        pairs = [" ".join(f"{place}:{value:.6g}" for place, value in enumerate(row, 1)) for row in rows]
        text = "".join(f"{label + 1} {row}\n" for label, row in zip(LABELS[split], pairs, strict=True))
        lines[name] = bz2.compress(text.encode())
    return lines


def npy(array: NDArray[np.generic]) -> bytes:
    body = io.BytesIO()
    np.save(body, array)
    return body.getvalue()


@functools.cache
def mnist_c() -> dict[str, bytes]:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mnist_c/fog/test_images.npy", npy(IMAGES["test"][..., None]))
        archive.writestr("mnist_c/fog/test_labels.npy", npy(LABELS["test"].astype(np.int64)))
    return {"mnist_c.zip": body.getvalue()}


GREY = (IMAGES, LABELS)
MADE: dict[str, tuple[Callable[[], dict[str, bytes]], tuple[dict[str, NDArray[np.uint8]], dict[str, NDArray[np.uint8]]]]] = {
    "kmnist": (kmnist, GREY),
    "qmnist": (qmnist, GREY),
    "emnist-letters": (emnist, GREY),
    "emnist-balanced": (lambda: emnist("balanced", 0), GREY),
    "emnist-byclass": (lambda: emnist("byclass", 0), GREY),
    "cifar-10": (cifar_10, (COLOUR, COLOUR_LABELS)),
    "cifar-100": (cifar_100, (COLOUR, COLOUR_LABELS)),
    "svhn": (svhn, (COLOUR, COLOUR_LABELS)),
    "usps": (usps, ({split: images[:, :16, :16] for split, images in IMAGES.items()}, LABELS)),
    "mnist-c-fog": (mnist_c, GREY),
}


def small(name: str, files: dict[str, bytes]) -> Archive:
    """The catalogue's entry, of these files instead of the published ones."""
    entry = archives.ARCHIVES[name]
    made = [Original(one.name, len(files[one.name]), hashlib.sha256(files[one.name]).hexdigest()) for one in entry.originals]
    train = 0 if entry.counts[0] == 0 else len(MADE[name][1][0]["train"])
    return replace(entry, originals=tuple(made), counts=(train, TEST))


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HANDLENS_MIRRORS", "")
    monkeypatch.delenv("HANDLENS_SHARED", raising=False)
    return tmp_path


def install(monkeypatch: pytest.MonkeyPatch, name: str) -> dict[str, bytes]:
    """Put a small data set of that name into the catalogue, and nothing else that is read from published files."""
    files = MADE[name][0]()
    for other, entry in list(DATASETS.items()):
        if isinstance(entry, Archive):
            monkeypatch.delitem(DATASETS, other)
    monkeypatch.setitem(DATASETS, name, small(name, files))
    return files


def quiet(sentence: str, done: float | None = None) -> None:
    """Say nothing."""


@pytest.mark.parametrize("name", MADE)
def test_a_published_format_is_read_from_a_folder_into_upright_images_and_labels_from_zero(
    monkeypatch: pytest.MonkeyPatch, empty: Path, name: str
) -> None:
    (entry, files), (images, labels) = (DATASETS[name], MADE[name][0]()), MADE[name][1]
    monkeypatch.setitem(DATASETS, name, small(name, files))
    (empty / "mine").mkdir()
    for file, content in files.items():
        (empty / "mine" / file).write_bytes(content)
    found = data.load(name, folder="mine", val=0, say=quiet)
    for split in ("train", "test") if entry.description and len(found.train) else ("test",):
        shown = found.splits[split].images.numpy()
        assert np.array_equal(shown.reshape(images[split].shape), images[split])
        assert found.splits[split].labels.tolist() == labels[split].tolist()
    assert found.classes == entry.classes
    assert next(one for one in data.status() if one.name == name).on_disk
    assert data.load(name, val=0, offline=True).fingerprint == found.fingerprint  # from the cache


def test_qmnist_knows_who_wrote_each_image(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    files = install(monkeypatch, "qmnist")
    for file, content in files.items():
        (empty / file).write_bytes(content)
    found = data.load("qmnist", folder=empty, val=0.5, say=quiet)
    assert found.test.writers is not None
    assert found.test.writers.tolist() == list(range(1000, 1000 + TEST))
    assert found.train.writers is not None
    assert found.val.writers is not None
    assert sorted(found.train.writers.tolist() + found.val.writers.tolist()) == list(range(1000, 1000 + TRAIN))


def test_the_files_come_from_a_mirror_and_are_deleted_when_they_are_read(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    files = install(monkeypatch, "cifar-10")
    said: list[str] = []
    with Mirror({f"cifar-10/{name}": content for name, content in files.items()}) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with offline(), pytest.raises(DataMissing):
            sources.fetch("cifar-10", say=quiet)
        assert mirror.requests == []
        sources.fetch("cifar-10", say=lambda sentence, done=None: said.append(sentence))
    assert said[0].startswith("Downloading cifar-10-binary.tar.gz")
    assert list((cache.root() / "originals").iterdir()) == []


def test_where_the_network_is_closed_nobody_is_asked_who_wrote_mnist(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    with Mirror({}) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with offline(), pytest.raises(DataMissing):
            data.mnist_writers(say=quiet)
        assert mirror.requests == []
        with pytest.raises(DataMissing):
            data.mnist_writers(say=quiet)
        assert mirror.requests != []


def test_a_zip_file_of_several_data_sets_is_downloaded_once(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    files = install(monkeypatch, "emnist-letters")
    letters = DATASETS["emnist-letters"]
    assert isinstance(letters, Archive)
    twin = replace(letters, title="twin")
    monkeypatch.setitem(DATASETS, "emnist-twin", twin)
    with Mirror({f"emnist-letters/{name}": content for name, content in files.items()}) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        assert sources.lacking("emnist-letters") == sources.lacking("emnist-twin")
        assert [file.name for file in sources.lacking("emnist-twin")] == ["gzip.zip"]
        sources.fetch("emnist-letters", say=quiet)
        assert sources.lacking("emnist-twin") == []
        sources.fetch("emnist-twin", say=quiet)
        assert len(mirror.requests) == 1
    assert list((cache.root() / "originals").iterdir()) == []


def test_a_file_without_a_published_sha256_is_taken_by_its_md5_and_no_other(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    files = install(monkeypatch, "usps")
    by_md5 = tuple(Original(name, md5=hashlib.md5(content).hexdigest()) for name, content in files.items())
    monkeypatch.setitem(DATASETS, "usps", replace(small("usps", files), originals=by_md5))
    (empty / "usps.bz2").write_bytes(files["usps.bz2"])
    (empty / "usps.t.bz2").write_bytes(files["usps.t.bz2"] + b"\0")
    with pytest.raises(DataMissing) as caught:
        sources.fetch("usps", folder=empty, offline=True, say=quiet)
    assert f"usps.t.bz2  MD5 {by_md5[1].md5}" in caught.value.hint
    with Mirror({f"usps/{name}": content for name, content in files.items()}) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        assert sources.fetch("usps", say=quiet)


def test_whether_a_file_without_a_published_length_is_here_its_bytes_say(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    files = install(monkeypatch, "usps")
    by_md5 = tuple(Original(name, md5=hashlib.md5(content).hexdigest()) for name, content in files.items())
    monkeypatch.setitem(DATASETS, "usps", replace(small("usps", files), originals=by_md5))
    (empty / "data").mkdir()
    (empty / "data" / "usps.bz2").write_bytes(files["usps.bz2"])
    (empty / "data" / "usps.t.bz2").write_bytes(files["usps.t.bz2"][:-1])
    assert sources.lacking("usps") == [by_md5[1]]


def test_where_only_md5_is_known_the_length_counts_too() -> None:
    md5 = hashlib.md5(b"abcd").hexdigest()
    assert Original("x", md5=md5).is_right(b"abcd")
    assert Original("x", 4, md5=md5).is_right(b"abcd")
    assert not Original("x", 5, md5=md5).is_right(b"abcd")


def test_nothing_found_is_said_with_names_and_checksums(empty: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        sources.fetch("svhn", offline=True, say=quiet)
    assert "train_32x32.mat  182,040,794 bytes, SHA-256 435e94d69a87" in caught.value.hint
    assert "handlens data fetch svhn --data-dir FOLDER" in caught.value.hint


def test_a_changed_byte_in_the_cache_is_found_and_the_set_made_anew(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    for file, content in install(monkeypatch, "kmnist").items():
        (empty / file).write_bytes(content)
    found = sources.fetch("kmnist", folder=empty, say=quiet)
    for path in found.folder.iterdir():
        right = path.read_bytes()
        path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
        with pytest.raises(DataDamaged):
            data.check("kmnist")
        path.write_bytes(right[:-1])
        with pytest.raises(DataDamaged):
            data.check("kmnist")
        path.write_bytes(right)
    (found.folder / stored.ABOUT).write_text("{}")
    assert sources.fetch("kmnist", folder=empty, say=quiet)


def test_a_reader_that_gives_another_number_of_images_is_not_believed(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    for file, content in install(monkeypatch, "svhn").items():
        (empty / file).write_bytes(content)
    monkeypatch.setitem(DATASETS, "svhn", replace(small("svhn", MADE["svhn"][0]()), image_shape=(3, 16, 64)))
    for file, content in MADE["svhn"][0]().items():
        (empty / file).write_bytes(content)
    with pytest.raises((DataDamaged, DataMissing)):
        sources.fetch("svhn", folder=empty, offline=True, say=quiet)


def test_emnists_own_table_must_agree_with_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "gzip.zip").write_bytes(emnist("letters", 1)["gzip.zip"])
    entry = replace(small("emnist-letters", emnist()), classes=tuple("abcdefghijklmnopqrstuvwxyz"))
    with pytest.raises(DataDamaged, match="not those of its mapping"):
        readers.read_emnist([tmp_path / "gzip.zip"], entry)


def test_an_array_of_objects_in_a_zip_file_is_refused_before_anything_is_unpickled(tmp_path: Path) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("mnist_c/fog/test_images.npy", npy(np.array([print] * TEST, dtype=object)))
    (tmp_path / "mnist_c.zip").write_bytes(body.getvalue())
    with pytest.raises(DataDamaged, match="announces object"):
        readers.read_mnist_c([tmp_path / "mnist_c.zip"], small("mnist-c-fog", mnist_c()))


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(content))), draw(st.integers(0, 8))
        content[at : at + draw(st.sampled_from([0, length, 1 << 20]))] = draw(st.binary(max_size=length))
    return bytes(content)


@pytest.mark.parametrize("name", MADE)
@given(choices=st.data())
def test_fuzz_a_damaged_file_is_an_array_or_a_sentence(tmp_path: Path, name: str, choices: st.DataObject) -> None:
    files = dict(MADE[name][0]())
    victim = choices.draw(st.sampled_from(sorted(files)))
    packed = choices.draw(st.booleans()) and victim.endswith(".gz") and not victim.endswith(".tar.gz")
    content = choices.draw(damaged(gzip.decompress(files[victim]))) if packed else choices.draw(damaged(files[victim]))
    files[victim] = gzip.compress(content) if packed else content
    entry = small(name, files)
    for file, bytes_ in files.items():
        (tmp_path / file).write_bytes(bytes_)
    try:
        arrays = readers.READERS[entry.reader]([tmp_path / one.name for one in entry.originals], entry)
        assert all(array.ndim in (1, 3, 4) for array in arrays.values())
    except HandlensError as error:
        assert str(error)  # noqa: PT017


def test_what_is_in_a_folder_is_found_out_by_checksums(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    (empty / "mine").mkdir()
    assert originals.identify(empty / "mine") is None
    for file, content in install(monkeypatch, "kmnist").items():
        (empty / "mine" / file).write_bytes(content)
    assert sources.is_official(empty / "mine")
    assert originals.identify(empty / "mine") == "kmnist"
    assert sources.import_folder(empty / "mine", say=quiet).folder.parent.name == "kmnist"


SHARED = os.environ.get("HANDLENS_SHARED")


@pytest.mark.skipif(not SHARED, reason="HANDLENS_SHARED: kmnist-test")
def test_kmnists_own_test_images_are_split_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path))
    found = data.load("kmnist-test", val=0, offline=True, say=quiet)
    assert (found.train.counts, found.test.counts) == ([800] * 10, [200] * 10)
    assert found.ink
    assert found.classes[0] == "お o"


@pytest.mark.skipif(not SHARED, reason="HANDLENS_SHARED: qmnist-labels")
def test_qmnists_own_labels_are_mnists_and_no_writer_of_train_is_in_test(mnist: data.Dataset) -> None:
    folder = Path(str(SHARED), "qmnist-labels")
    train, test = (readers.read_qmnist_labels(folder / f"qmnist-{split}-labels-idx2-int.gz") for split in ("train", "test"))
    assert (len(train), len(test)) == (60000, 60000)
    assert np.array_equal(test[:10000, 0], mnist.test.labels.numpy())
    assert len(set(train[:, 2])) == 539
    writers, of_test = data.mnist_writers(offline=True)
    assert (writers == train[:, 2]).all()
    assert len(of_test) == 10000
    assert not set(writers) & set(of_test)
    assert not set(train[:, 2]) & set(test[:, 2])


@pytest.mark.skipif(not SHARED, reason="HANDLENS_SHARED: qmnist-labels")
def test_mnist_is_split_by_writer_into_the_same_images(mnist: data.Dataset) -> None:
    known = data.mnist_with_writers(offline=True, say=quiet)
    found = data.split_by_writer(known)
    assert found.train.writers is not None
    assert found.val.writers is not None
    assert found.test.writers is not None
    assert len(found.val.writers.unique()) == 54
    assert not set(found.train.writers.tolist()) & set(found.val.writers.tolist())
    assert not set(found.train.writers.tolist()) & set(found.test.writers.tolist())
    assert len(found.train) + len(found.val) == 60_000
    one = found.val.writers[0]
    assert torch.equal(found.val.images[found.val.writers == one], known.train.images[known.train.writers == one])
    again = data.split_by_writer(found)  # the same people, whatever the split was before
    assert again.val.writers is not None
    assert set(again.val.writers.tolist()) == set(found.val.writers.tolist())
    with pytest.raises(UsageError, match="nobody on one side"):
        data.split_by_writer(known, 0.0001)
    with pytest.raises(UsageError, match="share is 'a'"):
        data.split_by_writer(known, "a")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Who wrote mnist is not known"):
        data.split_by_writer(mnist)
