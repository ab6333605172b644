"""tools/venv.sh makes .venv, is quick when nothing changed, and repairs what a killed call left. Python and pip are stand-ins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from corpus import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for Linux and macOS")

# Says its version, makes an environment that holds a copy of itself, and writes down every call of pip.
STAND_IN = """\
#!/bin/sh
case "$*" in
    --version) echo "Python VERSION" ;;
    "-m pip "*"--version") [ -e "$(dirname "$0")/pip" ] ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && touch "$3/bin/pip" ;;
    *" show torch") [ ! -e cuda ] || echo "Requires: filelock, nvidia-cublas" ;;
    "-m pip "*) echo "$*" >> calls; [ ! -e "fail" ] || exit 1; [ ! -e "kill" ] || kill -9 $PPID ;;
    *"import sys, venv"*) exit USABLE ;;
    *find_spec*) exit 1 ;;
esac
"""


class Checkout:
    """A checkout with nothing in it but what the script needs, and a PATH with nothing but what is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "Prüfung mit Leerzeichen"
        self.programs = folder / "bin"
        self.calls = self.folder / "calls"
        (self.folder / "tools").mkdir(parents=True)
        self.programs.mkdir()
        shutil.copy(ROOT / "tools" / "venv.sh", self.folder / "tools")
        for name in ("requirements.lock", "requirements-dev.lock"):
            (self.folder / name).write_text("torch==2.13.0\nclick==8\n", encoding="utf-8")
        (self.folder / "pyproject.toml").touch()
        for name in ("sh", "dirname", "cat", "cmp", "rm", "mkdir", "cp", "touch", "uname", "grep", "sleep"):
            (self.programs / name).symlink_to(shutil.which(name) or name)

    def python(self, name: str, version: str = "3.12.1", *, usable: bool = True) -> None:
        """Put a stand-in for an interpreter into the PATH."""
        program = self.programs / name
        program.write_text(STAND_IN.replace("VERSION", version).replace("USABLE", str(int(not usable))), encoding="utf-8")
        program.chmod(0o755)

    def run(self, lock: str = "requirements.lock", torch: str = "") -> subprocess.CompletedProcess[str]:
        """Call the script, from another folder."""
        self.calls.unlink(missing_ok=True)
        command = ["sh", str(self.folder / "tools" / "venv.sh"), lock, torch]
        return subprocess.run(command, env={"PATH": str(self.programs)}, cwd="/", capture_output=True, text=True, check=False)

    def pip(self) -> list[str]:
        """How pip was called since the last `run`, without what is the same every time."""
        lines = self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []
        return [line.removeprefix("-m pip --disable-pip-version-check install ") for line in lines]


INSTALLATION = [
    "--no-deps torch==2.13.0",
    "--quiet --no-deps --only-binary :all: --require-hashes -r requirements.lock",
    "--quiet --no-build-isolation --editable .",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_from_nothing_torch_then_the_lock_with_hashes_then_the_package(checkout: Checkout) -> None:
    checkout.python("python3")
    assert checkout.run().returncode == 0
    assert checkout.pip() == INSTALLATION


def test_the_second_call_does_nothing(checkout: Checkout) -> None:
    checkout.python("python3")
    checkout.run()
    second = checkout.run()
    assert (second.returncode, second.stdout, checkout.pip()) == (0, "", [])


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_is_installed_into_the_environment_that_is_there(checkout: Checkout, changed: str) -> None:
    checkout.python("python3")
    checkout.run()
    with (checkout.folder / changed).open("a") as file:
        file.write("# new\n")
    assert "Making" not in checkout.run().stdout
    assert checkout.pip() == INSTALLATION


def test_what_the_tests_need_holds_what_a_run_needs(checkout: Checkout) -> None:
    checkout.python("python3")
    checkout.run("requirements.lock")
    checkout.run("requirements-dev.lock")
    assert len(checkout.pip()) == 3
    checkout.run("requirements.lock")
    assert checkout.pip() == []


def test_going_back_to_an_older_lock_installs_that(checkout: Checkout) -> None:
    checkout.python("python3")
    checkout.run("requirements-dev.lock")
    old = {path: path.read_bytes() for path in checkout.folder.glob("*.lock")}
    for path in old:
        path.write_bytes(b"torch==2.13.0\nclick==9\n")
    checkout.run("requirements.lock")
    for path, content in old.items():
        path.write_bytes(content)
    checkout.run("requirements.lock")
    assert checkout.pip() == INSTALLATION


@pytest.mark.parametrize("before", ["nothing", "an older lock"])
@pytest.mark.parametrize("way", ["kill", "fail"])
def test_after_a_call_that_was_killed_or_failed_the_next_one_starts_anew(checkout: Checkout, way: str, before: str) -> None:
    checkout.python("python3")
    if before == "an older lock":
        checkout.run()
        (checkout.folder / "requirements.lock").write_text("torch==2.13.0\nclick==9\n", encoding="utf-8")
    (checkout.folder / way).touch()
    assert checkout.run().returncode != 0
    assert len(checkout.pip()) == 1
    (checkout.folder / way).unlink()
    (checkout.folder / ".venv" / "half-installed").touch()
    again = checkout.run()
    assert "making it anew" in again.stdout
    assert checkout.pip() == INSTALLATION
    assert not (checkout.folder / ".venv" / "half-installed").exists()
    assert checkout.run().stdout == ""


@pytest.mark.parametrize("kind", ["empty folder", "without pip", "interpreter gone", "moved here"])
def test_an_environment_that_does_not_work_is_made_anew(checkout: Checkout, kind: str) -> None:
    checkout.python("python3")
    checkout.run()
    environment = checkout.folder / ".venv"
    if kind == "empty folder":
        shutil.rmtree(environment)
        environment.mkdir()
    elif kind == "without pip":
        (environment / "bin" / "pip").unlink()
        (environment / "requirements.lock.installed").unlink()
    elif kind == "interpreter gone":
        (environment / "bin" / "python").unlink()
        (environment / "bin" / "python").symlink_to("/nowhere/python3.12")
    else:
        checkout.folder = checkout.folder.rename(checkout.folder.with_name("elsewhere"))
        checkout.calls = checkout.folder / "calls"
    checkout.run()
    assert checkout.pip() == INSTALLATION


def test_another_call_that_is_at_work_is_waited_for(checkout: Checkout) -> None:
    checkout.python("python3")
    checkout.run()
    unfinished = checkout.folder / ".venv" / "unfinished"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        unfinished.write_text(str(other.pid), encoding="utf-8")
        command = ["sh", str(checkout.folder / "tools" / "venv.sh"), "requirements.lock"]
        with subprocess.Popen(command, env={"PATH": str(checkout.programs)}, stdout=subprocess.PIPE, text=True) as call:
            assert call.stdout is not None
            assert f"Process {other.pid} is making .venv already" in call.stdout.readline()
            unfinished.unlink()
            assert call.wait(10) == 0
            assert call.stdout.read() == ""
        other.kill()


@pytest.mark.parametrize("there", ["python3.11", "python3.14"])
def test_the_first_python_that_is_supported_is_taken(checkout: Checkout, there: str) -> None:
    checkout.python("python3", "3.9.2", usable=False)
    checkout.python(there, "3.12.7")
    assert "Making .venv with Python 3.12.7" in checkout.run().stdout


def test_without_a_python_one_sentence_says_what_is_missing(checkout: Checkout) -> None:
    checkout.python("python3", "3.9.2", usable=False)
    answer = checkout.run()
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "needs Python 3.11 to 3.14" in answer.stderr
    assert "python3 here: Python 3.9.2" in answer.stderr


def test_the_question_put_to_an_interpreter_is_answered_by_this_one() -> None:
    script = (ROOT / "tools" / "venv.sh").read_text(encoding="utf-8")
    question = script.split('"$1" -c \'')[1].split("'")[0]
    assert subprocess.run([sys.executable, "-c", question], check=False).returncode == 0
    assert subprocess.run([sys.executable, "-c", question.replace("3, 11", "3, 99")], check=False).returncode == 1


@pytest.mark.skipif(sys.platform != "linux" or Path("/proc/driver/nvidia/version").exists(), reason="about Linux without an NVIDIA card")
@pytest.mark.parametrize("lock, target", [("requirements.lock", "run"), ("requirements-dev.lock", "test")])
def test_the_size_of_cuda_is_said_before_it_comes(checkout: Checkout, lock: str, target: str) -> None:
    checkout.python("python3")
    said = checkout.run(lock).stdout
    assert "2.7 GB" in said
    assert f"make {target} TORCH=cpu" in said
    (checkout.programs / "nvidia-smi").symlink_to("/bin/true")
    shutil.rmtree(checkout.folder / ".venv")
    assert "GB" not in checkout.run(lock).stdout


def test_a_download_of_cuda_is_not_silent(checkout: Checkout) -> None:
    checkout.python("python3")
    (checkout.folder / "cuda").touch()
    assert "the CUDA packages" in checkout.run().stdout
    assert checkout.pip()[-1] == "--no-build-isolation --editable ."


def test_torch_cpu_takes_the_cpu_build_and_needs_no_warning(checkout: Checkout) -> None:
    checkout.python("python3")
    assert "GB" not in checkout.run(torch="cpu").stdout
    assert checkout.pip()[0] == "--no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.13.0"
    assert checkout.pip()[1:] == INSTALLATION[1:]
