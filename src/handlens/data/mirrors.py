"""Downloading from mirrors: never waiting long for one that is silent, never cutting one that is merely slow.

Time is kept by `Patience`: ten seconds for all mirrors together in which nothing arrives. What arrives fills it up again, so that a slow
download goes on, but a server that sends a byte now and then does not hold anybody up.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import queue
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from handlens import files
from handlens.data import formats
from handlens.data.cache import Filling
from handlens.data.entry import Original
from handlens.data.say import Say, megabytes
from handlens.errors import DataDamaged, DataError, DataMissing, FileError

if TYPE_CHECKING:
    import requests

_CONNECT_S = 3.0
_SILENT_S = 5.0
_PATIENCE_S = 10.0
_SLOWEST_BYTES_PER_S = 10_000
_CHUNK_BYTES = 1 << 16
_PIECE_BYTES = 1 << 20
_MOST_BYTES = 1 << 28  # of a file whose length nobody published
_SAY_EVERY_S = 0.1
_CERTIFICATE = (
    "its certificate cannot be verified (a network that inspects traffic has a certificate file of its own: ask for it and "
    "set REQUESTS_CA_BUNDLE to its path)"
)


class Patience:
    """How much longer to wait: 10 s, running down with time, and up again by one for each 10 kB that arrive, never above 10."""

    def __init__(self) -> None:
        self._end = time.monotonic() + _PATIENCE_S

    @property
    def left_s(self) -> float:
        """Seconds that are left; never negative."""
        return max(0.0, self._end - time.monotonic())

    def arrived(self, count: int) -> None:
        """Note that `count` bytes have arrived."""
        self._end = min(self._end + count / _SLOWEST_BYTES_PER_S, time.monotonic() + _PATIENCE_S)


def from_mirrors(filling: Filling, say: Say) -> None:
    """Download into the cache what is missing.

    The mirrors are those of the catalogue, or instead of them the addresses in `HANDLENS_MIRRORS` (separated by spaces), under which
    each data set has a folder of its name.

    Raises:
        DataMissing: no mirror gave one of the files; says what each did, with the expected and the found SHA-256 if it gave something else.
        FileError: the disk is full, read-only, or forbids it.
    """
    mirrors = addresses(filling.name, filling.entry.mirrors)
    if not mirrors:
        raise DataMissing("No mirror is known.")
    patience = Patience()
    for file in filling.missing:
        with _resumable(filling.partial / file.packed.name, file.packed) as body:
            url = _Download(file.packed, body, patience, say).from_any(mirrors)
            filling.add(file, formats.unpack(io.BytesIO(body), file.size_bytes, url), url)


def download(original: Original, path: Path, mirrors: list[str], say: Say, patience: Patience) -> None:
    """Download one published file to `path`; what an earlier attempt left there is gone on with.

    Args:
        original: the file; only its right content is kept under its name.
        path: where it goes.
        mirrors: addresses that its name is put behind; one that fails goes to the end of the list.
        say: is told each step.
        patience: shared by all files of a data set.

    Raises:
        DataMissing, FileError: as in `from_mirrors`.
    """
    if not mirrors:
        raise DataMissing("No mirror is known.")
    with _resumable(path, original) as body:
        _Download(original, body, patience, say).from_any(mirrors)
        files.write_atomic(path, (bytes(body[start : start + _PIECE_BYTES]) for start in range(0, len(body), _PIECE_BYTES)))


def addresses(name: str, mirrors: tuple[str, ...]) -> list[str]:
    """Where the files of a data set are looked for: at its own mirrors, or at those that `HANDLENS_MIRRORS` names instead."""
    own = os.environ.get("HANDLENS_MIRRORS")
    return list(mirrors) if own is None else [f"{address.rstrip('/')}/{name}/" for address in own.split()]


@contextlib.contextmanager
def _resumable(path: Path, original: Original) -> Iterator[bytearray]:
    """What an earlier attempt left, to be added to; kept for the next attempt unless the body is done with it."""
    body = bytearray()
    with contextlib.suppress(FileError):
        body += files.read_bytes(path, most=original.size_bytes or _MOST_BYTES)
    try:
        yield body
    except BaseException:
        with contextlib.suppress(FileError):
            if body:
                files.write_atomic(path, bytes(body))
            else:
                files.remove(path)
        raise


@dataclass
class _Download:
    """One packed file on its way: what is there of it is in `body`, whichever mirror sent it."""

    original: Original
    body: bytearray
    patience: Patience
    say: Say

    @property
    def most_bytes(self) -> int:
        """How long it is; where nobody says, as much as is believed."""
        return self.original.size_bytes or _MOST_BYTES

    def from_any(self, mirrors: list[str]) -> str:
        """Make the body whole from the first mirror that can; one that cannot goes to the end of the list. Returns the address."""
        problems = []
        for mirror in tuple(mirrors):
            url = f"{mirror}{self.original.name}"
            try:
                return self._right_from(url)
            except DataError as error:
                self.say(error.what)
                problems.append(error.what)
                mirrors.append(mirrors.pop(0))
            if not self.patience.left_s:
                break
        raise DataMissing("\n".join(problems))

    def _right_from(self, url: str) -> str:
        """Make the body whole and right; a wrong one is fetched once more, from its beginning."""
        for _attempt in range(2):
            self._whole_from(url)
            length = len(self.body)
            if self.original.is_right(self.body):
                return url
            found = hashlib.sha256(self.body).hexdigest()
            kind = formats.kind_of(self.body)
            self.body.clear()
            self.say(f"{url} gave {kind} with a wrong checksum.")
        more = "more than " if length > self.most_bytes else ""
        length = min(length, self.most_bytes)
        raise DataDamaged(
            f"{url} must give {self.original.checksum.replace(', SHA', ' with the SHA')}; twice it gave something else, "
            f"at last {kind} of {more}{length:,} bytes with the SHA-256 {found}."
        )

    def _whole_from(self, url: str) -> None:
        """Make the body whole, going on where it breaks off for as long as each attempt gets further than those before."""
        furthest = len(self.body)
        while len(self.body) < self.most_bytes:
            try:
                self._more_from(url)
                break
            except DataMissing:
                if len(self.body) <= furthest:
                    raise
                furthest = len(self.body)

    def _more_from(self, url: str) -> None:
        """Add to the body what one answer brings; at most a chunk more than belongs there."""
        start, all_bytes = len(self.body), self.most_bytes
        size = f" ({megabytes(all_bytes)})" if self.original.size_bytes else ""
        rest = f", going on at {megabytes(start)}," if start else ""
        sentence = f"Downloading {self.original.name}{size}{rest} from {files.printable(url)}"
        self.say(sentence)
        said = time.monotonic()
        with contextlib.closing(_answer(url, start, self.patience)) as chunks:
            for position, chunk in chunks:
                del self.body[position:]
                self.body += chunk
                if time.monotonic() - said > _SAY_EVERY_S:
                    self.say(sentence, min(1.0, len(self.body) / all_bytes))
                    said = time.monotonic()
                if len(self.body) > all_bytes:
                    return


_Arriving = queue.SimpleQueue[tuple[int, bytes] | Exception | None]


def _answer(url: str, start: int, patience: Patience) -> Generator[tuple[int, bytes]]:
    """The chunks of a file from its byte `start` on (or from 0, if the server knows no ranges), each with its position in the file.

    A thread does the waiting, because looking up a name, connecting and reading can each take longer than any time-out one can give them.

    Raises:
        DataMissing: the server does not answer, refuses, falls silent or breaks off.
    """
    arriving: _Arriving = queue.SimpleQueue()
    abandoned = threading.Event()
    threading.Thread(target=_receive, args=(url, start, arriving, abandoned), daemon=True).start()
    try:
        while True:
            wait_s = min(_SILENT_S, patience.left_s)
            try:
                item = arriving.get(timeout=wait_s)
            except queue.Empty:
                raise DataMissing(f"{files.printable(url)} was silent for {wait_s:.0f} s.") from None
            if item is None:
                return
            if isinstance(item, Exception):
                raise DataMissing(f"{files.printable(url)}: {_in_words(item)}.") from item
            patience.arrived(len(item[1]))
            yield item
    finally:
        abandoned.set()


def _receive(url: str, start: int, arriving: _Arriving, abandoned: threading.Event) -> None:
    import requests

    headers = {"Accept-Encoding": "identity", "User-Agent": "handlens"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=(_CONNECT_S, _SILENT_S + 1)) as response:
            if start and response.status_code == 416:  # the file ends there or before: what has come of it is all, or wrong
                arriving.put(None)
                return
            position = _position(response, start)
            arriving.put((position, b""))
            while not abandoned.is_set() and (chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False)):
                arriving.put((position, chunk))
                position += len(chunk)
        arriving.put(None)
    except Exception as error:
        arriving.put(error)


def _position(response: requests.Response, start: int) -> int:
    """Where in the file the body of an answer begins."""
    if response.status_code == 200:
        return 0
    if response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        return start
    raise OSError(f"it answered {response.status_code} {files.printable(response.reason or '')}".rstrip())


def _in_words(error: Exception) -> str:
    """Why a download failed. What no network can be blamed for is raised."""
    import requests
    import urllib3

    for kinds, words in (
        (requests.exceptions.SSLError, _CERTIFICATE),
        (requests.exceptions.ProxyError, "the proxy does not let it through"),
        (requests.exceptions.ConnectTimeout, f"no connection within {_CONNECT_S:.0f} s"),
        (requests.exceptions.ConnectionError, "its name is not known here" if "NameResolution" in str(error) else "no connection"),
        ((requests.exceptions.RequestException, ValueError), f"the request is not possible ({files.printable(str(error))})"),
        (urllib3.exceptions.HTTPError, "the connection broke off"),
        (OSError, str(error)),
    ):
        if isinstance(error, kinds):
            return words
    raise error
