"""All programs that the doctor is asked about: broken ones, each with its one mistake, and right ones."""

from __future__ import annotations

from doctor.further import FURTHER, broken_further
from doctor.healthy import HEALTHY, program
from doctor.outside import OUTSIDE, broken
from doctor.programs import BASES, Mutant, mutants
from doctor.unseen import UNSEEN, broken_unseen
from doctor.unseen2 import UNSEEN2, broken_unseen2
from doctor.unseen3 import UNSEEN3, broken_unseen3
from doctor.unseen4 import UNSEEN4, broken_unseen4
from doctor.unseen5 import UNSEEN5, broken_unseen5
from doctor.unseen6 import UNSEEN6, broken_unseen6
from doctor.unseen7 import UNSEEN7, broken_unseen7
from doctor.unseen8 import UNSEEN8, broken_unseen8
from doctor.unseen9 import UNSEEN9, broken_unseen9

BROKEN: tuple[Mutant, ...] = (
    *mutants(),
    *broken(),
    *broken_unseen(),
    *broken_unseen2(),
    *broken_unseen3(),
    *broken_unseen4(),
    *broken_unseen5(),
    *broken_unseen6(),
    *broken_unseen7(),
    *broken_unseen8(),
    *broken_unseen9(),
    *broken_further(),
)
ALL_RIGHT: dict[str, str] = {
    **{name: program(name) for name in HEALTHY},
    **BASES,
    **OUTSIDE,
    **UNSEEN,
    **UNSEEN2,
    **UNSEEN3,
    **UNSEEN4,
    **UNSEEN5,
    **UNSEEN6,
    **UNSEEN7,
    **UNSEEN8,
    **UNSEEN9,
    **FURTHER,
}
