"""The watch for leaks sees a leak of each kind, and nothing in tests that clean up."""

import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

LEAKY = """
    import _thread, os, subprocess, tempfile, threading, time
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

    def test_shared_memory():
        memory = shared_memory.SharedMemory(create=True, size=10)
        resource_tracker.unregister(memory._name, "shared_memory")
        memory.close()
        kept.append(memory)

    def test_foot():
        kept[0].kill()
        kept[0].wait()
        resource_tracker.register(kept[1]._name, "shared_memory")
        kept[1].unlink()
"""
SEEN = ["descriptor: /dev/null", "thread: Python thread*", "thread: native thread*", "child: sleep*", "child: one that has ended*"]
SEEN += ["temporary file: tmp*", "shared memory: psm_*"]

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
    result.assert_outcomes(passed=8, errors=7)
    for line in SEEN:
        result.stdout.fnmatch_lines(["This test left behind", f"  {line}"])


def test_clean_tests_pass(pytester: pytest.Pytester) -> None:
    run(pytester, CLEAN).assert_outcomes(passed=2)
