"""Any bytes in a run's folder, and any words after `handlens`: a value or a `HandlensError`, within a second.

A finding becomes a file in corpus/run: its name begins with that of the file in the run's folder; all are read again on every commit.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nursery import slowed
from security.hostile import LAST, about, last
from small import small_data

import handlens as hl
from handlens import cli
from handlens.cli.help import VERBS
from handlens.data.catalog import DATASETS
from handlens.errors import HandlensError
from handlens.runs import checkpoint as checkpoints
from handlens.runs import scan

CORPUS = Path(__file__).parent / "corpus" / "run"
JSONS = ("run.json", "config.json", "env.json", "checkpoint.json")
LIMIT_S = 1.0
STRANGE = [None, True, -1, 0, 1.5, 10**30, "", "x", "../x", "\0", "\ud800", [], {}, [1], {"a": 1}, float("nan"), float("inf"), "9" * 5000]

KEYS = st.text(max_size=8)
LEAVES = st.sampled_from(STRANGE) | st.integers() | st.floats() | st.text(max_size=20)
ANY_JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a good run, alone among the runs."""
    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(runs))
        hl.fit("softmax", small_data(size=4), name="good", epochs=2, batch_size=64, threads=1, quiet=True)
    return runs / "good"


@pytest.fixture
def folder(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, which the examples of a test may change; each restores what it changed."""
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path / "fuzzed"))
    return Path(shutil.copytree(good, tmp_path / "fuzzed" / "good"))


@contextlib.contextmanager
def within_limit() -> Iterator[None]:
    """A value or a `HandlensError`, soon."""
    start = time.perf_counter()
    with contextlib.suppress(HandlensError):
        yield
    assert time.perf_counter() - start < slowed(LIMIT_S)


def read_all(folder: Path) -> None:
    """All that is read of a run without training."""
    with within_limit():
        runs, broken = scan(folder.parent)
        assert len(runs) + len(broken) == 1
    with within_limit():
        run = hl.Run(folder)
        json.dumps(run.to_dict(), allow_nan=False)
        assert run.status in ("complete", "stopped early", "interrupted", "failed", "damaged")
        [f"{value:.3f}" for values in run.history.values() for value in values]
        repr(run)
    for which in checkpoints.WHICH:
        with within_limit():
            run = hl.Run(folder)
            run.model(which)
            checkpoints.read_rows(folder, run.pointer.last)


def try_out(folder: Path, name: str, content: bytes) -> None:
    """Give a file of a run other content, with the sums that go with it, read the run, and put everything back."""
    kept = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    try:
        if name == LAST:
            last(folder, content)
        else:
            (folder / name).write_bytes(content)
        read_all(folder)
    finally:
        for other, old in kept.items():
            (folder / other).write_bytes(old)


def mutated(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with bytes changed, left out, put in, doubled, or cut off."""
    return st.integers(0, 1 << 32).map(lambda seed: _mutate(content, random.Random(seed)))


def _mutate(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 4, 8])):
        at, length = draw.randrange(len(changed) + 1), draw.choice([0, 1, 1, 2, 8, 64])
        piece = draw.choice(
            [b"", draw.randbytes(length), bytes(changed[at : at + length]) * 2, b'"', b"}", b"[", b"-", b"9" * length, b"e999"]
        )
        changed[at : at + length] = piece
    return bytes(changed[: draw.choice([len(changed)] * 3 + [draw.randrange(len(changed) + 1)])])


def replaced(value: Any, data: st.DataObject) -> Any:
    """The value with one part of it, anywhere, made another."""
    inner = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not inner or (data.draw(st.booleans()) and data.draw(st.booleans())):
        return data.draw(ANY_JSON)
    key = data.draw(st.sampled_from(inner))
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[key] = replaced(value[key], data)
    return changed


@pytest.mark.parametrize("name", [*JSONS, "rows.jsonl", LAST])
@given(data=st.data())
def test_fuzz_bytes_of_each_file(name: str, folder: Path, good: Path, data: st.DataObject) -> None:
    content = (good / name).read_bytes()
    try_out(folder, name, data.draw(mutated(content) | st.binary(max_size=64)))


@pytest.mark.parametrize("name", JSONS)
@given(data=st.data())
def test_fuzz_values_of_each_json(name: str, folder: Path, good: Path, data: st.DataObject) -> None:
    value = replaced(json.loads((good / name).read_text()), data)
    if name == "config.json" and data.draw(st.booleans()):  # and the sum that goes with it
        with contextlib.suppress(TypeError, AttributeError):
            shutil.copy(good / "run.json", folder / "run.json")
            (folder / name).write_text(json.dumps(value))
            about(folder)
            read_all(folder)
            shutil.copy(good / "run.json", folder / "run.json")
            shutil.copy(good / name, folder / name)
    try_out(folder, name, json.dumps(value).encode())


@given(data=st.data())
def test_fuzz_rows(folder: Path, data: st.DataObject) -> None:
    rows = data.draw(st.lists(ANY_JSON | st.dictionaries(st.sampled_from(["epoch", "val_loss", "time_s"]), LEAVES), max_size=5))
    try_out(folder, "rows.jsonl", "\n".join(json.dumps(row) for row in rows).encode())


@given(data=st.data())
def test_fuzz_checkpoint_structure(folder: Path, good: Path, data: st.DataObject) -> None:
    content = (good / LAST).read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = replaced(json.loads(content[8 : 8 + length]), data)
    if data.draw(st.booleans()) and isinstance(head, dict) and isinstance(head.get("__metadata__"), dict):
        notes = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["handlens"])
        head["__metadata__"]["handlens"] = json.dumps(replaced(notes, data))
    text = json.dumps(head).encode()
    size = data.draw(st.sampled_from([len(text), len(text) + 1, 0, 1 << 40]))
    try_out(folder, LAST, struct.pack("<Q", size) + text + content[8 + length :])


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")), ids=lambda path: path.name)
def test_what_fuzz_once_found(path: Path, folder: Path) -> None:
    name = next(name for name in (*JSONS, "rows.jsonl", LAST) if path.name.startswith(name))
    try_out(folder, name, path.read_bytes())


REFERENCES = [
    "good",
    "latest",
    "best",
    "best:val_loss",
    "best:x",
    "g",
    "",
    "x",
    "../good",
    "/",
    "good/",
    "\0",
    "\ud800",
    "-",
    "--",
    "*",
    "a" * 300,
]
VALUES = [
    *REFERENCES,
    "0",
    "1",
    "-1",
    "1e400",
    "nan",
    "inf",
    "1,2",
    "1,,2",
    "adam",
    "mlp",
    "softmax",
    "tiny",
    "net.py:Net",
    ":",
    "x:",
    ":x",
    "cpu",
]
VALUES += ["cuda:99", "mps", "1" * 5000, "0.1", "true", "{}", "--help", "-h", "--json", "🙂", "\x1b[2J", "config.toml", "missing.toml", "."]
OPTIONS = [
    "--json",
    "--help",
    "--debug",
    "--name",
    "--note",
    "--resume",
    "--checkpoint",
    "--list",
    "--print-config",
    "--dry-run",
    "--config",
]
OPTIONS += [
    "--overfit-one-batch",
    "--on",
    "--format",
    "--plot",
    "--remove",
    "--data-dir",
    "--version",
    "--frobnicate",
    "-x",
    "--model",
    "--data",
]
OPTIONS += [f"--{name.replace('_', '-')}" for name in hl.Config.model_fields]
WORDS = st.lists(st.sampled_from([*VALUES, *OPTIONS]) | st.text(max_size=10), max_size=6)
SECOND = ["ls", "show", "path", "note", "tag", "rename", "rm", "repeat", "fetch", "import", "check", "x"]


@pytest.fixture
def place(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one may type anything: with one run, one data set, a learner's file and a config; and no report, which takes seconds."""
    work = tmp_path / "work"
    work.mkdir()
    made = tiny.install(monkeypatch, work)
    for name in list(DATASETS):
        if name != "tiny":
            monkeypatch.delitem(DATASETS, name)
    made.write(work / "cache" / "tiny" / made.entry.fingerprint)
    (work / "config.toml").write_text('data = "tiny"\nepochs = 1\nthreads = 1\n')
    (work / "net.py").write_text("from torch import nn\nclass Net(nn.Module):\n    pass\n")
    monkeypatch.setattr("handlens.report.save", lambda run: run.folder / "report.html")
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    return work


def say_words(words: list[str]) -> tuple[int, str]:
    """The exit code of a command line, and all that it says."""
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told), pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.getvalue() + told.getvalue()


@settings(suppress_health_check=list(HealthCheck))
@given(verb=st.sampled_from([*VERBS, "", "x", "trian"]), second=st.sampled_from([*SECOND, *REFERENCES]), words=WORDS)
@example(verb="train", second="tiny", words=["--data", "tiny", "--epochs", "1"])
@example(verb="train", second="softmax", words=["--data", "tiny", "--lr", "1e30", "--epochs", "2"])
def test_fuzz_command_line(verb: str, second: str, words: list[str], place: Path) -> None:
    words = [word for word in words if word != "--debug"]
    if not {"--epochs", "--dry-run", "--print-config"} & set(words):
        words += ["--epochs", "1"] if verb == "train" else []
    code, said = say_words([verb, second, *words])
    assert code in (0, 1, 2, 3, 4, 5), said
    assert "Traceback" not in said
    assert "has a fault" not in said, said
    assert code in (0, 1) or said.startswith("Error: ") or "\nError: " in said, said


def test_every_verb_is_fuzzed_with_words_that_mean_something(place: Path) -> None:
    """Else all examples could end at the first check of the arguments."""
    good: list[tuple[list[str], Callable[[str], bool]]] = [
        (["train", "softmax", "--data", "tiny", "--epochs", "1", "--name", "x"], lambda said: "Test accuracy" in said),
        (["runs", "ls"], lambda said: "good" in said),
        (["evaluate", "x"], lambda said: "accuracy" in said),
        (["data", "ls"], lambda said: "tiny" in said),
        (["train", "--config", "config.toml", "--dry-run"], lambda said: "All fits" in said),
    ]
    for words, expected in good:
        code, said = say_words(words)
        assert code == 0, said
        assert expected(said), said
