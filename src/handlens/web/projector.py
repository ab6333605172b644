"""What is shown of a class: to its instructor, to a learner of it, and as a table."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from handlens.course import sentences
from handlens.course.plan import EXERCISES, Exercise
from handlens.course.questions import questions
from handlens.web.board import Board, Learner

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate
COLUMNS = ("number", "name", "joined", "what", "which", "state", "tries", "mistake", "sentence", "since")


def overview(board: Board) -> dict[str, Any]:
    """All that the page Class shows: who needs help, who makes the same mistake, how far all are; longest waiting first."""
    learners = list(board.learners.values())
    return {
        "now": time.time(),
        "code": board.code,
        "learners": [{"number": one.number, "name": one.name, "checked": bool(one.tasks)} for one in learners],
        "help": sorted(
            ({**_who(one), "since": one.hand.since, "task": one.hand.task, "text": one.hand.text} for one in learners if one.hand),
            key=_wait,
        ),
        "mistakes": _mistakes(learners),
        "tasks": [shown for task in EXERCISES if (shown := _task(task, learners))],
        "question": _distribution(board),
    }


def _who(learner: Learner) -> dict[str, Any]:
    return {"number": learner.number, "name": learner.name}


def _wait(row: dict[str, Any]) -> float:
    return float(row["since"])


def _mistakes(learners: list[Learner]) -> list[dict[str, Any]]:
    """Learners with the same mistake at the same task stand together."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for learner in learners:
        for task, standing in learner.tasks.items():
            if not standing.passed:
                row = {**_who(learner), "since": standing.since, "hand": bool(learner.hand and learner.hand.task == task)}
                groups.setdefault((task, standing.cause), []).append({**row, "sentence": standing.sentence})
    return sorted((_group(task, cause, sorted(rows, key=_wait)) for (task, cause), rows in groups.items()), key=_wait)


def _group(task: str, cause: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Its sentence is one of ours; words that anybody may have sent stand apart, to be shown with the names."""
    sentence = next((ours for row in rows if (ours := sentences.for_all(row["sentence"]))), "")
    words = "" if sentence else rows[0]["sentence"]
    return {"task": task, "cause": cause, "sentence": sentence, "words": words, "since": rows[0]["since"], "who": rows}


def _task(task: Exercise, learners: list[Learner]) -> dict[str, Any] | None:
    """How many are how far with a task; None if nobody has begun it."""
    states = Counter(_state(learner, task.name) for learner in learners if task.name in learner.tasks)
    counts = {state: states[state] for state in ("passed", "working", "needs help")}
    return {"name": task.name, "number": task.number, "title": task.title, **counts} if states else None


def _state(learner: Learner, task: str) -> str:
    if learner.tasks[task].passed:
        return "passed"
    return "needs help" if learner.hand and learner.hand.task == task else "working"


def _distribution(board: Board) -> dict[str, Any] | None:
    """How often each answer to the class's question was given."""
    question = questions().get(board.question)
    if question is None:
        return None
    given = Counter(learner.answers.get(question.name) for learner in board.learners.values())
    options = [{"letter": letter, "text": option.text, "count": given[letter]} for letter, option in question.options.items()]
    shown = question.name in board.told
    right = {"right": question.right} if shown else {}
    asked = {"name": question.name, "round": board.rounds[question.name], "text": question.text}
    return {**asked, "options": options, "shown": shown, **right}


def own_view(board: Board, learner: str) -> dict[str, Any]:
    """What a learner is shown: of themselves and of the question, and of nobody else."""
    known, question = board.learners.get(learner), questions().get(board.question)
    asked: dict[str, Any] | None = None
    if question is not None:
        answer = known.answers.get(question.name, "") if known else ""
        options = {letter: option.text for letter, option in question.options.items()}
        why = {letter: option.why for letter, option in question.options.items()}
        told = {"right": question.right, "why": why[question.right], "yours": why.get(answer, "")} if question.name in board.told else {}
        asked = {"name": question.name, "text": question.text, "options": options, "answer": answer, **told}
    if known is None:
        return {"number": 0, "name": "", "code": "", "stuck": False, "passed": [], "not_yet": [], "question": asked}
    return {
        "number": known.number,
        "name": known.name,
        "code": f"{board.code}-{learner}",
        "stuck": known.hand is not None,
        "passed": [task for task, standing in known.tasks.items() if standing.passed],
        "not_yet": [{"task": task, "sentence": one.sentence} for task, one in known.tasks.items() if not one.passed],
        "question": asked,
    }


def table(board: Board) -> str:
    """The class as CSV: a line for each learner and task, and for each answer to a question, whose `tries` say which time it was asked."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for learner in board.learners.values():
        head = (learner.number, learner.name, _clock(learner.joined))
        writer.writerows([_cell(value) for value in (*head, *row)] for row in _rows(board, learner))
    return file.getvalue()


def _rows(board: Board, learner: Learner) -> Iterator[tuple[object, ...]]:
    answers = [*learner.earlier, *((question, max(1, board.rounds[question]), letter) for question, letter in learner.answers.items())]
    if not learner.tasks and not answers:
        yield ("", "", "", "", "", "", "")
    for task, one in learner.tasks.items():
        yield ("exercise", task, _state(learner, task), one.tries, one.cause, one.sentence, _clock(one.since))
    for question, time_asked, letter in answers:
        right = questions()[question].right if question in questions() else ""
        yield ("question", question, letter, time_asked, "", "right" if letter == right else "not right", "")


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _cell(value: object) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
