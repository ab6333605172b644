"""The wheels of a course pack: which ones a system needs, and pip that gets them."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from packaging.requirements import Requirement

from handlens import files
from handlens.data import pip
from handlens.errors import FailedError

PYTHON = "3.12"  # which Python the wheels for a named system are for
# PyTorch for Linux from the package index needs 2.7 GB of CUDA, which a class on laptops has no use for.
_CPU_INDEX = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class System:
    """A kind of computer: the platforms of wheels that run on it, those for its oldest versions first, and its marker variables."""

    platforms: tuple[str, ...]
    markers: dict[str, str]


def _glibc(minor: int) -> str:
    return f"manylinux_2_{minor}_x86_64"


SYSTEMS = {
    "windows": System(
        ("win_amd64",),
        {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
    ),
    "macos": System(
        tuple(f"macosx_{version}_0_arm64" for version in (11, 12, 13, 14)),
        {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    ),
    "linux": System(
        (*map(_glibc, range(5, 29)), "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
        {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    ),
}
_INTERPRETER = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.0",
}


def markers(system: str = "") -> dict[str, str]:
    """The marker variables of a system; none for this computer, which `packaging` knows."""
    return {**_INTERPRETER, **SYSTEMS[system].markers} if system else {}


def needed(system: str = "") -> list[str]:
    """The lines of the pack's lock that hold on a system, without their markers; on this computer if none is named. The first is torch.

    pip would judge the markers by the computer that it runs on, and not by the one that the wheels are for.
    """
    variables = markers(system)
    return [f"{need.name}{need.specifier}{hashes}" for need, hashes in _lock() if not need.marker or need.marker.evaluate(variables)]


def download(place: Path, system: str = "", wheels: Path | None = None) -> None:
    """Let pip get what is needed on a system, each file with a hash of the lock.

    Args:
        place: where the wheels go; those that are there already stay.
        system: a key of `SYSTEMS`; this computer if empty.
        wheels: a folder where wheels are looked for too.

    Raises:
        FailedError: pip could not get a wheel.
    """
    words = ["--find-links", str(wheels)] if wheels else []
    if system:
        words += ["--python-version", PYTHON, "--implementation", "cp"]
        words += [word for one in SYSTEMS[system].platforms for word in ("--platform", one)]
    torch, *others = needed(system)
    with tempfile.TemporaryDirectory() as folder:
        listed = files.write_atomic(Path(folder) / "needed.txt", "\n".join(others))
        problem = pip.download([*words, "--require-hashes", "--requirement", str(listed)], place)
    problem = problem or _torch(words, torch, place, linux=(system or sys.platform) == "linux")
    if problem:
        hint = "Try again with internet that lets pip through, or bring the wheels: --wheels FOLDER"
        raise FailedError(f"pip could not get all wheels: {problem}.", where=str(place), hint=hint)


def _torch(words: list[str], requirement: str, place: Path, *, linux: bool) -> str:
    """Get PyTorch, for the processor alone: from where pip looks at all, else from PyTorch's own index."""
    if not linux:
        return pip.download([*words, requirement], place)
    here = f"{requirement}+cpu"
    return pip.download([*words, here], place) and pip.download([*words, "--index-url", _CPU_INDEX, here], place)


def _lock() -> list[tuple[Requirement, str]]:
    """Each line of the lock as a requirement, and its hashes as pip writes them; torch, which has none, comes first."""
    text = resources.files("handlens.course").joinpath("packed/class.lock").read_text(encoding="utf-8")
    lines = [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if not line.startswith("#")]
    pieces = [re.split(r"\s*(?=--hash)", line, maxsplit=1) for line in lines]
    return [(Requirement(line), "".join(f" {one}" for one in hashes)) for line, *hashes in pieces]
