"""The class as it stands: `Board` is what all that was told so far comes to, one event after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Event = Mapping[str, Any]


@dataclass
class Standing:
    """Where a learner is with a task.

    Attributes:
        passed: whether a check was passed; it stays passed.
        cause, sentence: the mistake that the last check named.
        since: when that mistake was first seen, or the task was passed; seconds since 1970.
        tries: checks so far.
    """

    passed: bool = False
    cause: str = ""
    sentence: str = ""
    since: float = 0.0
    tries: int = 0


@dataclass
class Hand:
    """A raised hand: since when, at which task (none if nothing was checked), and what the learner says."""

    since: float
    task: str
    text: str


@dataclass
class Learner:
    """Who has joined.

    Attributes:
        number: by which one is called where names are hidden; in the order of joining, from 1.
        name: or nickname; may be empty.
        joined: when.
        tasks: by the name of the exercise, the newest last.
        hand: raised, or None.
        answers: the letter for each question, of the last time that it was asked.
        earlier: what was answered when a question was asked before: its name, which time that was, the letter.
        seen: ids of what has arrived, so that what is sent twice counts once.
    """

    number: int
    name: str
    joined: float
    tasks: dict[str, Standing] = field(default_factory=dict)
    hand: Hand | None = None
    answers: dict[str, str] = field(default_factory=dict)
    earlier: list[tuple[str, int, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    @property
    def current(self) -> str:
        """The task that was checked last and is not passed; empty if there is none."""
        return next((task for task, standing in reversed(self.tasks.items()) if not standing.passed), "")


class Board:
    """The class.

    Attributes:
        code: by which one joins.
        nonce: of this class only; keys to another class are worth nothing in this one.
        began: when.
        host: where learners reached it last, as `192.168.1.20:8712`.
        learners: by their ids.
        removed: ids that were sent away.
        question: what the class is asked just now; empty: nothing.
        rounds: how often each question was asked; what is answered before the first time counts for it.
        told: the questions whose right answer the class has seen, since they were asked last.
    """

    def __init__(self) -> None:
        self.code = self.nonce = self.host = self.question = ""
        self.began = 0.0
        self.learners: dict[str, Learner] = {}
        self.removed: set[str] = set()
        self.rounds: Counter[str] = Counter()
        self.told: set[str] = set()
        self._joined = 0

    def apply(self, event: Event) -> None:
        """Take one event in.

        Raises:
            KeyError, TypeError, ValueError: it is none of ours.
        """
        kind = event["what"]
        if kind in _OF_LEARNERS:
            learner = self.learners[event["learner"]]
            learner.seen.add(event["id"])
            _OF_LEARNERS[kind](learner, event)
        else:
            _OF_CLASS[kind](self, event)

    def is_news(self, learner: Learner, event: Event) -> bool:
        """Whether it counts: it has not arrived before, and answers no question whose right answer is told."""
        return event["id"] not in learner.seen and not (event["what"] == "answer" and event["question"] in self.told)

    def _begin(self, event: Event) -> None:
        self.code, self.nonce, self.began = event["code"], event["nonce"], event["at"]

    def _open(self, event: Event) -> None:
        self.host = event["host"]

    def _name(self, event: Event) -> None:
        if event["learner"] in self.learners:
            self.learners[event["learner"]].name = event["name"]
            return
        self._joined += 1
        self.learners[event["learner"]] = Learner(self._joined, event["name"], event["at"])

    def _remove(self, event: Event) -> None:
        self.learners.pop(event["learner"], None)
        self.removed.add(event["learner"])

    def _ask(self, event: Event) -> None:
        self.question = question = event["question"]
        for learner in self.learners.values() if self.rounds[question] else ():
            if letter := learner.answers.pop(question, ""):
                learner.earlier.append((question, self.rounds[question], letter))
        self.rounds[question] += 1
        self.told.discard(question)

    def _show(self, _event: Event) -> None:
        self.told.add(self.question)

    def _help(self, event: Event) -> None:
        if event["learner"] in self.learners:
            self.learners[event["learner"]].hand = None


def _check(learner: Learner, event: Event) -> None:
    before = learner.tasks.pop(event["task"], Standing())  # so that the newest stands last
    passed = before.passed or event["passed"]
    same = before.tries and (before.passed if passed else before.cause == event["cause"])
    cause, sentence = ("", "") if passed else (event["cause"], event["sentence"])
    learner.tasks[event["task"]] = Standing(passed, cause, sentence, before.since if same else event["at"], before.tries + 1)
    if event["passed"]:
        learner.hand = None


def _stuck(learner: Learner, event: Event) -> None:
    since = learner.hand.since if learner.hand else event["at"]
    learner.hand = Hand(since, learner.current, event["text"])


def _done(learner: Learner, _event: Event) -> None:
    learner.hand = None


def _answer(learner: Learner, event: Event) -> None:
    learner.answers[event["question"]] = event["letter"]


_OF_LEARNERS: dict[str, Callable[[Learner, Event], None]] = {"check": _check, "stuck": _stuck, "done": _done, "answer": _answer}
_OF_CLASS: dict[str, Callable[[Board, Event], None]] = {
    "begun": Board._begin,
    "opened": Board._open,
    "named": Board._name,
    "removed": Board._remove,
    "asked": Board._ask,
    "shown": Board._show,
    "helped": Board._help,
}
