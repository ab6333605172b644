"""What is installed is what was tested: public names, the wheel, the locks, and what a quick `--help` may import."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from corpus import ROOT
from packaging.requirements import Requirement

import handlens as hl

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PACK_LOCK = "src/handlens/course/packed/class.lock"
PUBLIC = """
    Config Dataset Evaluation HandlensError Run Split State Sweep
    analysis batches compare course data device diagnose doctor explain export find_lr fit import_run list_runs load load_run load_sweep
    metrics mine models plots regression resume sweep train widgets
""".split()


def test_public_names_are_these() -> None:
    assert sorted(hl.__all__) == sorted(PUBLIC)
    assert dir(hl) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(hl, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="loda"):
        _ = hl.loda


def test_the_package_can_be_sent_to_another_process_as_any_module_can() -> None:
    for package in (hl, hl.data):
        assert pickle.loads(pickle.dumps(package)) is package


def test_the_version_is_written_once_for_each_reader() -> None:
    assert hl.__version__ == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def modules_after(code: str) -> set[str]:
    """What a new process has imported after running `code`."""
    answer = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True)
    return set(answer.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"], ["nonsense"]], ids=" ".join)
def test_help_imports_nothing_slow(words: list[str]) -> None:
    code = f"from handlens.cli import main\ntry:\n    main({words})\nexcept SystemExit:\n    pass"
    slow = {"torch", "numpy", "matplotlib"} | ({"pydantic"} if words[0] != "train" else set())
    assert not slow & modules_after(code)


def test_importing_the_package_imports_nothing_slow() -> None:
    assert not {"torch", "numpy", "matplotlib", "pydantic", "click"} & modules_after("import handlens")


def test_python_m_handlens_is_the_command_handlens() -> None:
    assert PROJECT["scripts"] == {"handlens": "handlens.cli:main"}
    answer = subprocess.run([sys.executable, "-m", "handlens", "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout == f"handlens, version {hl.__version__}\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: the build leaves its traces where the sources are."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "handlens").rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        names = " ".join(archive.namelist())
    assert held == {name for name in sources if "__pycache__" not in name}
    assert "handlens/py.typed" in held
    assert "/licenses/LICENSE" in names


def test_the_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        metadata = Parser().parsestr(archive.read(f"handlens-{hl.__version__}.dist-info/METADATA").decode())
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import handlens.cli; print(handlens.__file__)"
    code += "; handlens.cli.main(['train', '--list'])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith(str(tmp_path))
    assert "session" in answer.stdout
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == "<3.15,>=3.11"


def entries(lock: str) -> dict[str, list[str]]:
    """The lines of a lock by name of the package; a package may have one for each of several Pythons."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if not line.startswith("#"):
            found.setdefault(line.split("==")[0], []).append(line)
    return found


@pytest.mark.parametrize("lock", [*LOCKS, PACK_LOCK])
def test_a_lock_pins_everything_by_hash_but_torch(lock: str) -> None:
    locked = entries(lock)
    assert locked.pop("torch") == ["torch==2.13.0"]
    for line in (line for lines in locked.values() for line in lines):
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^#]*)?( ?--hash=sha256:[0-9a-f]{64})+", line), line


@pytest.mark.parametrize("lock", [*LOCKS, PACK_LOCK])
def test_a_lock_names_no_place_and_no_cuda(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^--|nvidia|cuda|triton", text, re.MULTILINE)


def test_what_a_run_needs_is_in_the_lock_of_the_tests_at_the_same_versions() -> None:
    run, dev = (entries(lock) for lock in LOCKS)
    assert {name: dev.get(name) for name in run} == run


def test_what_a_pack_has_is_in_the_lock_of_the_tests_at_the_same_versions() -> None:
    pack, dev = entries(PACK_LOCK), entries("requirements-dev.lock")
    versions = {name: [line.partition(" ")[0] for line in lines] for name, lines in pack.items()}
    assert {name: [line.partition(" ")[0] for line in dev.get(name, [])] for name in pack} == versions


@pytest.mark.parametrize("lock, extra", [(LOCKS[0], ""), (LOCKS[1], "dev"), (PACK_LOCK, ""), (PACK_LOCK, "notebook")])
def test_the_lock_fits_the_project(lock: str, extra: str) -> None:
    locked = entries(lock)
    for needed in map(Requirement, PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]):
        for line in locked[needed.name]:
            assert needed.specifier.contains(line.split("==")[1].split(" ")[0]), line


MADE_BY_MAKE = pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="about the environment that make makes")


@MADE_BY_MAKE
def test_the_package_is_found_in_a_folder_with_accents_by_a_python_with_a_broken_locale() -> None:
    path_file = next(Path(sys.prefix).glob("lib/python*/site-packages/__editable__.handlens-*.pth"))
    assert path_file.read_bytes().isascii()
    environment = {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, "LC_ALL": "xx_XX.UTF-8"}
    answer = subprocess.run([sys.executable, "-m", "handlens", "--version"], env=environment, capture_output=True, text=True, check=True)
    assert hl.__version__ in answer.stdout


@MADE_BY_MAKE
def test_pip_finds_the_lock_installed_and_passes_over_torch_without_a_hash() -> None:
    options = ["--dry-run", "--no-index", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command = [sys.executable, "-m", "pip", "install", *options, "--requirement", str(ROOT / LOCKS[1])]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "Would install" not in answer.stdout


def test_the_package_imports_what_it_says_it_needs_and_only_that() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", code, re.MULTILINE)) - set(sys.stdlib_module_names) - {"handlens"}
    imported = {{"PIL": "pillow", "sklearn": "scikit-learn"}.get(name, name).replace("_", "-") for name in imported}
    needed = {Requirement(need).name for need in PROJECT["dependencies"]}
    extras = {Requirement(need).name for name, needs in PROJECT["optional-dependencies"].items() if name != "dev" for need in needs}
    assert needed <= imported <= needed | extras
