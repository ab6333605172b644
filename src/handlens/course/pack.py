"""`make_pack`: a folder with all that a class needs in a room without internet."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import handlens
from handlens import files
from handlens.course.folder import start
from handlens.data import fetch
from handlens.data.cache import root
from handlens.errors import FailedError, UsageError, nearest

DATA = ("mnist", "fashion-mnist")
# What pip calls the systems, by the name that one says.
SYSTEMS = {
    "windows": ("win_amd64",),
    "macos": ("macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_12_0_arm64"),
    "linux": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
}
_PYTHON = "3.12"  # which Python wheels for other systems are for
_CHUNK = 1 << 22
_WAIT_S = 3600

Say = Callable[[str], None]


@dataclass(frozen=True)
class Packed:
    """What a pack holds: how many wheels and data sets, and its size in bytes."""

    folder: str
    wheels: int
    data: int
    size_bytes: int


def make_pack(folder: Path, systems: Sequence[str] = (), wheels: Path | None = None, say: Say = lambda _text: None) -> Packed:
    """Put wheels, data and the course into a folder.

    Args:
        folder: a new one, or an empty one.
        systems: `windows`, `macos`, `linux`; the one we are on if there are none.
        wheels: a folder with wheels, where they are looked for too.
        say: is told what goes on.

    Raises:
        UsageError: the folder is not empty, or a system is unknown.
        FailedError: pip could not get a wheel.
        DataMissing: MNIST or Fashion-MNIST cannot be had.
    """
    for system in systems:
        if system not in SYSTEMS:
            raise UsageError(f"There is no system '{system}'.", hint=nearest(system, SYSTEMS))
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("The folder is not empty.", where=str(folder), hint="Name a new one.")
    place = files.make_folder(folder / "wheels")
    say("handlens itself")
    files.write_atomic(place / _wheel_name(), own_wheel())
    for system in systems or ("",):
        say(f"Wheels{f' for {system}' if system else ''}; PyTorch is the large one")
        _download(place, SYSTEMS.get(system, ()), wheels)
    for name in DATA:
        say(f"Data set {name}")
        fetch(name)
        _copy(root() / name, folder / "data" / name)
    start(folder / "course")
    _copy_texts(folder)
    found = [path for path in folder.rglob("*") if path.is_file()]
    return Packed(str(folder), len(list(place.glob("*.whl"))), len(DATA), sum(path.stat().st_size for path in found))


def own_wheel() -> bytes:
    """A wheel of handlens as it is installed here, be it from a wheel or from its sources."""
    distribution = importlib.metadata.distribution("handlens")
    information = f"handlens-{handlens.__version__}.dist-info"
    parts = {f"handlens/{name}": content for name, content in _package_files()}
    parts[f"{information}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: handlens\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    for name in ("METADATA", "entry_points.txt"):
        parts[f"{information}/{name}"] = (distribution.read_text(name) or "").encode()
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in parts.items())
    parts[f"{information}/RECORD"] = f"{record}{information}/RECORD,,\n".encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _wheel_name() -> str:
    return f"handlens-{handlens.__version__}-py3-none-any.whl"


def _package_files() -> Iterator[tuple[str, bytes]]:
    home = Path(handlens.__file__).parent
    for path in sorted(home.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(home).as_posix(), files.read_bytes(path)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _download(place: Path, platforms: Sequence[str], wheels: Path | None) -> None:
    """Let pip get what handlens needs, in the versions that are installed here."""
    constraints = files.write_atomic(place / "constraints.txt", "".join(f"{line}\n" for line in _installed()))
    needed = [line for line in importlib.metadata.requires("handlens") or () if "extra ==" not in line]
    words = ["download", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--dest", str(place), "-c", str(constraints)]
    words += ["--find-links", str(wheels)] if wheels else []
    if platforms:
        words += ["--python-version", _PYTHON, "--implementation", "cp", *(word for one in platforms for word in ("--platform", one))]
    done = subprocess.run([sys.executable, "-m", "pip", *words, *needed], capture_output=True, text=True, timeout=_WAIT_S, check=False)
    files.remove(constraints)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines() or ["it said nothing"]
        hint = "With internet, or with wheels of your own: --wheels FOLDER"
        raise FailedError(f"pip could not get all wheels: {files.printable(lines[-1], 300)}", where=str(place), hint=hint)


def _installed() -> list[str]:
    """Every distribution here with its version; which build of PyTorch it is does not matter."""
    pairs = {one.metadata["Name"]: one.version.split("+")[0] for one in importlib.metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in pairs.items() if name and name != "handlens")


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix != ".lock":
            files.make_folder((target / path.relative_to(source)).parent)
            files.write_atomic(target / path.relative_to(source), _pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _copy_texts(folder: Path) -> None:
    package = resources.files("handlens.course")
    for name in ("packed/install.py", "packed/START.html", "preflight.py"):
        files.write_atomic(folder / name.split("/")[-1], package.joinpath(name).read_bytes())
