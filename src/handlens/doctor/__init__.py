"""What is wrong with a learner's own training code: watch it run, try copies of it, then read it for the line."""

from handlens.doctor.cause import Diagnosis, Finding, all_causes
from handlens.doctor.examine import examine

__all__ = ["Diagnosis", "Finding", "all_causes", "examine"]
