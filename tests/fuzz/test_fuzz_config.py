"""Any TOML, any JSON, any value of any knob: a config or a `ConfigError` in words, within a second."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nursery import slowed

from handlens.config import FIELDS, Config, make_config, read_toml, resolve
from handlens.errors import ConfigError, HandlensError
from handlens.presets import PRESETS

CORPUS = Path(__file__).parent / "corpus" / "toml"
LIMIT_S = 1.0
STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    10**5000,
    1e308,
    "",
    "x",
    "1",
    "1e400",
    "128,64",
    "128-64",
    "\0",
    "\ud800",
    [],
    {},
    [1],
    [[1]],
    {"a": 1},
]
STRANGE += [float("nan"), float("inf"), -0.0, "9" * 5000, "9" * 5000 + ",1", [2**70], b"bytes", object(), range(3), {1}, 1j]
VALUES: st.SearchStrategy[Any] = (
    st.sampled_from(STRANGE) | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers(), max_size=4)
)
GOOD = "\n".join(f"{name} = {json.dumps(value)}" for name, value in Config().model_dump().items()).encode()


def try_knobs(knobs: dict[str, Any]) -> Config | None:
    """A config or a sentence."""
    start = time.perf_counter()
    try:
        return make_config(knobs)
    except ConfigError as error:
        told = error.what
    assert time.perf_counter() - start < slowed(LIMIT_S)
    assert 0 < len(told) < 1000
    assert told.isprintable()
    return None


def test_every_knob_takes_or_refuses_every_strange_value() -> None:
    for name, value in itertools.product(FIELDS, STRANGE):
        try_knobs({name: value})


@given(name=st.sampled_from([*FIELDS, "epoch", "x" * 1000, "model_config", "__class__"]), value=VALUES)
def test_fuzz_one_knob(name: str, value: object) -> None:
    config = try_knobs({name: value})
    if config is not None:
        assert make_config(json.loads(json.dumps(config.model_dump(), allow_nan=False))) == config


@given(
    knobs=st.dictionaries(st.sampled_from([*FIELDS]) | st.text(max_size=10), VALUES, max_size=5),
    preset=st.sampled_from([None, *PRESETS, "x"]),
)
@example(knobs={"init_from": 10**5000}, preset=None)
def test_fuzz_many_knobs(knobs: dict[str, Any], preset: str | None) -> None:
    try_knobs(knobs)
    try:
        config, sources = resolve(preset, None, knobs)
    except ConfigError:
        return
    assert sources.keys() == set(FIELDS)
    assert make_config(config.model_dump()) == config


@given(content=st.binary(max_size=64) | st.text(max_size=64).map(lambda text: text.encode(errors="surrogatepass")))
@example(content=b"a = " + b"[" * 100_000)
@example(content=b"a = {b = " * 10_000)
@example(content=b"epochs = " + b"9" * 5000)
@example(content=b"lr = 1e400")
@example(content=b"lr = nan")
@example(content=b"seed = 0x" + b"f" * 5000)
@example(content=b"data = 1979-05-27")
@example(content=b'data = """' + b"x" * 100_000 + b'"""')
@example(content=b"\xef\xbb\xbflr = 0.1")
@example(content=b"lr = 0.1\r\n")
@example(content=b"a." * 20_000 + b"b = 1")
@example(content=b"lr = 1\nlr = 2")
def test_fuzz_toml_bytes(content: bytes, tmp_path: Path) -> None:
    try_toml(content, tmp_path)


def try_toml(content: bytes, folder: Path) -> None:
    path = folder / "config.toml"
    path.write_bytes(content)
    start = time.perf_counter()
    with contextlib.suppress(HandlensError):
        make_config(read_toml(path))
    assert time.perf_counter() - start < slowed(LIMIT_S)


@given(data=st.data())
def test_fuzz_toml_of_a_config(data: st.DataObject, tmp_path: Path) -> None:
    lines = GOOD.split(b"\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"[x]", b"lr = 2", b"=", b'"', b"[[", b"epochs = [1", b"x.y = 1", b"#", b"\xff", b"seed = -1"])
        )
        lines[at] = data.draw(st.sampled_from([piece, lines[at] + piece, piece + lines[at], lines[at][: len(lines[at]) // 2]]))
    try_toml(b"\n".join(lines), tmp_path)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")), ids=lambda path: path.name)
def test_what_fuzz_once_found(path: Path, tmp_path: Path) -> None:
    try_toml(path.read_bytes(), tmp_path)


@pytest.mark.parametrize("kind", ["folder", "fifo", "device", "large", "missing", "link"])
def test_what_is_no_file_of_knobs_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "large":
        path.write_bytes(b"#" * (2 << 20))
    elif kind == "link":
        path.symlink_to(path)
    with pytest.raises(HandlensError):
        read_toml(path)
