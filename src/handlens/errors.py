"""Everything that can go wrong, in words.

HandlensError                    exit code
├── UsageError                        2      a name, option or value that cannot be used
│   ├── ConfigError                          a knob that does not exist or has an impossible value
│   └── ModelError                           the network does not fit the images or the classes
├── DataError                         3      pictures or labels
│   ├── DataMissing                          not on this machine and no source answered
│   └── DataDamaged                          there, but not what it should be
├── RunNotFound                       4      no run of that name
└── FailedError                       5      it was right to try, and it did not work
    ├── RunDamaged                           a run folder that cannot be read
    ├── RunBusy                              another process is writing it
    ├── FileError                            disk full, read-only, no permission
    └── TrainingError                        the loss is no number, memory ran out
"""

from __future__ import annotations

from collections.abc import Iterable


class HandlensError(Exception):
    """What happened, where, and what to do about it: up to three lines that a user is shown.

    Args:
        what: one sentence, without the place and without advice.
        where: the file, option or line it is about.
        hint: what to do next, if possible a command.
    """

    exit_code = 5

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return "\n".join(line for line in (self.what, self.where and f"  in: {self.where}", self.hint) if line)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.hint)


def _rebuild(kind: type[HandlensError], what: str, where: str, hint: str) -> HandlensError:
    return kind(what, where=where, hint=hint)


class UsageError(HandlensError):
    """A name, an option or a value that cannot be used."""

    exit_code = 2


class ConfigError(UsageError):
    """A knob that does not exist, or a value that it cannot have."""


class ModelError(UsageError):
    """A network that does not fit the images that come in or the classes that must come out."""


class DataError(HandlensError):
    """Pictures or labels that cannot be had or cannot be used."""

    exit_code = 3


class DataMissing(DataError):
    """Not on this machine, and no source could give it."""


class DataDamaged(DataError):
    """There, but not what it should be: truncated, altered, or another kind of file."""


class RunNotFound(HandlensError):
    """No run of that name, or nothing to show."""

    exit_code = 4


class FailedError(HandlensError):
    """It was right to try, and it did not work."""

    exit_code = 5


class RunDamaged(FailedError):
    """A run folder that cannot be read."""


class RunBusy(FailedError):
    """Another process is writing this run."""


class FileError(FailedError):
    """The file system refused: full, read-only, no permission."""


class TrainingError(FailedError):
    """The loss is not a number any more, or memory ran out."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which of the `known` names was probably meant: a sentence to put into a hint.

    >>> nearest("epoch", ["epochs", "lr"])
    "Did you mean 'epochs'?"
    >>> nearest("colour", ["epochs", "lr"])
    'Known names: epochs, lr.'
    """
    import difflib

    names = [str(name) for name in known]
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known names: {', '.join(names)}." if names else ""
