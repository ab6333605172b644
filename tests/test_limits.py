import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from drivers import running, wait_until
from nursery import slowed

from handlens.limits import Limits, physical_memory, run_limited, usable_memory

UNIX = pytest.mark.skipif(os.name == "nt", reason="Windows limits the time only.")


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_what_it_says_and_how_it_ends_comes_back(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['X'], sys.argv[1:], sys.stdin.read()); print('no', file=sys.stderr); sys.exit(3)"
    done = run_limited(python(code, "a", "-b"), Limits(), folder=tmp_path, environment={"X": "größe", "PYTHONUTF8": "1"})
    assert done.stdout == f"{tmp_path} größe ['a', '-b'] \n"
    assert done.stderr == "no\n"
    assert (done.returncode, done.timed_out) == (3, False)
    assert 0 < done.time_s < 10


def test_time_is_up() -> None:
    start = time.monotonic()
    done = run_limited(python("print('begun', flush=True); import time; time.sleep(60)"), Limits(time_s=1))
    assert done.timed_out
    assert done.stdout == "begun\n"
    assert time.monotonic() - start < slowed(5)


APPEND = """
try:
    open("file", "ab", 0).write(bytes((1 << 20) + 1))
    open("file", "ab", 0).write(b"x")
except OSError as error:
    print(error.errno)
"""
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
print(os.getpid(), flush=True)
time.sleep(60)
"""
ORPHAN = """
import os, time
if os.fork() == 0:
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(0.3)
"""


def all_gone(text: str) -> bool:
    """Whether the processes with these numbers end, now that they were killed."""
    deadline = time.monotonic() + 5
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in map(int, text.split())):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@UNIX
def test_time_is_up_for_one_that_ignores_signals_and_for_its_children() -> None:
    done = run_limited(python(STUBBORN), Limits(time_s=1))
    assert done.timed_out
    assert done.returncode == -signal.SIGKILL
    assert len(done.stdout.split()) == 2
    assert all_gone(done.stdout)


@UNIX
def test_a_child_that_outlives_its_parent_is_ended() -> None:
    start = time.monotonic()
    done = run_limited(python(ORPHAN), Limits(time_s=10))
    assert (done.returncode, done.timed_out) == (0, False)
    assert time.monotonic() - start < slowed(5)
    assert all_gone(done.stdout)


PARENT = """
import sys
from handlens.limits import Limits, run_limited
run_limited([sys.executable, "-c", "import os, time; open('child', 'w').write(str(os.getpid())); time.sleep(60)"], Limits())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system ends no child with its parent")
def test_it_ends_when_we_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running("-c", PARENT) as parent:
        wait_until(lambda: Path("child").is_file() and Path("child").read_text(), "the child")
        parent.kill()
        assert all_gone(Path("child").read_text())


@UNIX
def test_an_endless_loop_is_ended_also_by_the_processors_time() -> None:
    done = run_limited(python("while True: pass"), Limits(time_s=1))
    assert done.timed_out


@UNIX
def test_memory_is_limited() -> None:
    code = "try:\n    x = bytearray(1 << 30)\nexcept MemoryError:\n    print('too much')"
    assert run_limited(python(code), Limits(memory_bytes=500 << 20)).stdout == "too much\n"
    assert run_limited(python(code), Limits()).stdout == ""


@UNIX
def test_the_size_of_files_is_limited(tmp_path: Path) -> None:
    assert run_limited(python(APPEND), Limits(file_bytes=1 << 20), folder=tmp_path).stdout == "27\n"
    assert (tmp_path / "file").stat().st_size == 1 << 20
    assert run_limited(python(APPEND), Limits(), folder=tmp_path).stdout == ""


def test_of_endless_talk_the_beginning_is_kept() -> None:
    done = run_limited(python("print('x' * (3 << 20)); import sys; sys.stderr.write('é' * (1 << 20))"), Limits(time_s=20))
    assert done.stdout == "x" * (1 << 20)
    assert len(done.stderr.encode()) <= (1 << 20) + 3


def test_what_is_no_text_is_shown_as_far_as_it_is() -> None:
    done = run_limited(python("import sys; sys.stdout.buffer.write(b'a\\xffb')"), Limits())
    assert done.stdout == "a\ufffdb"


def test_zero_is_no_limit() -> None:
    done = run_limited(python("import time; time.sleep(0.2); print(1)"), Limits(time_s=0))
    assert (done.stdout, done.timed_out) == ("1\n", False)


def test_where_the_system_limits_no_memory_a_program_runs_all_the_same(tmp_path: Path) -> None:
    lines = "RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_AS = 0, 1, 5", "def setrlimit(kind, limits):", "    if kind == 5: raise ValueError('macOS')"
    (tmp_path / "resource.py").write_text("\n".join(lines))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert run_limited(python("print('good')"), Limits(memory_bytes=4 << 30), environment=environment).stdout == "good\n"


def test_a_program_that_is_not_there_ends_badly() -> None:
    done = run_limited(["/no/such/program"], Limits())
    assert done.returncode != 0
    assert not done.timed_out


@UNIX
def test_a_signal_is_told() -> None:
    assert run_limited(python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"), Limits()).returncode == -signal.SIGSEGV


def test_without_resource_the_time_is_still_limited(tmp_path: Path) -> None:
    (tmp_path / "resource.py").write_text("raise ImportError('Windows has none')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert run_limited(python("import sys; print('good'); sys.exit(4)"), Limits(time_s=10), environment=environment).returncode == 4
    done = run_limited(python("import time; time.sleep(60)"), Limits(time_s=1), environment=environment)
    assert done.timed_out


@pytest.mark.parametrize(
    "groups, limits, gib",
    [
        ("0::/\n", {"memory.max": "max"}, 0),
        ("0::/\n", {"memory.max": str(1 << 30)}, 1),
        ("0::/jobs/mine\n", {"jobs/mine/memory.max": "max", "jobs/memory.max": str(2 << 30)}, 2),
        ("5:cpu:/a\n4:memory:/jobs/mine\n0::/\n", {"memory/memory.limit_in_bytes": str(3 << 30)}, 3),
        ("4:memory:/a\n", {"memory/memory.limit_in_bytes": str(3 << 30), "memory/a/memory.limit_in_bytes": str(1 << 30)}, 1),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, 0),
        ("nonsense", {}, 0),
    ],
)
def test_a_container_may_have_less_memory_than_its_machine(groups: str, limits: dict[str, str], gib: int, tmp_path: Path) -> None:
    for name, text in {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{file}": f"{limit}\n" for file, limit in limits.items()}}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert usable_memory(tmp_path) == (gib << 30 or physical_memory())
