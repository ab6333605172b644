"""`Mistake` and `Result`: what a check says."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """Why an exercise is not passed yet.

    Attributes:
        cause: a short id; the doctor's, where it knows the mistake.
        sentence: what it is, in at most 25 words.
        change: the one thing to try next.
        evidence: what was measured.
        line: of the learner's file, from 1; 0 if it stands in no line.
    """

    cause: str
    sentence: str
    change: str
    evidence: str = ""
    line: int = 0


@dataclass(frozen=True, repr=False)
class Result:
    """What came of a check.

    Attributes:
        exercise: its name.
        passed: whether what was checked does what it should.
        cause, sentence, change, evidence, line: of the mistake; see `Mistake`.
        place: the file.
        code: the text of that line.
        note: what else there is to say: what is right and could be better, or was not checked, or that earlier results could not be read.
        time_s: how long the check took.
        part: the names that were checked, where they are not all of the exercise.
        counts: whether `ls` and the class are told: it is all of the exercise, and not the lines that a lesson gives.
    """

    exercise: str
    passed: bool
    cause: str = ""
    sentence: str = ""
    change: str = ""
    evidence: str = ""
    line: int = 0
    place: str = ""
    code: str = ""
    note: str = ""
    time_s: float = 0.0
    part: tuple[str, ...] = ()
    counts: bool = True

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        note = [self.note] if self.note else []
        if self.passed:
            said = f"{', '.join(self.part)} {'is' if len(self.part) == 1 else 'are'} right." if self.part else "passed."
            return "\n".join([f"{self.exercise}: {said}", *note])
        where = ["", f"  {self.place}:{self.line}   {self.code}"] if self.line else []
        seen = [f"Seen   {self.evidence}"] if self.evidence else []
        more = f"More   handlens course hint {self.exercise}"
        return "\n".join([f"{self.exercise}: not yet. {self.sentence}", *where, "", *seen, f"Try    {self.change}", more, *note])

    def _repr_html_(self) -> str:
        first, *rest = str(self).splitlines()
        return f"<p><b>{html.escape(first)}</b></p><pre>{html.escape(chr(10).join(rest).strip(chr(10)))}</pre>"
