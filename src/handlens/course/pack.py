"""`make_pack`: a folder with all that a class needs in a room without internet."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import platform
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import handlens
from handlens import files
from handlens.course.folder import start
from handlens.course.wheels import PYTHON, SYSTEMS, download
from handlens.data import cache, catalog, fetch
from handlens.errors import UsageError, nearest

DATA = ("mnist", "fashion-mnist")
_UNFINISHED = "unfinished.txt"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Packed:
    """What a pack holds: how many wheels, for which Python, how many data sets, and its size in bytes."""

    folder: str
    wheels: int
    python: str
    data: int
    size_bytes: int


def make_pack(folder: Path, systems: Sequence[str] = (), wheels: Path | None = None, say: Say = lambda _text: None) -> Packed:
    """Put data, the course and wheels into a folder.

    Args:
        folder: a new one, an empty one, or one in which this did not come to its end.
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
    _begin(folder)
    python = PYTHON if systems else ".".join(platform.python_version_tuple()[:2])
    for name in DATA:
        say(f"Data set {name}")
        _copy_data(name, folder / "data" / name)
    start(folder / "course")
    _copy_texts(folder, python)
    place = files.make_folder(folder / "wheels")
    files.write_atomic(place / _wheel_name(), own_wheel())
    for system in systems or ("",):
        say(f"Wheels{f' for {system}' if system else ''}; PyTorch is the large one")
        download(place, system, wheels)
    say("Checksums")
    files.write_atomic(folder / "SHA256SUMS", _checksums(folder))
    files.remove(folder / _UNFINISHED)
    found = [path for path in folder.rglob("*") if path.is_file()]
    return Packed(str(folder), len(list(place.glob("*.whl"))), python, len(DATA), sum(path.stat().st_size for path in found))


def _begin(folder: Path) -> None:
    unfinished = folder / _UNFINISHED
    if files.entries(folder) and not unfinished.exists():
        raise UsageError("The folder is not empty.", where=str(folder), hint="Name a new one.")
    files.write_atomic(unfinished, "`handlens course pack` did not come to its end here. The same command goes on.\n")


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


def _copy_data(name: str, target: Path) -> None:
    """The four files of a data set, each with the SHA-256 of the catalogue."""
    source = fetch(name).folder
    for file in catalog.find_idx(name).files:
        content = files.read_bytes(source / file.name)
        cache.verify(content, file, str(source / file.name))
        files.write_atomic(target / file.name, content)


def _copy_texts(folder: Path, python: str) -> None:
    package = resources.files("handlens.course")
    for name in ("packed/install.py", "packed/START.html", "preflight.py"):
        content = package.joinpath(name).read_bytes().replace(b"{{python}}", python.encode())
        files.write_atomic(folder / name.split("/")[-1], content)


def _checksums(folder: Path) -> str:
    """What is installed from, as `sha256sum` writes it."""
    paths = sorted(path for part in ("data", "wheels") for path in (folder / part).rglob("*") if path.is_file())
    return "".join(f"{_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
