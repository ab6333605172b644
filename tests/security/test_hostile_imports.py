"""Whatever somebody sends to be imported: it is refused in words, or is a run; no code in it is run, and nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from security.hostile import CODE, FOLDERS, PICKLE, SENTINEL, deep, fifo, header, tensor, torch_zip
from small import small_data

import handlens as hl
from handlens import files
from handlens.errors import HandlensError
from handlens.export import import_run, parcel
from handlens.export.parcel import Parcel
from handlens.runs import checkpoint as checkpoints


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a good run."""
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(folder))
        return hl.fit("mlp", small_data(), name="good", hidden_sizes=(4,), epochs=2, batch_size=64, threads=1, quiet=True).folder


def said(sent: Parcel, **changes: Any) -> bytes:
    """A parcel whose texts say something else, with the right sum."""
    texts = dict(sent.texts)
    for name, change in changes.items():
        file = name.replace("_json", ".json").replace("_py", ".py")
        texts[file] = json.dumps({**json.loads(texts[file]), **change}) if isinstance(change, Mapping) else change
    about = json.loads(texts["run.json"])
    about.setdefault("config_sha256", "")
    about["config_sha256"] = files.sha256(texts["config.json"].encode())
    texts["run.json"] = json.dumps(about)
    return Parcel(texts, sent.weights, sent.rows).to_bytes()


def metadata(sent: Parcel, **more: str) -> bytes:
    return checkpoints.pack(sent.weights, sent.rows, **more)


HOSTILE: dict[str, Callable[[Parcel], bytes]] = {
    "a pickle": lambda _sent: PICKLE,
    "a file of torch.save": lambda _sent: torch_zip(),
    "a pickle behind a header": lambda _sent: header({"x": tensor()}, PICKLE),
    "nothing": lambda _sent: b"",
    "a header longer than the file": lambda _sent: header({}, length=1 << 20),
    "a header of 2^63 bytes": lambda _sent: header({}, length=1 << 63),
    "a deep header": lambda _sent: header(deep(200_000).encode()),
    "tensors over each other": lambda _sent: header({"x": tensor(), "y": tensor(offsets=(8, 24))}),
    "a tensor of 2^62 numbers": lambda _sent: header({"x": tensor(shape=(1 << 31, 1 << 31), offsets=(0, 64))}),
    "weights of no run": lambda _sent: safetensors.torch.save({"x": torch.zeros(1)}),
    "texts that are no JSON": lambda sent: metadata(sent, run="{", sha256="0" * 64),
    "deep texts": lambda sent: metadata(sent, run=deep(200_000), sha256="0" * 64),
    "texts of other names": lambda sent: metadata(sent, run=json.dumps({**sent.texts, "../../evil.py": CODE}), sha256="0" * 64),
    "texts that are lists": lambda sent: metadata(sent, run=json.dumps({name: [] for name in sent.texts}), sha256="0" * 64),
    "another sum": lambda sent: metadata(sent, run=json.dumps(dict(sent.texts)), sha256="0" * 64),
    "no sum": lambda sent: metadata(sent, run=json.dumps(dict(sent.texts))),
    "a network of another size": lambda sent: said(sent, config_json={"hidden_sizes": [5]}),
    "a network of endless layers": lambda sent: said(sent, config_json={"hidden_sizes": [65536] * 100}),
    "an image of 10^30 pixels": lambda sent: said(sent, run_json={"model_options": {"image_size": 10**30, "in_channels": 10**30}}),
    "an unknown network": lambda sent: said(sent, config_json={"model": "../x"}),
    "a config of strange types": lambda sent: said(sent, config_json={"epochs": [], "lr": {}}),
    "a config that is a list": lambda sent: said(sent, config_json="[1]"),
    "texts with control letters": lambda sent: said(sent, run_json={"note": "\x1b]0;evil\x07", "tags": ["\x1b[2J"]}),
    "code to be run": lambda sent: said(sent, config_json={"model": "model.py:Net"}, run_json={"model_file": "model.py"}, model_py=CODE),
    "code of the sender's folder": lambda sent: said(
        sent, config_json={"model": "x.py:Net"}, run_json={"model_file": "/proc/self/cwd/x.py"}
    ),
}


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_parcel_is_refused_or_is_a_run_and_runs_nothing(title: str, whole: Path, tmp_path: Path) -> None:
    Path("sent.safetensors").write_bytes(HOSTILE[title](parcel.of_run(hl.Run(whole))))
    Path("x.py").write_text(CODE)
    try:
        run = import_run("sent.safetensors")
    except HandlensError:
        assert not [*Path("runs").glob("*")], "something is left behind"
    else:
        assert {path.name for path in Path("runs").iterdir()} == {"sent"}
        assert title.startswith(("code", "texts with", "an unknown"))
        with pytest.raises(HandlensError) if not title.startswith("texts") else contextlib.nullcontext():
            run.model()
    assert not [*tmp_path.rglob(SENTINEL)]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "runs") == ["sent.safetensors", "x.py"]


@pytest.mark.parametrize(
    "title", [title for title in FOLDERS if "FIFO" in title or "pickle" in title or "pointer" in title or "code" in title]
)
def test_a_hostile_folder_is_not_imported_or_is_a_run_and_runs_nothing(title: str, whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "sent"))
    FOLDERS[title](folder.absolute())
    try:
        import_run(folder, "taken")
    except HandlensError:
        assert not Path("runs/taken").exists()
    assert not [*Path("runs").glob(".*")]
    assert not [*tmp_path.rglob(SENTINEL)]


def test_a_link_in_a_folder_is_not_followed(whole: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole, tmp_path / "sent"))
    Path("secret").write_text("mine")
    (folder / "card.md").symlink_to(tmp_path / "secret")
    with pytest.raises(HandlensError, match="is a link"):
        import_run(folder, "taken")
    (folder / "card.md").unlink()
    fifo(folder / "card.md")
    assert not (import_run(folder, "taken").folder / "card.md").exists()
