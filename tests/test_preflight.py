"""The check before the class says what is missing on a computer, and one fix for each: on thirteen broken ones, and on this one."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from terminal import Terminal

from handlens.course import preflight

TORCH = "class ones:\n    def __init__(self, n): self.n = n\n    def sum(self): return self.n\n__version__ = '{}'\n"
PLOTS = "def use(name): pass\n"
FIGURES = "def plot(values): pass\ndef savefig(file): pass\n"
HANDLENS = "__version__ = '0.1.0'\n"
DATA = "class One:\n    name, on_disk = 'mnist', {}\ndef status(): return [One]\n"
HEALTHY = {
    "torch/__init__.py": TORCH.format("2.13.0"),
    "torchvision/__init__.py": "raise ModuleNotFoundError(\"No module named 'torchvision'\")",
    "matplotlib/__init__.py": PLOTS,
    "matplotlib/pyplot.py": FIGURES,
    "handlens/__init__.py": HANDLENS,
    "handlens/data.py": DATA.format(True),
    "ipykernel.py": "",
    "jupyterlab.py": "",
}
OLD = "import sys\nsys.version_info = (3, 8, 10, 'final', 0)\n"
NARROW = "import sys\nsys.maxsize = 2**31 - 1\n"
# What a computer has otherwise than it should; what must be said of it, and what the fix is about.
MACHINES: dict[str, tuple[dict[str, str], str, str]] = {
    "old Python": ({"sitecustomize.py": OLD}, "This is Python 3.8", "Install Python 3.12"),
    "Python of 32 bits": ({"sitecustomize.py": NARROW}, "32 bits", "64-bit"),
    "no torch": (
        {"torch/__init__.py": "raise ModuleNotFoundError(\"No module named 'torch'\")"},
        "PyTorch is not installed",
        "pip install",
    ),
    "torch with a missing library": (
        {"torch/__init__.py": "raise OSError('c10.dll or a part of it is missing')"},
        "c10.dll",
        "--force-reinstall",
    ),
    "torch that crashes": ({"torch/__init__.py": "import os\nos.abort()"}, "PyTorch does not start", "--force-reinstall"),
    "old torch": ({"torch/__init__.py": TORCH.format("1.13.1+cu118")}, "version 1.13.1", "--upgrade"),
    "another torchvision": (
        {"torchvision/__init__.py": "raise RuntimeError('operator torchvision::nms does not exist')"},
        "torchvision does not fit",
        "pip uninstall torchvision",
    ),
    "no handlens": (
        {"handlens/__init__.py": "raise ModuleNotFoundError(\"No module named 'handlens'\")"},
        "handlens is not",
        "install.py",
    ),
    "no plots": (
        {"matplotlib/__init__.py": "raise ImportError('numpy.core.multiarray failed to import')"},
        "Pictures cannot",
        "matplotlib numpy",
    ),
    "no data": ({"handlens/data.py": DATA.format(False)}, "MNIST is not on this computer", "data fetch mnist"),
    "no Jupyter": ({"jupyterlab.py": "raise ImportError('no jupyterlab')"}, "opens the lessons", "pip install jupyterlab"),
    "no write access": ({"cwd": "/proc"}, "Nothing can be written", "folder of your own"),
    "a file in the way": ({"here/torch.py": "print('mine')"}, "called torch.py", "another name"),
}


def run_on(
    machine: dict[str, str], folder: Path, python: str = sys.executable, file: Path = Path(preflight.__file__)
) -> subprocess.CompletedProcess[str]:
    """What `python preflight.py` says on a computer with these files, whose home folder is `folder`."""
    for name, text in {**HEALTHY, "here/nothing.txt": "", **machine}.items():
        if name != "cwd":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"HOME": str(folder), "USERPROFILE": str(folder)}
    place = machine.get("cwd", folder / "here")
    return subprocess.run([python, str(file)], cwd=place, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", MACHINES)
def test_a_broken_computer_is_told_with_one_fix_for_each_problem(name: str, tmp_path: Path) -> None:
    if name == "no write access" and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    machine, said, fix = MACHINES[name]
    done = run_on(machine, tmp_path)
    first, *rest = done.stdout.strip().splitlines()
    assert done.returncode == 1, done
    assert first == "Not ready yet: 1 thing to mend.", done.stdout
    assert said in done.stdout
    assert [fix in line for line in rest if line.startswith("  Fix: ")] == [True], done.stdout
    assert "Traceback" not in done.stderr


def test_a_healthy_computer_is_ready_in_one_line(tmp_path: Path) -> None:
    done = run_on({}, tmp_path)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done
    assert done.stdout.startswith("Ready: ")


@pytest.mark.usefixtures("mnist")
def test_this_computer_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert Terminal(capsys)("course", "preflight").startswith("Ready: ")


def test_the_verb_says_it_too_where_torch_is_missing(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(MACHINES["no torch"][0]["torch/__init__.py"])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(preflight.__file__).parents[2])])}
    command = [sys.executable, "-m", "handlens", "course", "preflight"]
    (tmp_path / "here").mkdir()
    done = subprocess.run(command, cwd=tmp_path / "here", env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done
    assert "PyTorch is not installed.\n  Fix: " in done.stdout


def test_in_a_course_pack_all_that_is_missing_has_one_fix_without_internet(tmp_path: Path) -> None:
    (tmp_path / "pack" / "wheels").mkdir(parents=True)
    file = Path(shutil.copy(preflight.__file__, tmp_path / "pack"))
    missing = {name: text for one in ("no torch", "no handlens", "no Jupyter") for name, text in MACHINES[one][0].items()}
    said = run_on(missing, tmp_path, file=file).stdout
    assert said.startswith("Not ready yet: 1 thing to mend."), said
    assert all(word in said for word in ("PyTorch is not installed", "handlens is not", "Jupyter")), said
    assert "Fix: install.py again" in said
    assert "pip install" not in said


def test_the_environment_of_the_class_is_looked_at_where_there_is_one(tmp_path: Path) -> None:
    python = tmp_path / preflight.CLASS
    venv.create(python.parents[1], symlinks=os.name != "nt")
    base = getattr(sys, "_base_executable", sys.executable)
    done = run_on(MACHINES["no Jupyter"][0], tmp_path, base)
    first, second, *rest = done.stdout.splitlines()
    assert first == f"In the environment of the class, {python}:"
    assert (second, done.returncode) == ("Not ready yet: 1 thing to mend.", 1)
    assert rest[-1].endswith(f"{python} -m pip install jupyterlab")


def test_a_fix_can_be_pasted_into_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "Program Files" / "python"
    own.parent.mkdir()
    own.write_text("")
    own.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(own))
    assert preflight.python(windows=False) == f"'{own}'"
    assert preflight.python(windows=True) == f'& "{own}"'
    monkeypatch.setenv("PATH", str(own.parent))
    assert preflight.python(windows=False) == preflight.python(windows=True) == "python"


@pytest.mark.parametrize("name", ["preflight.py", "packed/install.py"])
def test_any_python_3_can_read_it(name: str) -> None:
    text = (Path(preflight.__file__).parent / name).read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 4))
    assert "\nfrom __future__" not in text
    assert not any(word in text for word in ('f"', ":=", "match "))
