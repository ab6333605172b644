"""A run's folder as somebody could send it: each function takes a good one and makes it hostile."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

Hostile = Callable[[Path], object]

SENTINEL = "sentinel"  # what code that was run would leave behind
LAST = "epoch-0002.safetensors"
FILES = ("config.json", "run.json", "env.json", "checkpoint.json", "rows.jsonl", "run.lock", LAST)


class Evil:
    """Unpickled, it runs a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {SENTINEL}",)


PICKLE = pickle.dumps(Evil(), protocol=2)
CODE = f"""
import pathlib
from torch import nn
pathlib.Path({SENTINEL!r}).touch()
class Net(nn.Module):
    pass
"""


def torch_zip() -> bytes:
    """What torch.save writes, with that pickle in it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("archive/data.pkl", PICKLE)
        zipped.writestr("archive/version", "3\n")
    return archive.getvalue()


def edit(folder: Path, name: str, **changes: Any) -> None:
    """Change fields of a JSON file. NaN and infinity are written as Python does."""
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def about(folder: Path, **changes: Any) -> None:
    """Change fields of run.json, and of config.json with the sum that goes with it."""
    config = {name: changes.pop(name) for name in list(changes) if name in json.loads((folder / "config.json").read_text())}
    edit(folder, "config.json", **config)
    changes.setdefault("config_sha256", hashlib.sha256((folder / "config.json").read_bytes()).hexdigest())
    edit(folder, "run.json", **changes)


def last(folder: Path, content: bytes) -> None:
    """Make `content` the last checkpoint, with the right sum and size."""
    (folder / LAST).write_bytes(content)
    edit(folder, "checkpoint.json", sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def header(content: bytes | object, body: bytes = b"\0" * 64, length: int | None = None) -> bytes:
    """A safetensors file of this header, however wrong."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def tensor(dtype: str = "F32", shape: object = (2, 2), offsets: object = (0, 16)) -> dict[str, object]:
    """One entry of such a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def notes(folder: Path, **changes: Any) -> None:
    """Change what the last checkpoint says about itself."""
    content = (folder / LAST).read_bytes()
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["handlens"])
    save(folder, safetensors.torch.load(content), {**metadata, **changes})


def save(folder: Path, tensors: dict[str, torch.Tensor], said: object) -> None:
    """Make these the last checkpoint."""
    text = said if isinstance(said, str) else json.dumps(said)
    last(folder, safetensors.torch.save(tensors, metadata={"handlens": text}))


def tensors(folder: Path, change: Callable[[str, torch.Tensor], tuple[str, torch.Tensor] | None]) -> None:
    """Change the tensors of the last checkpoint: each name and value to another one, or to none."""
    content = (folder / LAST).read_bytes()
    length = int.from_bytes(content[:8], "little")
    said = json.loads(content[8 : 8 + length])["__metadata__"]["handlens"]
    changed = (change(name, value) for name, value in safetensors.torch.load(content).items())
    save(folder, dict(pair for pair in changed if pair), said)


def optimizer(folder: Path, name: str, value: torch.Tensor | None = None) -> None:
    """Give every tensor of the optimizer another name, or value."""
    tensors(
        folder, lambda old, was: (f"{name}{old}", was if value is None else value.clone()) if old.startswith("optimizer.") else (old, was)
    )


def put(path: Path, content: str | bytes) -> None:
    """Write a file in place of one."""
    path.unlink(missing_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def link(path: Path, target: str | Path) -> None:
    """A link in place of a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(target)


def fifo(path: Path) -> None:
    """A file that waits for ever for somebody to write into it, in place of one."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def own_code(folder: Path, path: Path, reference: str = "") -> None:
    """Code of the sender, and a run that asks for it with the right sum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CODE)
    about(folder, model=f"{path.name}:Net", model_file=reference or str(path), model_sha256=hashlib.sha256(CODE.encode()).hexdigest())


def deep(depth: int) -> str:
    """JSON in JSON in JSON."""
    return "[" * depth + "]" * depth


def a_pickle_as(name: str) -> Hostile:
    """That pickle in place of one of the run's files."""
    return lambda folder: put(folder / name, PICKLE)


def a_fifo_as(name: str) -> Hostile:
    """A FIFO in place of one of the run's files."""
    return lambda folder: fifo(folder / name)


def a_folder_as(name: str) -> Hostile:
    """A folder in place of one of the run's files."""

    def make(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return make


def code_by_a_link(folder: Path) -> None:
    """The sender's code, by a link that is where the user stands."""
    own_code(folder, folder / "x.py")
    link(Path.cwd() / "link.py", folder / "x.py")
    about(folder, model_file=str(Path.cwd() / "link.py"))


def code_of_another_sum(folder: Path) -> None:
    """A file where the user stands, which is not the one that was trained."""
    own_code(folder, Path.cwd() / "x.py")
    about(folder, model_sha256="0" * 64)


HUGE = 10**30

# Whatever is done with such a folder: an error in words, or a value.
FOLDERS: dict[str, Hostile] = {
    **{f"a pickle as {name}": a_pickle_as(name) for name in FILES},
    "a pickle as checkpoint": lambda folder: last(folder, PICKLE),
    "a file of torch.save as checkpoint": lambda folder: last(folder, torch_zip()),
    "a pickle behind a header": lambda folder: last(folder, header({"x": tensor()}, PICKLE)),
    "an empty checkpoint": lambda folder: last(folder, b""),
    "a header longer than the file": lambda folder: last(folder, header({}, length=1 << 20)),
    "a header of 2^63 bytes": lambda folder: last(folder, header({}, length=1 << 63)),
    "a header of -1 bytes": lambda folder: last(folder, header({}, length=(1 << 64) - 1)),
    "a header of spaces": lambda folder: last(folder, header(b" " * 50_000_000)),
    "a header that is no JSON": lambda folder: last(folder, header(b"{'x': 1}")),
    "a header of other encoding": lambda folder: last(folder, header(b'{"\xff": 1}')),
    "a deep header": lambda folder: last(folder, header(deep(200_000).encode())),
    "tensors over each other": lambda folder: last(folder, header({"x": tensor(), "y": tensor(offsets=(8, 24))})),
    "tensors beyond the end": lambda folder: last(folder, header({"x": tensor(shape=(HUGE, 1), offsets=(0, HUGE))})),
    "a tensor of 2^62 numbers": lambda folder: last(folder, header({"x": tensor(shape=(1 << 31, 1 << 31), offsets=(0, 64))})),
    "an endless empty tensor": lambda folder: last(folder, header({"x": tensor(shape=(1 << 62, 0), offsets=(0, 0))}, b"")),
    "an unknown type": lambda folder: last(folder, header({"x": tensor("F999")})),
    "a negative shape": lambda folder: last(folder, header({"x": tensor(shape=(-2, -2))})),
    "backward offsets": lambda folder: last(folder, header({"x": tensor(offsets=(16, 0))})),
    "a name twice": lambda folder: last(folder, header(b'{"x":%s,"x":%s}' % ((json.dumps(tensor()).encode(),) * 2), b"\0" * 16)),
    "very many tensors": lambda folder: last(folder, header({f"{n}": tensor(shape=(0,), offsets=(0, 0)) for n in range(50_000)}, b"")),
    "no notes": lambda folder: last(folder, safetensors.torch.save({"x": torch.zeros(1)})),
    "notes that are no JSON": lambda folder: save(folder, {"x": torch.zeros(1)}, "{"),
    "notes that are a list": lambda folder: save(folder, {"x": torch.zeros(1)}, "[]"),
    "deep notes": lambda folder: save(folder, {"x": torch.zeros(1)}, deep(200_000)),
    "notes of another epoch": lambda folder: notes(folder, epoch=3),
    "notes of a strange epoch": lambda folder: notes(folder, epoch="2"),
    "rows of no numbers": lambda folder: notes(folder, rows=[{"epoch": 1, "train_loss": "low"}, {"epoch": 2}]),
    "rows of NaN": lambda folder: notes(folder, rows=[{"epoch": 1, "train_loss": float("nan")}, {"epoch": 2}]),
    "rows of a huge number": lambda folder: notes(folder, rows=[{"epoch": 1, "train_loss": 10**400}, {"epoch": 2}]),
    "rows that are text": lambda folder: notes(folder, rows="abc"),
    "rows that are missing": lambda folder: notes(folder, rows=[]),
    "weights of another network": lambda folder: tensors(folder, lambda name, value: (name, torch.zeros(3, 5))),
    "weights that are whole numbers": lambda folder: tensors(folder, lambda name, value: (name, value.long())),
    "weights of double length": lambda folder: tensors(folder, lambda name, value: (name, value.double())),
    "weights that are NaN": lambda folder: tensors(folder, lambda name, value: (name, value * float("nan"))),
    "no weights": lambda folder: tensors(folder, lambda name, value: None if name.startswith("model") else (name, value)),
    "no history": lambda folder: tensors(folder, lambda name, value: None if name.startswith("optimizer") else (name, value)),
    "half a history": lambda folder: tensors(folder, lambda name, value: None if name.endswith("exp_avg_sq") else (name, value)),
    "more weights": lambda folder: tensors(folder, lambda name, value: (name.replace("model.", "model.more."), value)),
    "a history of no number": lambda folder: optimizer(folder, "optimizer.x."),
    "a history of no name": lambda folder: tensors(folder, lambda name, value: ("optimizer.0" if "step" in name else name, value)),
    "a history of another weight": lambda folder: optimizer(folder, "optimizer.9999."),
    "a history of another size": lambda folder: optimizer(folder, "", torch.zeros(7)),
    "a history of whole numbers": lambda folder: tensors(folder, lambda name, value: (name, value.long() if "optim" in name else value)),
    "a pointer to the password file": lambda folder: edit(folder, "checkpoint.json", file="../../../../../../etc/passwd"),
    "a pointer to an absolute path": lambda folder: edit(folder, "checkpoint.json", file="/etc/passwd"),
    "a pointer with a line's end": lambda folder: edit(folder, "checkpoint.json", file=LAST + "\n"),
    "a pointer to another epoch": lambda folder: edit(folder, "checkpoint.json", file="epoch-0001.safetensors", epoch=1),
    "a pointer to epoch -1": lambda folder: edit(folder, "checkpoint.json", epoch=-1),
    "a pointer to a huge epoch": lambda folder: edit(folder, "checkpoint.json", epoch=HUGE),
    "a pointer of true": lambda folder: edit(folder, "checkpoint.json", epoch=True, size=True),
    "a pointer to a huge size": lambda folder: edit(folder, "checkpoint.json", size=HUGE),
    "a pointer of NaN": lambda folder: edit(folder, "checkpoint.json", size=float("nan")),
    "a pointer finished 1": lambda folder: edit(folder, "checkpoint.json", finished=1),
    "a pointer of lists": lambda folder: edit(folder, "checkpoint.json", start=[1], best=[], previous="x"),
    "a pointer without a start": lambda folder: edit(folder, "checkpoint.json", start=None),
    "a pointer with more in it": lambda folder: edit(folder, "checkpoint.json", more=1),
    "a config with infinity": lambda folder: about(folder, lr=float("inf")),
    "a config with 10^400": lambda folder: put(folder / "config.json", '{"lr": 1e400}'),
    "a config of 10,000 digits": lambda folder: put(folder / "config.json", '{"seed": %s}' % ("9" * 10_000)),
    "a config of huge layers": lambda folder: about(folder, hidden_sizes=[65536] * 100),
    "a config of many layers": lambda folder: about(folder, hidden_sizes=[1] * 100_000),
    "a config of strange types": lambda folder: about(folder, epochs=[], lr={}, hidden_sizes="a" * 1000),
    "a config that is deep": lambda folder: put(folder / "config.json", deep(200_000)),
    "a config that is a list": lambda folder: put(folder / "config.json", "[1, 2]"),
    "a config of other encoding": lambda folder: put(folder / "config.json", b'\xff\xfe{\0"\0'),
    "a config that was changed": lambda folder: edit(folder, "config.json", lr=0.5),
    "a config with a key twice": lambda folder: put(folder / "config.json", '{"lr": 1, "lr": 2}'),
    "a config of an unknown data set": lambda folder: about(folder, data="../../../etc"),
    "a config of a data set with a zero byte": lambda folder: about(folder, data="a\0b"),
    "a config of an unknown network": lambda folder: about(folder, model="../x"),
    "a config of more threads": lambda folder: about(folder, threads=8),
    "a config of another device": lambda folder: about(folder, device="cuda:99"),
    "code in the run's own folder": lambda folder: own_code(folder, folder / "net.py"),
    "code in a folder beside it": lambda folder: own_code(folder, folder.parent / "other" / "net.py"),
    "code by a path through other folders": lambda folder: own_code(folder, folder / "x.py", f"{folder}/../{folder.name}/x.py"),
    "code by a relative path": lambda folder: own_code(folder, folder / "x.py", os.path.relpath(folder / "x.py")),
    "code by a link from elsewhere": code_by_a_link,
    "code whose sum does not fit": code_of_another_sum,
    "code in a device": lambda folder: about(folder, model="x.py:Net", model_file="/dev/zero", model_sha256="0" * 64),
    "code in the kernel's log": lambda folder: about(folder, model="x.py:Net", model_file="/proc/kmsg", model_sha256="0" * 64),
    "code with a zero byte": lambda folder: about(folder, model="x.py:Net", model_file="a\0b", model_sha256="0" * 64),
    "options that are text": lambda folder: about(folder, model_options={"in_channels": "many", "mean": "x", "num_classes": None}),
    "options of a huge network": lambda folder: about(folder, model_options={"image_size": 200_000, "num_classes": 100_000}),
    "options of an endless network": lambda folder: about(folder, model_options={"image_size": HUGE, "in_channels": HUGE}),
    "options that are none": lambda folder: about(folder, model_options={"self": 1, "name": 2, "__class__": 3}),
    "an image of a million channels": lambda folder: about(folder, image_shape=[1_000_000, 65_535, 65_535]),
    "an image of one number": lambda folder: about(folder, image_shape=[4]),
    "an image of true": lambda folder: about(folder, image_shape=[True, 8, 8]),
    "an id that is a list": lambda folder: about(folder, id=["x"]),
    "tags that are numbers": lambda folder: about(folder, tags=[1, 2]),
    "a note of half a letter": lambda folder: about(folder, note="\ud800", tags=["\udcff"]),
    "a note that moves the cursor": lambda folder: about(folder, note="\x1b[2J\x1b]0;gotcha\x07", failure="\x1b[31m", tags=["\r\n\x1b[H"]),
    "an environment of anything": lambda folder: put(folder / "env.json", json.dumps({"torch": ["x"] * 1000, "device": {"a": None}})),
    "an environment of NaN": lambda folder: put(folder / "env.json", '{"torch": NaN}'),
    "rows for people that are NaN": lambda folder: put(folder / "rows.jsonl", '{"epoch": 1, "val_accuracy": NaN}\n{"epoch": NaN}\n'),
    "rows for people that are huge": lambda folder: put(
        folder / "rows.jsonl", '{"epoch": 1, "val_accuracy": %s, "time_s": 1e400}\n' % ("9" * 4000)
    ),
    "rows for people that are text": lambda folder: put(folder / "rows.jsonl", '{"epoch": 1, "val_accuracy": "high", "time_s": []}\n'),
    "rows for people that are deep": lambda folder: put(folder / "rows.jsonl", deep(200_000)),
    "rows for people that are many": lambda folder: put(folder / "rows.jsonl", '{"epoch":1}\n' * 50_000),
    **{f"a FIFO as {name}": a_fifo_as(name) for name in FILES},
    **{f"a folder as {name}": a_folder_as(name) for name in FILES},
    "a device as config": lambda folder: link(folder / "config.json", "/dev/zero"),
    "a link to itself as config": lambda folder: link(folder / "config.json", "config.json"),
    "the password file as config": lambda folder: link(folder / "config.json", "/etc/passwd"),
    "the kernel's log as config": lambda folder: link(folder / "config.json", "/proc/kmsg"),
    "the lock leads elsewhere": lambda folder: link(folder / "run.lock", Path.cwd() / "precious"),
    "the rows lead elsewhere": lambda folder: link(folder / "rows.jsonl", Path.cwd() / "precious"),
    "the checkpoint leads elsewhere": lambda folder: link(folder / LAST, Path.cwd() / "precious"),
    "the evaluation leads elsewhere": lambda folder: link(folder / "evaluation", Path.cwd() / "outside"),
    "the plots lead elsewhere": lambda folder: link(folder / "plots", Path.cwd() / "outside"),
    "the report leads elsewhere": lambda folder: link(folder / "report.html", Path.cwd() / "precious"),
}

NAMES = ("two\nlines", "\x1b[2J", "-rf", "--help", "a" * 255, "…", "räuber", " ", "con", "a\\b", "%2e%2e", "$(touch sentinel)", b"\xff\xfe")
