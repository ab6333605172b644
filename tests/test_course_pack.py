"""What a class takes into a room without internet: the wheel of handlens as it is here, and a folder that installs itself."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corpus import FULL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import handlens as hl
from handlens.course import pack, wheels
from handlens.course.pack import make_pack, own_wheel
from handlens.data import cache
from handlens.errors import FailedError, UsageError

PACKAGE = Path(hl.__file__).parent
HERE = f"cp3{sys.version_info[1]}"
PLACE = {"win32": "win", "darwin": "macosx_14_0"}.get(sys.platform, "manylinux_2_28") + f"_{platform.machine().lower()}"


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


def closure(system: str) -> set[str]:
    """What `handlens[notebook]` needs on a system, by the metadata of what is installed here; CUDA, which the pack goes without, is not."""
    found, todo = set[str](), [Requirement("handlens[notebook]")]
    seen = set[str]()
    while todo:
        need = todo.pop()
        if str(need) in seen or re.match(r"(cuda|nvidia)-|triton", need.name):
            continue
        seen.add(str(need))
        found.add(canonicalize_name(need.name))
        try:
            lines = importlib.metadata.requires(need.name) or []
        except importlib.metadata.PackageNotFoundError:  # what only another system needs
            lines = []
        todo += [one for one in map(Requirement, lines) if holds(one, system, ["", *need.extras])]
    return found - {"handlens"}


def holds(need: Requirement, system: str, extras: list[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({**wheels.markers(system), "extra": one}) for one in extras)


@pytest.mark.parametrize("system", ["", *wheels.SYSTEMS])
def test_a_pack_has_what_its_system_needs_and_no_more(system: str) -> None:
    names = [canonicalize_name(line.split("==")[0]) for line in wheels.needed(system)]
    assert len(names) == len(set(names))
    assert set(names) - {"setuptools"} == closure(system) - {"setuptools"}  # some builds of torch need it
    assert ("pywinpty" in names, "appnope" in names) == (system == "windows", system == "macos")
    assert all("--hash" in line for line in wheels.needed(system)[1:])


@pytest.fixture
def small_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a pack as it is, but with an empty wheel of torch as its only one from outside."""

    def make(tag: str = f"{HERE}-{HERE}-{PLACE}") -> Path:
        monkeypatch.setattr(pack, "DATA", ("mnist",))
        monkeypatch.setattr(pack, "download", lambda place, *_: (place / f"torch-2.13.0-{tag}.whl").write_text(""))
        make_pack(tmp_path / "pack", ["macos"])
        return tmp_path / "pack"

    return make


def install(folder: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "install.py"), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize(
    "tag, said",
    [
        (f"cp39-cp39-{PLACE}", "this folder is for Python 3.9.\n"),
        (f"{HERE}-{HERE}-macosx_14_0_riscv", "It is for: macosx_14_0_riscv. Ask for another one."),
    ],
)
def test_another_python_or_computer_than_the_packs_is_told_before_anything_is_done(
    tag: str, said: str, small_pack: Callable[[str], Path], tmp_path: Path
) -> None:
    done = install(small_pack(tag), tmp_path / "class")
    assert done.returncode == 1
    assert said in done.stderr
    assert ("python3.9 install.py" in done.stderr or "py -3.9 install.py" in done.stderr) == ("3.9" in said)
    assert not (tmp_path / "class").exists()


@pytest.mark.usefixtures("mnist")
def test_a_copy_that_has_lost_something_is_not_installed(small_pack: Callable[[], Path], tmp_path: Path) -> None:
    folder = small_pack()
    assert "python3.12 install.py" in (folder / "START.html").read_text(encoding="utf-8")
    assert not (folder / "unfinished.txt").exists()
    labels = folder / "data" / "mnist" / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"!")
    next((folder / "wheels").glob("handlens*")).unlink()
    done = install(folder, tmp_path / "class")
    bad = f"data/mnist/{labels.name}", f"wheels/handlens-{hl.__version__}-py3-none-any.whl"
    assert done.stderr.strip().splitlines()[1:-1] == [f"  {name}" for name in bad], done.stderr
    assert not (tmp_path / "class").exists()
    (folder / "SHA256SUMS").unlink()
    assert "this folder is not complete" in install(folder, tmp_path / "class").stderr


@pytest.mark.usefixtures("mnist")
def test_a_pack_that_failed_has_its_data_and_can_be_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "DATA", ("mnist",))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for _again in range(2):
        with pytest.raises(FailedError, match="pip could not get all wheels"):
            make_pack(tmp_path / "pack")
        assert (tmp_path / "pack" / "data" / "mnist" / "t10k-labels-idx1-ubyte").is_file()


@pytest.mark.usefixtures("mnist")
def test_data_that_were_half_copied_before_are_completed(
    small_pack: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_pack()
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "Jürgen's data"))
    half, _ = cache.place("mnist")
    half.mkdir(parents=True)
    (half / "t10k-labels-idx1-ubyte").write_bytes(b"half")
    runpy.run_path(str(folder / "install.py"))["import_data"](sys.executable, str(tmp_path))
    assert cache.check("mnist")


@pytest.fixture
def class_folder(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A class folder with an environment, and the functions of install.py."""
    folder = tmp_path / "Jürgen's class"
    venv.create(folder / "handlens-env", symlinks=os.name != "nt")
    (folder / "course").mkdir()
    return folder, runpy.run_path(str(PACKAGE / "course" / "packed" / "install.py"))


BASH = pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="no bash here")
WHERE = "command -v python; pwd; echo $FROM_HOME\n"


@BASH
def test_the_terminal_of_the_class_has_its_environment_whatever_the_home_folder_says(
    class_folder: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, installer = class_folder
    other = tmp_path / "other" / "python"
    other.parent.mkdir()
    shutil.copy(shutil.which("true") or "", other)
    (tmp_path / ".bashrc").write_text(f'export PATH="{other.parent}:$PATH" FROM_HOME=yes\n')
    path = installer["write_terminal"](str(folder), windows=False)
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([path], input=WHERE, cwd="/", env=environment, capture_output=True, text=True, check=True)
    ready, *said = done.stdout.splitlines()
    assert ready.startswith("This terminal is ready for the class:")
    assert said == [str(folder / "handlens-env" / "bin" / "python"), str(folder / "course"), "yes"], done.stderr


@BASH
def test_the_two_lines_after_the_installation_can_be_pasted(class_folder: tuple[Path, dict[str, Any]]) -> None:
    folder, installer = class_folder
    lines = [line for line in installer["how_to_begin"](str(folder), "class.sh", windows=False).splitlines() if line.startswith("  ")]
    done = subprocess.run(["bash"], input="\n".join([*lines, WHERE]), cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[:2] == [str(folder / "handlens-env" / "bin" / "python"), str(folder / "course")], done.stderr


def test_on_windows_a_file_in_ascii_opens_the_terminal(class_folder: tuple[Path, dict[str, Any]]) -> None:
    folder, installer = class_folder
    path = installer["write_terminal"](str(folder), windows=True)
    lines = Path(path).read_bytes().decode("ascii").split("\r\n")
    assert lines[2:4] == ['call "%~dp0handlens-env\\Scripts\\activate.bat"', 'cd /d "%~dp0course"']
    assert f'\n  cmd /c "{path}"\n' in installer["how_to_begin"](str(folder), path, windows=True)


@pytest.mark.skipif(not FULL or shutil.which("unshare") is None, reason="make test-full, on Linux: it fetches PyTorch")
@pytest.mark.usefixtures("mnist")
def test_a_pack_installs_without_any_network(tmp_path: Path) -> None:
    make_pack(tmp_path / "pack")
    environment = {**os.environ, "HANDLENS_DATA": str(tmp_path / "data"), "HOME": str(tmp_path)}
    environment.pop("PYTHONPATH", None)
    offline = ["unshare", "--net", "--map-root-user"]
    command = [*offline, sys.executable, str(tmp_path / "pack" / "install.py"), str(tmp_path / "class")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Ready: " in done.stdout, done.stdout + done.stderr
    asked = "handlens course ls\njupyter lab --version\njupyter nbconvert --to notebook --execute --stdout lessons/01_recap.ipynb | wc -c\n"
    environment |= {"HANDLENS_COURSE_EXAMPLES": "300", "HANDLENS_COURSE_EPOCHS": "1"}
    command = [*offline, "sh", "-c", 'ip link set lo up; exec "$0"', str(tmp_path / "class" / "class.sh")]
    said = subprocess.run(command, input=asked, env=environment, capture_output=True, text=True, check=True).stdout
    assert "linear-fit" in said
    version, size = said.splitlines()[-2:]
    assert version.startswith("4."), said
    assert int(size) > 10_000, said
