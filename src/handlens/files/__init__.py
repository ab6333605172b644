"""The only code that writes files: old or new, never torn, never outside its folder."""

from handlens.files.journal import Journal
from handlens.files.locks import is_locked, lock
from handlens.files.reading import NAME, child, entries, is_file, is_folder, read_bytes, read_source, sha256
from handlens.files.reasons import explain, free_bytes, printable
from handlens.files.writing import WINDOWS, claim_folder, make_folder, move, remove, sweep, sync_folder, write_atomic

__all__ = [
    "NAME",
    "WINDOWS",
    "Journal",
    "child",
    "claim_folder",
    "entries",
    "explain",
    "free_bytes",
    "is_file",
    "is_folder",
    "is_locked",
    "lock",
    "make_folder",
    "move",
    "printable",
    "read_bytes",
    "read_source",
    "remove",
    "sha256",
    "sweep",
    "sync_folder",
    "write_atomic",
]
