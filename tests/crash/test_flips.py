"""Corruption is never silent: each byte of each file that a run is made of is changed, and each file is cut off at each length."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from corpus import FULL, amount
from small import small_data

import handlens as hl
from handlens.errors import HandlensError, RunDamaged
from handlens.fit import starting
from handlens.plan import plan
from handlens.runs import checkpoint as checkpoints
from handlens.runs import scan, to_trash
from handlens.train import Row

Record = Callable[[str, object], None]
KNOBS: dict[str, Any] = {"hidden_sizes": (3,), "dropout": 0.5, "epochs": 3, "lr": 0.01, "batch_size": 32, "optimizer": "sgd"}


@pytest.fixture
def run(quick_disk: Path, monkeypatch: pytest.MonkeyPatch) -> hl.Run:
    """A small run with all four checkpoints in different files: the second epoch is the best one."""
    monkeypatch.setenv("HANDLENS_RUNS", str(quick_disk / "runs"))
    found = hl.fit("mlp", small_data(size=4), name="small", quiet=True, **KNOBS)
    assert (found.folder / "checkpoint.json").stat().st_size > 600
    return found


def flips(content: bytes) -> Iterator[bytes]:
    """One bit of each byte changed, not the same everywhere; in full each of the eight, and the byte as a whole."""
    draw = random.Random(1)
    for position in range(len(content)):
        for change in [*(1 << bit for bit in range(8)), 255] if FULL else [1 << draw.randrange(8)]:
            yield content[:position] + bytes([content[position] ^ change]) + content[position + 1 :]


def cuts(content: bytes) -> Iterator[bytes]:
    """The file broken off at each length."""
    return (content[:length] for length in range(len(content)))


CHANGES = pytest.mark.parametrize("change", [flips, cuts])


def everything(folder: Path) -> object:
    """All that a run's files decide: knobs, networks, rows; not the words and facts that stand beside them."""
    run = hl.Run(folder)
    networks = [{name: tensor.tolist() for name, tensor in run.model(which).state_dict().items()} for which in checkpoints.WHICH]
    modules = [repr(run.model(which)) for which in checkpoints.WHICH]
    return run.config, run.pointer, networks, modules, without_times(checkpoints.read_rows(folder, run.pointer.last))


def without_times(rows: list[Row]) -> list[Row]:
    """What two equal trainings have in common."""
    return [{name: row[name] for name in row if name not in ("time_s", "images_per_s")} for row in rows]


@CHANGES
def test_each_flip_and_cut_of_a_checkpoint_is_detected_and_a_whole_one_offered(
    run: hl.Run, change: Callable[[bytes], Iterator[bytes]], record_property: Record
) -> None:
    path = run.folder / run.pointer.last.file
    versions = list(change(path.read_bytes()))
    for damaged in versions:
        path.write_bytes(damaged)
        with pytest.raises(RunDamaged, match=r"damaged|cannot be read") as told:
            run.model("last")
        assert "add --checkpoint " in told.value.hint
        assert type(told.value) is RunDamaged
    record_property("cases", len(versions))
    assert len(versions) > 1000


@pytest.mark.parametrize("name", ["checkpoint.json", "config.json", "run.json", "env.json"])
@CHANGES
def test_each_flip_and_cut_of_a_runs_other_files_is_detected_or_decides_nothing(
    name: str, run: hl.Run, change: Callable[[bytes], Iterator[bytes]], record_property: Record
) -> None:
    path = run.folder / name
    versions, before, detected = list(change(path.read_bytes())), everything(run.folder), 0
    for damaged in versions:
        path.write_bytes(damaged)
        try:
            found = everything(run.folder)
        except RunDamaged:
            detected += 1
            continue
        assert found == before
    record_property("cases", len(versions))
    assert len(versions) > 100
    if name == "config.json":
        assert detected == len(versions)
    if name == "checkpoint.json":
        assert detected > 0.9 * len(versions)  # the others are white space between its parts


@CHANGES
def test_each_flip_and_cut_of_the_rows_for_people_leaves_those_of_the_checkpoint(
    run: hl.Run, change: Callable[[bytes], Iterator[bytes]], record_property: Record
) -> None:
    path = run.folder / "rows.jsonl"
    versions = list(change(path.read_bytes()))
    before = without_times(checkpoints.read_rows(run.folder, run.pointer.last))
    for damaged in versions:
        path.write_bytes(damaged)
        assert without_times(checkpoints.read_rows(run.folder, run.pointer.last)) == before
        assert len(hl.Run(run.folder).rows) <= 3
    record_property("cases", len(versions))


def test_the_knobs_that_count_are_those_of_the_config(run: hl.Run) -> None:
    path = run.folder / "run.json"
    about = json.loads(path.read_text())
    about["model_options"] |= {"dropout": 0.1, "activation": "tanh", "batch_norm": False}
    path.write_text(json.dumps(about))
    assert repr(hl.Run(run.folder).model()) == repr(run.model())


def test_random_flips_of_a_large_checkpoint_are_detected(run: hl.Run, record_property: Record) -> None:
    large = hl.fit("mlp", small_data(size=28), name="large", quiet=True, hidden_sizes=(128, 64), epochs=1)
    path = large.folder / large.pointer.last.file
    content, draw, count = bytearray(path.read_bytes()), random.Random(2), amount("flips", 100)
    assert len(content) > 1_300_000
    for _ in range(count):
        position, change = draw.randrange(len(content)), draw.randrange(1, 256)
        content[position] ^= change
        path.write_bytes(content)
        with pytest.raises(RunDamaged, match="damaged"):
            checkpoints.read_checked(large.folder, large.pointer.last)
        content[position] ^= change
    record_property("cases", count)


@pytest.mark.parametrize("complete", [True, False])
def test_resume_from_the_checkpoint_before_a_flip_gives_the_same_bits(run: hl.Run, complete: bool) -> None:
    whole = run.checkpoint
    if not complete:
        _interrupt_after(run, 2)
    damaged = run.folder / run.pointer.last.file
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    with pytest.raises(RunDamaged) as told:
        hl.resume("small", data=small_data(size=4), quiet=True) if not complete else run.model()
    assert "--checkpoint previous" in told.value.hint
    again = hl.resume("small", checkpoint="previous", data=small_data(size=4), quiet=True)
    assert again.checkpoint == whole
    assert again.status == "complete"
    assert torch.equal(again.model().state_dict()["layers.1.weight"], hl.load_run("small").model().state_dict()["layers.1.weight"])


def _interrupt_after(run: hl.Run, epochs: int) -> None:
    """Make the run one that was killed after so many epochs."""
    shutil.rmtree(run.folder)
    with starting(plan(hl.Config(**KNOBS), None, small_data(size=4)), name="small") as training:
        for row in training:
            if row["epoch"] == epochs:
                break
    run.reload()
    assert run.status == "interrupted"


def test_if_no_checkpoint_is_whole_it_is_said(run: hl.Run) -> None:
    for path in run.folder.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunDamaged) as told:
        run.model()
    assert "No other checkpoint" in told.value.hint


def test_a_damaged_pointer_is_told_in_the_list_and_the_run_still_can_be_removed(run: hl.Run) -> None:
    (run.folder / "checkpoint.json").write_bytes(b"{")
    with pytest.raises(HandlensError, match=r"checkpoint\.json"):
        hl.load_run("small")
    assert [(ruin.name, ruin.reason) for ruin in scan()[1]] == [("small", "'checkpoint.json' is no JSON.")]
    to_trash(run.folder.parent, "small")
    assert scan() == ([], [])
