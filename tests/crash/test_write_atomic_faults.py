"""Each system call of each thing that changes a disk fails, or is the last before a kill or a power failure: old or new, never torn."""

import contextlib
import errno
import itertools
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash.faults import ERRORS, Call, Disk, Fault
from crash.replay import Model, lay_out
from crash.scenarios import NEW, SCENARIOS, Scenario
from nursery import Nursery

from handlens import files
from handlens.errors import FileError, HandlensError

Record = Callable[[str, object], None]
EVERY = pytest.mark.parametrize("name", SCENARIOS)


def new_roots(folder: Path, scenario: Scenario) -> Iterator[Path]:
    """One prepared folder after the other."""
    for number in itertools.count(1):
        root = folder / str(number)
        root.mkdir()
        scenario.prepare(root)
        yield root


def points(scenario: Scenario, roots: Iterator[Path]) -> list[tuple[int, bool]]:
    """The number of each call that the act makes; a write also torn in two."""
    root = next(roots)
    with Disk(root) as disk:
        scenario.act(root)
    assert scenario.check(root) == "after"
    assert len(disk.log) >= 4
    return [(at, torn) for at, call in enumerate(disk.log, start=1) for torn in ([False, True] if call.name == "write" else [False])]


@EVERY
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
def test_a_failure_at_any_call_leaves_old_or_new(name: str, lasting: bool, quick_disk: Path, record_property: Record) -> None:
    scenario, roots, found = SCENARIOS[name], new_roots(quick_disk, SCENARIOS[name]), []
    for (at, torn), error in itertools.product(points(scenario, roots), ERRORS):
        root = next(roots)
        with Disk(root, Fault(at, error, lasting=lasting, torn=torn)) as disk, contextlib.suppress(HandlensError):
            scenario.act(root)
        assert disk.struck
        found.append(scenario.check(root))
        shutil.rmtree(root)
    record_property("cases", len(found))
    assert set(found) == {"before", "after"}


@EVERY
def test_a_kill_at_any_call_leaves_old_or_new(name: str, quick_disk: Path, nursery: Nursery, record_property: Record) -> None:
    scenario, roots, found = SCENARIOS[name], new_roots(quick_disk, SCENARIOS[name]), []
    for at, torn in points(scenario, roots):
        root = next(roots)
        child = nursery.start("jobs:scenario", name, str(root), at, torn, log=quick_disk / "child")
        assert child.wait() == -signal.SIGKILL, child.said
        found.append(scenario.check(root))
    record_property("cases", len(found))
    assert found[0] == "before"
    assert found == sorted(found, reverse=True), "what was done was undone by going on"


@EVERY
def test_a_power_failure_at_any_call_leaves_old_or_new(name: str, quick_disk: Path, record_property: Record) -> None:
    scenario = SCENARIOS[name]
    root = next(new_roots(quick_disk, scenario))
    model = Model(root)
    with Disk(root) as disk:
        scenario.act(root)
    number = 0
    for done, call in enumerate([*disk.log, None]):
        for state in model.states():
            number += 1
            found = scenario.check(lay_out(state, quick_disk / f"state-{number}"))
            # What was done lasts: when the act has returned, nothing takes it back.
            assert found == "after" or done < len(disk.log), "it was said to be done, and is not"
        if call is not None:
            model.make(call)
    record_property("cases", number)
    assert number >= len(disk.log)


@pytest.mark.parametrize(
    "flag, content, found",
    [(os.O_APPEND, b"cd", {b"ab", b"abc", b"abcd"}), (os.O_TRUNC, b"abcd", {b"ab", b"", b"abcd"})],
    ids=["added", "anew"],
)
def test_what_is_written_anew_may_be_lost_and_what_is_added_to_keeps_what_it_had(
    flag: int, content: bytes, found: set[bytes], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"ab")
    model = Model(tmp_path)
    model.make(Call("open", (str(tmp_path / "file"), os.O_WRONLY | flag), 3))
    model.make(Call("write", (3, content), len(content)))
    assert {state["file"] for state in model.states()} == found
    model.make(Call("fsync", (3,), True))
    assert [*model.states()] == [{"file": b"abcd"}]


def test_short_writes_are_continued(quick_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:1000]))
    files.write_atomic(quick_disk / "file", NEW)
    assert (quick_disk / "file").read_bytes() == NEW


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_with_the_bytes_that_are_free(error: int, quick_disk: Path) -> None:
    for at in range(1, 4):  # open, write, fsync
        with Disk(quick_disk, Fault(at, error)), pytest.raises(FileError) as told:
            files.write_atomic(quick_disk / "file", NEW)
        assert "full" in told.value.what or "quota" in told.value.what
        assert "bytes" in told.value.hint
        assert os.listdir(quick_disk) == []
