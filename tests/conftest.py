"""What every test has: real MNIST kept outside the checkout, a runs folder of its own, one thread, and the watch for leaks."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch: two test processes on two processors, one thread each
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before any test imports onnxruntime

import shutil
import signal
from pathlib import Path

import hypothesis
import platformdirs
import pytest
from corpus import amount, commit
from leaks import nothing_leaks, own_temporary_folder
from terminal import Terminal

import handlens as hl

__all__ = ["nothing_leaks", "own_temporary_folder"]

SHARED_DATA = Path(os.environ.get("HANDLENS_DATA") or platformdirs.user_cache_path("handlens-tests"))

hypothesis.settings.register_profile(
    "handlens",
    max_examples=amount("examples", 200),
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("handlens")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let the commit choose hypothesis's examples too: the same commit, the same tests. And let Ctrl-C arrive.

    What is started in the background ignores it, and so does all that it starts, until a handler is set.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = str(int(commit()[:12], 16) if commit() != "none" else 0)


def pytest_report_header() -> list[str]:
    """Say what decides this run."""
    return [f"commit: {commit()} (chooses the tenth of each big corpus)", f"data: {SHARED_DATA}"]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say in the very last line what was skipped because the extra files are not here."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    reasons = {str(report.longrepr[2]) for report in reporter.stats.get("skipped", ()) if isinstance(report.longrepr, tuple)}
    missing = sorted(reason.split("HANDLENS_SHARED: ")[1] for reason in reasons if "HANDLENS_SHARED: " in reason)
    if missing:
        print(f"HANDLENS_SHARED is not set, so what needs these was skipped: {', '.join(missing)}")


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test stands in a folder of its own, where its runs go too; data come from the one that all share.

    A test of an empty cache sets HANDLENS_DATA itself.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HANDLENS_DATA", str(SHARED_DATA))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # where the code files that the user named are remembered


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data that all tests share."""
    return SHARED_DATA


@pytest.fixture(scope="session")
def mnist() -> hl.Dataset:
    """The real MNIST, 10 % of it kept apart as val. Fetched once in the life of the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_DATA", str(SHARED_DATA))  # a fixture of the session comes before those of a test
        return hl.load("mnist")


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The command line in this process."""
    return Terminal(capsys)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium. On CI a missing one fails the test, elsewhere it skips it."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("No Chromium on this machine: apt-get install chromium (as .ci/run does).")
    if found is None:
        pytest.skip("No Chromium on this machine.")
    return found
