"""What can be shown here of Windows, macOS and other terminals; the systems themselves were not run."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import small_data

import handlens as hl

HERE = Path(__file__).parent
WITHOUT_UNIX = """
import sys
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None

import handlens as hl
from handlens import runs
from handlens.fit import starting
from handlens.limits import Limits, run_limited
from handlens.plan import plan
from small import small_data

assert "fcntl" in sys.modules and sys.modules["fcntl"] is None
knobs = hl.Config(epochs=3, hidden_sizes=(8,))
with starting(plan(knobs, data=small_data()), name="first") as training:
    try:
        with runs.writing(training.run.folder):
            raise SystemExit("a second process could write")
    except hl.HandlensError as error:
        print("busy:", error.what)
    for row in training:
        if row["epoch"] == 1:
            break
run = hl.resume("first", data=small_data(), quiet=True)
print(run.status, run.evaluate("test").n, [one.name for one in hl.list_runs()])
print(run_limited([sys.executable, "-c", "print('limited')"], Limits(time_s=20)).stdout.strip())
"""


def child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own."""
    paths = os.pathsep.join([str(HERE.parent / "src"), str(HERE)])
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths, **environment}, capture_output=True, text=True, check=False
    )


def test_without_fcntl_resource_termios_and_pwd_it_trains_locks_and_resumes() -> None:
    done = child(WITHOUT_UNIX)
    assert done.returncode == 0, done.stderr
    busy, finished, limited = done.stdout.splitlines()
    assert busy.startswith("busy: Run 'first' is being trained.")
    assert finished == "complete 80 ['first']"
    assert limited == "limited"


NOTE = "Größe ✓ 数"
SESSION = [
    (0, ["train", "softmax", "--data", "tiny", "--epochs", "1", "--name", "one", "--note", NOTE]),
    (0, ["runs", "ls"]),
    (0, ["runs", "show", "one"]),
    (0, ["runs", "show", "one", "--json"]),
    (0, ["runs", "tag", "one", "schön", "数"]),
    (4, ["runs", "show", "größe"]),
    (0, ["evaluate", "one"]),
    (0, ["runs", "repeat", "one", "--name", "two"]),
    (0, ["compare", "one", "two"]),
    (0, ["data", "ls"]),
    (0, ["info"]),
    (2, ["train", "séssion"]),
    (2, ["train", "--name", "größe"]),
    (0, ["train", "--help"]),
]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_console_that_cannot_show_all_letters_shows_the_rest_of_a_whole_session(encoding: str, tmp_path: Path) -> None:
    code = f"""
import jobs
for _, words in {SESSION!r}:
    try:
        jobs.cli(*words)
    except SystemExit as ended:
        print("exit", ended.code)
"""
    places = {"HANDLENS_RUNS": str(tmp_path / "Läufe von Zoé, 数"), "HANDLENS_DATA": str(tmp_path / "Bilder für 数")}
    paths = os.pathsep.join([*(path for path in sys.path if path), str(HERE)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **places, "PYTHONPATH": paths, "PYTHONIOENCODING": encoding, "NO_COLOR": "1"},
        capture_output=True,
        check=False,
    )
    shown, told = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 0, told
    assert [int(line.split()[1]) for line in shown.splitlines() if line.startswith("exit ")] == [code for code, _ in SESSION], told
    assert "Test accuracy" in shown
    assert "Traceback" not in told
    assert "has a fault" not in told
    assert "\x1b" not in shown + told
    assert ("Größe ? ?" if encoding == "cp1252" else "Gr??e ? ?") in shown


def fit_in_a_folder(folder: str) -> tuple[str, str]:
    os.environ["HANDLENS_RUNS"] = folder
    run = hl.fit("mlp", small_data(), epochs=1, hidden_sizes=(8,), name="spawned", threads=1, quiet=True)
    return run.status, run.checkpoint["sha256"]


def test_a_spawned_process_trains_to_the_same_bits_in_a_folder_with_spaces_and_accents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "Läufe von Zoé, 数"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        status, sha256 = pool.apply(fit_in_a_folder, (str(folder),))
        pool.close()
        pool.join()
    assert status == "complete"
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path / "here"))
    assert hl.fit("mlp", small_data(), epochs=1, hidden_sizes=(8,), threads=1, quiet=True).checkpoint["sha256"] == sha256
    assert [run.name for run in hl.list_runs(folder)] == ["spawned"]


def test_a_check_lets_code_write_to_the_null_device_and_not_remove_it() -> None:
    code = """
import os
import sys
from pathlib import Path
from handlens.course import fence

fence.close(Path("."))
os.path.realpath = lambda path, **_: r"\\\\.\\NUL"  # as on Windows
print("yes", file=open(os.devnull, "w"))
try:
    os.remove(os.devnull)
except PermissionError as error:
    print(type(error).__name__)
"""
    done = child(code)
    assert done.stdout == "Fenced\n", done.stderr
