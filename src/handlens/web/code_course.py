"""The lines behind "show code" on Course and on Class. A class is read on the computer of its instructor, while the lab has it or not."""

from __future__ import annotations

SNIPPETS = {
    "course": """\
import handlens as hl

for exercise in hl.course.EXERCISES:
    print(exercise.number, exercise.name, exercise.title)
# hl.course.check("scaling", scale)               a function that you have defined, in a notebook
# handlens course check scaling                   your file of the exercise, in a terminal
""",
    "lessons": """\
import json
from pathlib import Path

# handlens course start                           puts the lessons here, in the folder course
for path in sorted(Path("course", "lessons").glob("*.ipynb")):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    print(path.name, notebook["cells"][0]["source"][0])
""",
    "hands": """\
from handlens.web.classroom import kept_class

board = kept_class()                              # what your class has told; None without a class
hands = [(one.hand.since, one.number, one.hand.task, one.hand.text) for one in board.learners.values() if one.hand]
sorted(hands)                                     # who has waited longest comes first
""",
    "same": """\
from collections import Counter

from handlens.web.classroom import kept_class

learners = kept_class().learners.values()
open_tasks = [(task, state) for one in learners for task, state in one.tasks.items() if not state.passed]
mistakes = Counter((task, state.cause) for task, state in open_tasks)
mistakes.most_common()
""",
    "tasks": """\
from collections import Counter

from handlens.web.classroom import kept_class

learners = kept_class().learners.values()
passed = Counter(task for one in learners for task, state in one.tasks.items() if state.passed)
passed["scaling"]                                 # so many have passed it
""",
    "votes": """\
from collections import Counter

from handlens.course.questions import questions
from handlens.web.classroom import kept_class

print(questions()["parameter"])                   # one of the lessons' questions
learners = kept_class().learners.values()
votes = Counter(one.answers["parameter"] for one in learners if "parameter" in one.answers)
""",
    "people": """\
from handlens.web.classroom import kept_class

for one in kept_class().learners.values():
    print(one.number, one.name, one.current)      # the task that was checked last, and is not passed
# handlens course class export class.csv          all of it as a table, in a terminal
""",
}
