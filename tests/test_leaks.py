"""The watch for leaks sees a leak of each kind, and nothing in tests that clean up."""

import subprocess
import sys
import textwrap
from pathlib import Path

import leaks
import psutil
import pytest

pytest_plugins = ["pytester"]

LEAKY = """
    import _thread, multiprocessing, os, subprocess, tempfile, threading, time
    from multiprocessing import resource_tracker, shared_memory

    kept = []

    def test_descriptor():
        os.open(os.devnull, os.O_RDONLY)

    def test_python_thread():
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()

    def test_native_thread():
        _thread.start_new_thread(time.sleep, (20,))

    def test_child():
        kept.append(subprocess.Popen(["sleep", "20"]))

    def test_unwaited_child():
        if not os.fork():
            os._exit(0)

    def test_temporary_file():
        os.close(tempfile.mkstemp()[0])

    def test_semaphore():
        kept.append(multiprocessing.get_context("spawn").Lock())

    def test_quick_disk():
        kept.append(tempfile.mkdtemp(prefix=f"hl-{os.getpid()}-", dir="/dev/shm"))

    def test_shared_memory():
        memory = shared_memory.SharedMemory(create=True, size=10)
        resource_tracker.unregister(memory._name, "shared_memory")
        memory.close()
        kept.append(memory)

    def test_foot():
        kept[0].kill()
        kept[0].wait()
        os.rmdir(kept[2])
        resource_tracker.register(kept[3]._name, "shared_memory")
        kept[3].unlink()
        kept.clear()
"""
SEEN = ["descriptor: /dev/null", "thread: Python thread*", "thread: native thread*", "child: sleep*", "child: one that has ended*"]
SEEN += ["temporary file: tmp*", "shared memory: sem.mp-*", "shared memory: hl-*", "shared memory: psm_*"]

CLEAN = """
    import multiprocessing, os, subprocess, tempfile, threading
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    from multiprocessing.shared_memory import SharedMemory

    def test_clean():
        subprocess.run(["true"], check=True)
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "x"), "w"):
            pass
        memory = SharedMemory(create=True, size=10)
        memory.close()
        memory.unlink()

    def test_libraries_that_keep_things_once():
        import io
        from matplotlib.figure import Figure
        figure = Figure()
        figure.subplots().set_title("1")
        figure.savefig(io.BytesIO(), format="png")
        torch.set_num_threads(4)
        torch.ones(1 << 20).add_(1)
        assert len(list(DataLoader(TensorDataset(torch.ones(8, 2)), 2, num_workers=2))) == 4
"""


def run(pytester: pytest.Pytester, code: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=textwrap.dedent(code))
    pytester._monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    pytester.makeconftest("import leaks\nfrom leaks import nothing_leaks, own_temporary_folder\nleaks.PATIENCE_S = 0.3")
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist")


def test_each_kind_of_leak_fails_its_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, LEAKY)
    result.assert_outcomes(passed=10, errors=9)
    for line in SEEN:
        result.stdout.fnmatch_lines(["This test left behind", f"  {line}"])


def test_what_another_program_has_in_shared_memory_is_not_ours_as_long_as_it_runs() -> None:
    code = "import multiprocessing; kept = multiprocessing.get_context('spawn').Lock(); print(kept._semlock.name, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        name = "sem." + other.stdout.readline().strip().removeprefix("/")
        assert name in leaks.holdings()["shared memory"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psutil.Process, "children", lambda *_, **__: [])
            assert name not in leaks.holdings()["shared memory"]
        other.communicate("\n")


def test_clean_tests_pass(pytester: pytest.Pytester) -> None:
    run(pytester, CLEAN).assert_outcomes(passed=2)
