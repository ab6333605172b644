"""The cache is right or absent, whatever happens to it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny as tiny_module
from corpus import amount
from mirror import Mirror, slow, whole
from tiny import Tiny, install

import handlens
from handlens import files
from handlens.data import cache, catalog, shelf, sources
from handlens.data.stored import Stored
from handlens.errors import DataDamaged, DataError, DataMissing, FileError, UsageError


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tiny:
    return install(monkeypatch, tmp_path)


@pytest.fixture
def said() -> list[str]:
    return []


def fill(tiny: Tiny) -> Path:
    """Fill the cache from a folder; returns the published one."""
    return sources.import_folder(tiny.write(Path("files")), "tiny", say=lambda *_: None).folder


def test_the_cache_holds_what_the_catalogue_says_under_the_name_of_its_content(tiny: Tiny) -> None:
    folder = fill(tiny)
    assert folder == cache.root() / "tiny" / tiny.entry.fingerprint
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == tiny.plain
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, "lock"}


def test_what_a_killed_process_left_half_written_is_not_published(tiny: Tiny) -> None:
    filling = cache.root() / "tiny" / "filling"
    filling.mkdir(parents=True)
    (filling / ".train-images-idx3-ubyte.12345.tmp").write_bytes(b"half")
    (filling / "train-labels-idx1-ubyte").write_bytes(b"from another time")
    (filling / "t10k-labels-idx1-ubyte").write_bytes(tiny.plain["t10k-labels-idx1-ubyte"])
    assert {path.name: path.read_bytes() for path in fill(tiny).iterdir()} == tiny.plain


def test_root_is_the_variable_or_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "with space and ümlaut"))
    assert cache.root() == tmp_path / "with space and ümlaut"
    monkeypatch.setenv("HANDLENS_DATA", "relative")
    assert cache.root() == Path.cwd() / "relative"
    monkeypatch.setenv("HANDLENS_DATA", "~/data")
    assert cache.root() == Path.home() / "data"
    monkeypatch.delenv("HANDLENS_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.root().name == "data"
    assert cache.root().parent.name == "handlens"


def test_status_says_what_is_there_and_check_reads_each_byte(tiny: Tiny) -> None:
    def status() -> shelf.Status:
        return next(one for one in shelf.status() if one.name == "tiny")

    expected = cache.root() / "tiny" / tiny.entry.fingerprint
    assert status() == shelf.Status("tiny", False, expected, tiny.entry.size_bytes, "none", "random images")
    with pytest.raises(DataMissing, match="Tiny is not in the cache"):
        cache.check("tiny")
    assert fill(tiny) == expected
    assert status() == shelf.Status("tiny", True, expected, sum(len(content) for content in tiny.plain.values()), "none", "random images")
    assert {one.name for one in shelf.status()} == set(catalog.DATASETS)
    labels = expected / "train-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1])
    assert not status().on_disk
    with pytest.raises(DataDamaged, match="is damaged"):
        cache.check("tiny")
    with pytest.raises(UsageError, match="Did you mean 'tiny'"):
        shelf.check("tinny")


def test_a_cache_that_may_not_be_read_is_not_there_for_the_list_and_said_by_check(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tiny)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "as for another user, which root never is")

    monkeypatch.setattr(Path, "is_file", refuse)
    assert not next(one for one in shelf.status() if one.name == "tiny").on_disk
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match="No permission"):
        cache.check("tiny")


def test_arrays_share_the_file_and_writing_into_them_never_reaches_it(tiny: Tiny) -> None:
    folder = fill(tiny)
    arrays = cache.check("tiny").arrays
    assert arrays["train-images-idx3-ubyte"].shape == (200, 28, 28)
    for array in arrays.values():
        array[:] = 7
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == tiny.plain
    assert all((array == 7).all() for array in arrays.values())


def corruptions(content: bytes) -> Iterator[bytes]:
    """Each bit flipped, each truncation, a byte more."""
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)
    yield from (content[:end] for end in range(len(content)))
    yield content + b"\0"


def test_every_flipped_bit_and_every_truncation_of_the_cache_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, record_property: Callable[[str, int], None]
) -> None:
    tiny = install(monkeypatch, tmp_path, train=3, test=2, size=2)
    folder = fill(tiny)
    count = 0
    for name, content in tiny.plain.items():
        for changed in corruptions(content):
            (folder / name).write_bytes(changed)
            with pytest.raises(DataDamaged, match="is damaged"):
                cache.check("tiny")
            count += 1
        (folder / name).write_bytes(content)
        assert cache.check("tiny")
    assert count == sum(9 * len(content) + 1 for content in tiny.plain.values())
    record_property("cases", count)


def test_every_flipped_bit_of_packed_files_gives_the_right_bytes_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiny = install(monkeypatch, tmp_path, train=3, test=2, size=2)
    folder = tiny.write(tmp_path / "files", packed=True)
    found = 0
    for file in tiny.entry.files:
        path = folder / f"{file.name}.gz"
        for changed in corruptions(path.read_bytes()):
            path.write_bytes(changed)
            try:
                content, _ = sources._read_from(folder, tiny.entry, file)
                assert content == tiny.plain[file.name]  # the change was in gzip's own header
            except DataDamaged:
                found += 1
    assert found > 8 * len(tiny.packed["t10k-labels-idx1-ubyte.gz"])


def test_a_flipped_bit_anywhere_in_a_large_file_is_found(tiny: Tiny, record_property: Callable[[str, int], None]) -> None:
    folder = fill(tiny)
    random = np.random.default_rng(0)
    path = folder / "train-images-idx3-ubyte"
    right = path.read_bytes()
    flips = amount("flips", 200)
    record_property("cases", flips)
    for _ in range(flips):
        changed = bytearray(right)
        changed[random.integers(len(right))] ^= 1 << random.integers(8)
        path.write_bytes(changed)
        with pytest.raises(DataDamaged, match=tiny.entry.train_images.sha256):
            cache.check("tiny")


@pytest.mark.parametrize("instead", [None, Path.mkdir, os.mkfifo])
def test_a_missing_file_a_folder_or_a_fifo_in_the_cache_is_damage(tiny: Tiny, instead: Callable[[Path], None] | None) -> None:
    path = fill(tiny) / "t10k-labels-idx1-ubyte"
    path.unlink()
    if instead:
        instead(path)
    with pytest.raises(DataDamaged, match="is damaged"):
        cache.check("tiny")


def test_damaged_content_is_replaced_under_a_new_name_and_said(tiny: Tiny, said: list[str]) -> None:
    first = fill(tiny)
    (first / "t10k-labels-idx1-ubyte").write_bytes(b"")
    second = sources.fetch("tiny", folder="files", say=lambda sentence, done=None: said.append(sentence)).folder
    assert second.name == f"{first.name}-2"
    assert not first.exists()
    assert "damaged" in said[0]
    assert "Getting it anew" in said[0]
    (second / "t10k-labels-idx1-ubyte").write_bytes(b"")
    assert fill(tiny) == first


def test_a_folder_that_another_process_has_mapped_is_neither_renamed_nor_needed(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to rename or delete a file that is mapped; so does the system in this test."""
    published: list[Path] = []
    for number in range(1, 12):
        if published:
            (published[-1] / "t10k-labels-idx1-ubyte").write_bytes(b"damaged")
        published.append(fill(tiny))
        assert published[-1].name == tiny.entry.fingerprint + (f"-{number}" if number > 1 else "")
        assert cache.check("tiny").folder == published[-1]
        forbid_changes_in(monkeypatch, published)
    assert all(folder.is_dir() for folder in published)
    (published[-1] / "t10k-labels-idx1-ubyte").write_bytes(b"damaged")
    with pytest.raises(DataDamaged) as caught:
        cache.check("tiny")
    assert Path(caught.value.where).parent == published[-1]  # the newest is looked at first


def forbid_changes_in(monkeypatch: pytest.MonkeyPatch, mapped: list[Path]) -> None:
    rename, remove = os.rename, files.remove

    def careful_rename(source: Path, target: Path) -> None:
        if any(Path(path).is_relative_to(folder) for path in (source, target) for folder in mapped[:-1]):
            raise PermissionError(errno.EACCES, "used by another process")
        rename(source, target)

    def careful_remove(path: Path) -> None:
        if path in mapped:
            raise FileError("used by another process")
        remove(path)

    monkeypatch.setattr(os, "rename", careful_rename)
    monkeypatch.setattr(files, "remove", careful_remove)


def test_a_read_only_cache_that_is_full_is_used_and_an_empty_one_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tiny)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "read-only")

    for name in ("open", "mkdir", "rename", "replace", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    assert cache.check("tiny")
    assert sources.fetch("tiny")
    monkeypatch.setenv("HANDLENS_DATA", str(Path.cwd() / "other"))
    with pytest.raises(FileError, match="read-only") as caught:
        sources.fetch("tiny", folder="files")
    assert "HANDLENS_DATA" in caught.value.hint


def test_a_really_read_only_folder_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_DATA", "/proc/handlens")
    with pytest.raises(FileError) as caught:
        sources.fetch("tiny", folder=tiny.write(Path("files")))
    assert "HANDLENS_DATA" in caught.value.hint


def run(script: str, *arguments: object, before: str = "") -> subprocess.Popen[str]:
    """A process that has the tiny data set in its catalogue, without torch."""
    code = f"import sys, tiny; from handlens.data import catalog, sources; catalog.DATASETS['tiny'] = tiny.make().entry\n{before}\n{script}"
    command = [sys.executable, "-c", code, *(str(argument) for argument in arguments)]
    path = os.pathsep.join([str(Path(tiny_module.__file__).parent), str(Path(handlens.__file__).parents[1])])
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(happened: Callable[[], bool]) -> None:
    """For what another process or thread does, but not for ever."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


FETCH = """
import hashlib
cached = sources.fetch("tiny")
assert "torch" not in sys.modules
print(cached.folder.name, hashlib.sha256(b"".join(array.tobytes() for array in cached.arrays.values())).hexdigest())
"""


@pytest.mark.parametrize("_round", range(amount("rounds", 2)))
def test_eight_processes_on_an_empty_cache_make_one_download(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, _round: int) -> None:
    with Mirror(tiny.on_mirror, usual=slow(4, 0.05)) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        processes = [run(FETCH) for _ in range(8)]
        outputs = [process.communicate(timeout=60) for process in processes]
        assert [process.returncode for process in processes] == [0] * 8, outputs
    assert len({out for out, _ in outputs}) == 1
    assert outputs[0][0].startswith(tiny.entry.fingerprint)
    assert sorted(mirror.requests) == sorted((f"/{path}", 0) for path in tiny.on_mirror)
    assert any("Waiting for it to fill" in err for _, err in outputs)


def test_who_waits_says_for_whom_and_does_not_fetch_again(tiny: Tiny, said: list[str]) -> None:
    folder = tiny.write(Path("files"))
    found: list[cache.Cached | Stored] = []
    with cache.filling("tiny", lambda *_: None) as filling:
        waiting = threading.Thread(
            target=lambda: found.append(sources.fetch("tiny", folder=folder, say=lambda sentence, done=None: said.append(sentence)))
        )
        waiting.start()
        wait_until(lambda: bool(said))
        for file in filling.missing:
            filling.add(file, tiny.plain[file.name], "here")
        filling.publish()
    waiting.join()
    assert found[0].folder == cache.check("tiny").folder
    assert said == [said[0]]
    assert f"process {os.getpid()}" in said[0]
    assert str(cache.root() / "tiny") in said[0]


def test_a_killed_download_is_continued_by_the_next_process_at_once(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        mirror.answers = [whole, slow(100, 0.1)]
        process = run(FETCH)
        wait_until(lambda: len(mirror.requests) == 2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        start = time.monotonic()
        assert sources.fetch("tiny", say=lambda *_: None)
        assert time.monotonic() - start < 1
        # The first file was whole and is not fetched again.
        assert [path for path, _ in mirror.requests].count("/tiny/train-images-idx3-ubyte.gz") == 1
    assert {path.name for path in (cache.root() / "tiny").iterdir()} == {tiny.entry.fingerprint, "lock"}


CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's background jobs are born deaf to it


def test_ctrl_c_during_a_download_keeps_what_came_and_leaves_nothing_wrong(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror(tiny.on_mirror) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        mirror.answers = [slow(100, 0.1)]
        process = run(FETCH, before=CTRL_C)
        wait_until(lambda: bool(mirror.requests))
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=2)
        with pytest.raises(DataMissing):
            cache.check("tiny")
        partial = cache.root() / "tiny" / "partial" / "train-images-idx3-ubyte.gz"
        came = partial.stat().st_size
        assert tiny.packed["train-images-idx3-ubyte.gz"].startswith(partial.read_bytes())
        assert sources.fetch("tiny", say=lambda *_: None)
        assert ("/tiny/train-images-idx3-ubyte.gz", came) in mirror.requests


SMALL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from handlens.errors import FileError
try:
    sources.fetch("tiny", folder=sys.argv[1])
except FileError as error:
    print(error)
"""


def test_a_file_that_the_system_does_not_let_grow_leaves_nothing_behind(tiny: Tiny) -> None:
    process = run(SMALL_DISK, tiny.write(Path("files")))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "larger than the system allows" in out
    assert "HANDLENS_DATA" in out
    assert {path.name for path in (cache.root() / "tiny").iterdir()} == {"lock"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_really_full_disk_is_said_with_the_free_space_and_not_left_full(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        monkeypatch.setenv("HANDLENS_DATA", str(disk))
        with pytest.raises(FileError, match="disk is full") as caught:
            sources.fetch("tiny", folder=tiny.write(tmp_path / "files"))
        assert "Free there" in caught.value.hint
        assert "HANDLENS_DATA" in caught.value.hint
        assert {path.name for path in (disk / "tiny").iterdir()} == {"lock"}
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("point", range(12))
def test_an_error_at_any_write_leaves_the_cache_right_or_absent(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, point: int) -> None:
    folder = tiny.write(Path("files"))
    calls = 0

    def failing(write: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: object) -> int:
            nonlocal calls
            calls += 1
            if calls == point + 1:
                raise OSError(errno.EIO, "as a disk that is about to die")
            return write(*arguments)

        return call

    with monkeypatch.context() as patch:
        for name in ("write", "replace", "rename"):
            patch.setattr(os, name, failing(getattr(os, name)))
        try:
            sources.fetch("tiny", folder=folder, say=lambda *_: None)
        except FileError:
            with pytest.raises(DataMissing):
                cache.check("tiny")
    assert sources.fetch("tiny", folder=folder, say=lambda *_: None)


@pytest.mark.parametrize("name", ["with space", "new\nline", os.fsdecode(b"not-\xff\xfe-utf8"), "ümläut", "a" * 200])
def test_the_cache_may_be_in_a_folder_of_any_name(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, said: list[str]
) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / name))
    tiny.write(tmp_path / name / "files")
    cached = sources.fetch("tiny", folder=tmp_path / name / "files", say=lambda sentence, done=None: said.append(sentence))
    assert cached.folder.parent.parent == tmp_path / name
    "".join(said).encode()
    assert all(len(sentence.splitlines()) == 1 for sentence in said)


def test_a_full_cache_is_used_without_touching_any_network(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    fill(tiny)
    monkeypatch.delenv("HANDLENS_MIRRORS")

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("this is no time for the network or for other programs")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    assert sources.fetch("tiny", say=lambda sentence, done=None: said.append(sentence))
    assert said == []


def test_content_that_is_not_right_is_never_kept(tiny: Tiny) -> None:
    with cache.filling("tiny", lambda *_: None) as filling:
        for content in (b"", tiny.plain["train-labels-idx1-ubyte"], b"<html>", bytes(300)):
            with pytest.raises(DataError, match=tiny.entry.test_labels.sha256):
                filling.add(tiny.entry.test_labels, content, "here")
        assert filling.missing == list(tiny.entry.files)
