"""`EXERCISES`: what the course asks for, in the order of the session."""

from __future__ import annotations

from dataclasses import dataclass

from handlens.errors import UsageError, nearest


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        number: its place, from 1.
        name: what one types.
        title: what one does.
        session: where it stands in the session.
    """

    number: int
    name: str
    title: str
    session: str

    @property
    def folder(self) -> str:
        """The folder of its files in the package."""
        return f"{self.number:02}_{self.name.replace('-', '_')}"

    @property
    def file(self) -> str:
        """The name of the learner's file."""
        return f"{self.folder}.py"

    @property
    def module(self) -> str:
        """The module that checks it."""
        return f"handlens.course.checks.{self.name.replace('-', '_')}"


_ROWS = (
    ("linear-fit", "Learn a straight line from points, with the loop of session 1.", "Session 1, once more"),
    ("scaling", "Bring pixels from 0..255 to 0..1.", "Preprocessing"),
    ("mlp-forward", "Build the fully connected network.", "The network"),
    ("training-loop", "Train for one epoch.", "The training loop"),
    ("evaluation", "Measure the accuracy on images it has not seen.", "Evaluation"),
    ("wider", "Build networks of any width and depth.", "Task 1"),
    ("learning-rates", "Try learning rates fairly.", "Task 2"),
    ("dropout", "Add dropout where it belongs.", "Task 3"),
    ("first-layer", "Show what the first layer has learned.", "Task 4"),
    ("confusion", "Count which digit is taken for which.", "Task 5"),
    ("cnn", "Build, train and test a convolutional network, and look at its filters.", "The challenge"),
    ("batch-norm", "Add batch normalisation to the CNN.", "Bonus"),
    ("augmentation", "Move digits a little, at random.", "Bonus"),
    ("own-data", "Prepare a picture of your own handwriting as MNIST does.", "Homework 3"),
    ("grid", "Try all combinations, and choose fairly.", "Homework 2"),
    ("errors", "Find the worst mistakes, and what is confused most.", "Homework 4"),
)
EXERCISES = tuple(Exercise(number, *row) for number, row in enumerate(_ROWS, start=1))


def find(name: str) -> Exercise:
    """The exercise of a name, or of a number.

    Raises:
        UsageError: there is none.
    """
    wanted = name.lower().replace("_", "-").removesuffix(".py")
    for exercise in EXERCISES:
        if wanted in (exercise.name, str(exercise.number), f"{exercise.number:02}", exercise.folder.replace("_", "-")):
            return exercise
    raise UsageError(f"There is no exercise '{name}'.", hint=nearest(wanted, [exercise.name for exercise in EXERCISES]))
