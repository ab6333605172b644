"""The nursery of children, once for all tests that kill; and a disk that costs no time."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nursery import Nursery


@pytest.fixture(scope="session")
def nursery(own_temporary_folder: None) -> Iterator[Nursery]:
    """Children that have PyTorch from birth."""
    with Nursery() as found:
        yield found


@pytest.fixture(autouse=True)
def no_child_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails leaves no child running."""
    yield
    if "nursery" in request.fixturenames:
        request.getfixturevalue("nursery").kill_all()


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: for the many tests to which it does not matter how long an fsync takes."""
    shared = Path("/dev/shm")
    if not shared.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix=f"hl-{os.getpid()}-", dir=shared))
    yield folder
    shutil.rmtree(folder)
