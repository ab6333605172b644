"""What a class takes into a room without internet: the wheel of handlens as it is here, and a folder that installs itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from corpus import FULL

import handlens as hl
from handlens.course.pack import make_pack, own_wheel
from handlens.errors import UsageError

PACKAGE = Path(hl.__file__).parent


def test_the_wheel_of_what_is_installed_here_holds_all_of_it_and_can_be_installed(tmp_path: Path) -> None:
    wheel = tmp_path / f"handlens-{hl.__version__}-py3-none-any.whl"
    wheel.write_bytes(own_wheel())
    names = set(zipfile.ZipFile(wheel).namelist())
    here = {
        path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert here <= names
    target = tmp_path / "installed"
    words = ["install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", str(target), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    assert (target / "handlens" / "course" / "exercises" / "11_cnn" / "stub.py").is_file()
    assert (target / "bin" / "handlens").is_file() or (target / "Scripts").is_dir()


def test_a_pack_is_not_made_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        make_pack(tmp_path)
    with pytest.raises(UsageError, match="no system 'beos'"):
        make_pack(tmp_path / "new", ["beos"])


@pytest.mark.skipif(not FULL or shutil.which("unshare") is None, reason="make test-full, on Linux: it fetches PyTorch")
@pytest.mark.usefixtures("mnist")
def test_a_pack_installs_without_any_network(tmp_path: Path) -> None:
    make_pack(tmp_path / "pack")
    environment = {**os.environ, "HANDLENS_DATA": str(tmp_path / "data"), "HOME": str(tmp_path)}
    command = ["unshare", "--net", "--map-root-user", sys.executable, str(tmp_path / "pack" / "install.py"), str(tmp_path / "class")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Ready: " in done.stdout, done.stdout + done.stderr
    python = tmp_path / "class" / "env" / "bin" / "python"
    words = [str(python), "-m", "handlens", "course", "ls"]
    listed = subprocess.run(words, cwd=tmp_path / "class", capture_output=True, text=True, check=True)
    assert "linear-fit" in listed.stdout
