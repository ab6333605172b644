"""Build what is made of the course's texts: notebooks of the lessons, and the pages (slides, guide, handout).

    python tools/course.py build       after a lesson, a page's text, a style or a question was changed
    python tools/course.py figures     draw the slides' figures anew (some minutes of training), then build

The pages are one file each, hold their figures, and ask for nothing from outside. What is built depends on nothing but the
files, so a test can compare.
"""

from __future__ import annotations

import argparse
import base64
import functools
import html
import inspect
import io
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from markdown_it import MarkdownIt
from PIL import Image

COURSE = Path(__file__).resolve().parents[1] / "src" / "handlens" / "course"
LESSONS, SLIDES = COURSE / "lessons", COURSE / "slides"
TITLES = {"slides": "Reading digits with PyTorch: slides", "guide": "Instructor's guide to session 2", "handout": "Handout of session 2"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
DETAILS = re.compile(r'<details id="([\w-]+)"><summary>(.*?)</summary>\n(.*?)</details>', re.DOTALL)
COLOURS = 96  # of a figure: lines and letters need no more, and the file is half as large


# ------------------------------------------------------------------------------------------------------------ notebooks
def lessons() -> list[Path]:
    """The lessons' sources, in their order."""
    return sorted(LESSONS.glob("[0-9]*.py"))


def read(lesson: Path) -> Any:
    """A lesson, with what its texts borrow."""
    book = jupytext.read(lesson, fmt="py:percent")
    for cell in book.cells:
        cell.source = lend(cell.source)
    return book


def notebook(lesson: Path) -> str:
    """The notebook of a lesson: its cells without what they give; the cells' ids are their numbers."""
    book = read(lesson)
    book.metadata = nbformat.NotebookNode({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for number, cell in enumerate(book.cells):
        cell["id"] = f"{lesson.stem}-{number:02}"
    return str(nbformat.writes(book, version=4)) + "\n"


# ---------------------------------------------------------------------------------------------- what the lessons lend
@functools.cache
def cells(lesson: str) -> list[Any]:
    """The cells of a lesson."""
    return list(read(LESSONS / f"{lesson}.py").cells)


def cell(lesson: str, tag: str) -> str:
    """The code of a lesson's cell, by its tag, as a block of Markdown."""
    found = [one.source for one in cells(lesson) if tag in one.metadata.get("tags", [])]
    if len(found) != 1:
        raise SystemExit(f"{lesson} has {len(found)} cells with the tag {tag}.")
    return f"```python\n{found[0]}\n```"


def texts(lesson: str) -> str:
    """All that a lesson says, as Markdown."""
    return "\n\n".join(one.source for one in cells(lesson) if one.cell_type == "markdown")


@functools.cache
def open_questions() -> dict[str, tuple[str, str, str]]:
    """The questions to be talked about: of each its lesson, the question, the model answer."""
    found = {}
    for lesson in lessons():
        for name, question, answer in DETAILS.findall(texts(lesson.stem)):
            found[name] = (lesson.stem, question, answer.strip())
    return found


def answer(name: str) -> str:
    """A question with its folded answer."""
    _, question, text = open_questions()[name]
    return f"<details><summary>{question}</summary>\n\n{text}\n\n</details>"


def answers(lesson: str) -> str:
    """All questions of a lesson with their model answers, open, for the instructor."""
    shown = [(question, text) for where, question, text in open_questions().values() if where == lesson]
    return "\n\n".join(f"**{question}**\n\n{text}" for question, text in shown)


def checks(lesson: str) -> str:
    """The one-question checks and the guesses of a lesson, with what there is to say to each answer."""
    from handlens.course.questions import questions

    parts = []
    for question in (one for one in questions().values() if one.lesson == lesson):
        kind = "Guess" if question.guess else "Check"
        lines = [f"*{kind}* `{question.name}`: {question.text}", ""]
        lines += [
            f"- {'✓' if letter == question.right else '✗'} {letter}) {one.text} *{one.why}*" for letter, one in question.options.items()
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def solution(name: str) -> str:
    """What our solution of an exercise defines first, as a block of Markdown."""
    import handlens as hl

    return f"```python\n{inspect.getsource(hl.course.ours(name))}```"


def numbers(*settings: str) -> str:
    """What the tasks come to with the full data, as `bench/course_tasks.py` measured it: all rows, or those that begin with these words."""
    head, line, *rows = _file("numbers.md").splitlines()
    wanted = [row for row in rows if not settings or row[2:].startswith(settings)]
    return "\n".join([head, line, *wanted])


LENT: dict[str, Callable[..., str]] = {
    "cell": cell,
    "answer": answer,
    "answers": answers,
    "checks": checks,
    "solution": solution,
    "numbers": numbers,
}


def lend(text: str) -> str:
    """A text with what stands elsewhere in place of lines such as `{{answer NAME}}`."""
    return re.sub(r"^\{\{(\w+) ?(.*?)\}\}$", lambda found: LENT[found[1]](*found[2].split()), text, flags=re.MULTILINE)


# ---------------------------------------------------------------------------------------------------------------- pages
def page(name: str) -> str:
    """A page as HTML."""
    text = lend((SLIDES / f"{name}.md").read_text(encoding="utf-8"))
    parts = [
        _pictures(MarkdownIt("commonmark", {"xhtmlOut": False}).enable("table").render(part))
        for part in re.split(r"^---$", text, flags=re.MULTILINE)
    ]
    body = "\n".join(map(_slide, parts, range(1, len(parts) + 1))) if name == "slides" else f"<main>\n{''.join(parts)}</main>"
    style, script = _file("page.css") + _file(f"{name}.css"), _file(f"{name}.js")
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{html.escape(TITLES[name])}</title>
<style>
{style}</style>
</head>
<body class="{name}">
{body}
{f"<script>{chr(10)}{script}</script>" if script else ""}
</body>
</html>
"""


def _slide(part: str, number: int) -> str:
    return f'<section class="slide" id="s{number}" aria-roledescription="slide">\n{part}</section>'


def _pictures(text: str) -> str:
    """Put each figure into the page itself."""
    return re.sub(r'src="(figures/[\w-]+\.png)"', lambda found: f'src="{_data(SLIDES / found[1])}"', text)


def _data(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _file(name: str) -> str:
    path = SLIDES / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


# ----------------------------------------------------------------------------------------------------------------- build
def built() -> dict[Path, str]:
    """All that is built, with what it must be."""
    pages = {SLIDES / f"{name}.html": page(name) for name in TITLES}
    return pages | {lesson.with_suffix(".ipynb"): notebook(lesson) for lesson in lessons()}


def build() -> None:
    for path, text in built().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(COURSE)}  {len(text.encode()):,} bytes")


def figures() -> None:
    from course_figures import figures as drawn

    from handlens import plots

    with tempfile.TemporaryDirectory() as runs:
        os.environ["HANDLENS_RUNS"] = runs
        for name, figure in drawn():
            picture = Image.open(io.BytesIO(plots.png(figure))).convert("RGB")
            picture.quantize(COLOURS).save(SLIDES / "figures" / f"{name}.png", optimize=True)
            print(name, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["build", "figures"])
    if parser.parse_args().what == "figures":
        figures()
    build()
