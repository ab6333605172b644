"""Any bytes into the readers of data: an array or a `HandlensError`, within a second and 200 MB.

A finding becomes a file in corpus/idx or corpus/wheel; they are all read again on every commit.
"""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import make, wheel_of

from handlens.data import cache, formats
from handlens.data.wheel import read_wheel
from handlens.errors import HandlensError

CORPUS = Path(__file__).parent / "corpus"
TINY = make(train=3, test=2, size=2)
WHEEL, ABOUT = wheel_of(TINY)
MEMBER = zipfile.ZipFile(io.BytesIO(WHEEL)).read(ABOUT.member)
FILE = TINY.entry.train_images
IDX = TINY.plain[FILE.name]


def read_idx(path: Path) -> None:
    """Both ways in which the package reads such a file: into memory, and mapped."""
    try:
        array = formats.read_idx(path)
        assert array.dtype == np.uint8
        assert 1 <= array.ndim <= 4
        assert array.size
    finally:
        content = formats.read_unpacked(path, FILE.size_bytes)
        assert len(content) <= FILE.size_bytes + 1
        cache.verify(content, FILE, "here")
        assert content == IDX


def map_idx(path: Path) -> None:
    """From the cache."""
    content = formats.map_file(path)
    formats.parse_idx(content)
    cache.verify(content, FILE, "here")
    assert content == IDX


def read_wheel_whole(path: Path) -> None:
    """Every file of the data set."""
    contents = read_wheel(path, ABOUT, TINY.entry.files)
    for file in TINY.entry.files:
        cache.verify(contents[file.name], file, "here")
        assert contents[file.name] == TINY.plain[file.name]


READERS: dict[str, tuple[Callable[[Path], None], ...]] = {"idx": (read_idx, map_idx), "wheel": (read_wheel_whole,)}


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def try_out(kind: str, path: Path, content: bytes) -> None:
    """Give `content` to the readers and look at what comes of it."""
    path.write_bytes(content)
    for read in READERS[kind]:
        tracemalloc.reset_peak()
        before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
        try:
            read(path)
        except HandlensError as error:
            assert str(error).encode()  # noqa: PT017
        assert time.perf_counter() - start < 1
        assert tracemalloc.get_traced_memory()[1] - before < 200 << 20


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Good content with some bytes changed, put in, taken out, or cut off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 8))
        content[at : at + draw(st.sampled_from([0, length, 1 << 30]))] = draw(st.binary(max_size=length))
    return bytes(content)


headers = st.builds(
    lambda kind, sizes, body: bytes([0, 0, kind, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes) + body,
    st.sampled_from([8, 8, 8, 9, 13, 0]),
    st.lists(st.one_of(st.integers(0, 5), st.sampled_from([1 << 16, 1 << 31, (1 << 32) - 1])), max_size=6),
    st.binary(max_size=200),
)
idx_files = st.one_of(
    st.binary(max_size=200),
    headers,
    damaged(IDX),
    headers.map(gzip.compress),
    damaged(gzip.compress(IDX, mtime=0)),
    st.builds(lambda first, second: gzip.compress(first) + second, headers, st.binary(max_size=40)),
)


@given(content=idx_files)
def test_fuzz_idx(tmp_path: Path, content: bytes) -> None:
    try_out("idx", tmp_path / "file", content)


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), packed=st.booleans(), data=st.data())
def test_fuzz_what_is_a_good_idx_file_is_read_as_it_is(tmp_path: Path, shape: list[int], packed: bool, data: st.DataObject) -> None:
    size = int(np.prod(shape))
    content = formats.idx_header(tuple(shape)) + data.draw(st.binary(min_size=size, max_size=size))
    (tmp_path / "file").write_bytes(gzip.compress(content) if packed else content)
    array = formats.read_idx(tmp_path / "file")
    assert array.shape == tuple(shape)
    assert array.tobytes() == content[-size:]


@given(content=st.one_of(st.binary(max_size=300), damaged(WHEEL)))
def test_fuzz_wheel(tmp_path: Path, content: bytes) -> None:
    try_out("wheel", tmp_path / "file.whl", content)


@given(member=st.one_of(st.binary(max_size=300), damaged(MEMBER), damaged(gzip.decompress(MEMBER)).map(gzip.compress)))
def test_fuzz_the_pickle_in_a_wheel(tmp_path: Path, member: bytes) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(ABOUT.member, member)
    try_out("wheel", tmp_path / "file.whl", body.getvalue())


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_fuzz_corpus_what_was_found_once_is_found_no_more(tmp_path: Path, path: Path) -> None:
    if path.parent.name in READERS:
        try_out(path.parent.name, tmp_path / "file", path.read_bytes())
