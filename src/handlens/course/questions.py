"""Questions with a few answers to choose from: a check after a topic, or a guess that is locked before an experiment."""

from __future__ import annotations

import functools
import textwrap
import tomllib
from dataclasses import dataclass
from importlib import resources

from handlens.course import joined
from handlens.errors import UsageError, nearest

_WIDTH = 96  # letters of a line
_LOCKED: dict[str, str] = {}  # the guesses of this session: a guess is one only as long as it cannot be changed


class Words(str):
    """Text that a notebook shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Option:
    """One of the answers, and why it is right or not."""

    text: str
    why: str


@dataclass(frozen=True)
class Question:
    """A question of a lesson.

    Attributes:
        name: what one calls it by.
        lesson: where it is asked, such as `01_recap`.
        text: the question.
        options: the answers, by their letters.
        right: the letter of the right one.
        guess: whether it is asked before an experiment, which then answers it.
    """

    name: str
    lesson: str
    text: str
    options: dict[str, Option]
    right: str
    guess: bool

    def __str__(self) -> str:
        lines = [_filled(self.text, ""), *(_filled(option.text, f"  {letter})  ") for letter, option in self.options.items())]
        return "\n".join(lines)

    def reason(self, letter: str) -> str:
        """What there is to say to one of the answers."""
        return _filled(f"{'Yes.' if letter == self.right else 'Not quite.'} {self.options[letter].why}", f"  {letter})  ")


@functools.cache
def questions() -> dict[str, Question]:
    """All questions by their names, in the order of the lessons."""
    text = resources.files("handlens.course").joinpath("questions.toml").read_text(encoding="utf-8")
    return {name: _question(name, table) for name, table in tomllib.loads(text).items()}


def _question(name: str, table: dict[str, str]) -> Question:
    options = {letter: Option(table[letter], table[f"{letter}_why"]) for letter in "abcd" if letter in table}
    return Question(name, table["lesson"], table["text"], options, table["right"], name.startswith("guess-"))


def find(name: str) -> Question:
    """The question of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in questions():
        raise UsageError(f"There is no question '{name}'.", hint=nearest(name, questions()))
    return questions()[name]


def ask(name: str, answer: str = "?") -> Words:
    """Show a question, or say what there is to say to an answer.

    Args:
        name: of the question.
        answer: the letter of an answer; `?` shows the question.

    Raises:
        UsageError: there is no such question, or no such answer.
    """
    question = find(name)
    if answer == "?":
        return Words(f"{question}\n\nPut a letter in place of the ?, and run the cell again.")
    letter = letter_of(question, answer)
    joined.note_here("answer", question=name, letter=letter)
    return Words(f"{_filled(question.text, '')}\n{question.reason(letter)}")


def guess(name: str, answer: str = "?") -> Words:
    """Show what to guess, or lock the guess: the first answer counts, until `reveal`.

    Raises:
        UsageError: there is no such question, or no such answer.
    """
    question = find(name)
    if answer == "?":
        return Words(f"{question}\n\nGuess before you run on: put a letter in place of the ?, and run the cell again.")
    letter = letter_of(question, answer)
    if name not in _LOCKED:
        joined.note_here("answer", question=name, letter=letter)
    first = _LOCKED.setdefault(name, letter)
    kept = "" if first == letter else " It was locked before, and stays."
    return Words(f"{_filled(question.text, '')}\nYour guess is {first}) {question.options[first].text}{kept}")


def reveal(name: str) -> Words:
    """What the experiment showed, and how the guess compares with it; then one may guess again.

    Raises:
        UsageError: there is no such question.
    """
    question, first = find(name), _LOCKED.pop(name, None)
    right = question.options[question.right]
    shown = f"The answer is {question.right}) {right.text}\n{_filled(right.why, '  ')}"
    if first is None:
        return Words(f"{shown}\nYou had no guess locked; the next one you will.")
    return Words(f"{shown}\n{'Your guess was right.' if first == question.right else f'Your guess: {question.reason(first).strip()}'}")


def letter_of(question: Question, answer: str) -> str:
    """The letter of an answer as somebody typed it.

    Raises:
        UsageError: there is no such answer.
    """
    letter = answer.strip().lower()
    if letter not in question.options:
        raise UsageError(f"There is no answer '{answer}'.", hint=f"The answers are {', '.join(question.options)}.")
    return letter


def _filled(text: str, begin: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=begin, subsequent_indent=" " * len(begin))
