"""The course's material: lessons run, what is built is in step, each question has its answer, and pages need nothing but themselves."""

from __future__ import annotations

import gzip
import importlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import jupytext
import pytest
from corpus import FULL, ROOT
from pages import chrome, read
from playwright.sync_api import Browser, Page, sync_playwright

import handlens as hl
from handlens.cli.verbs import handlens
from handlens.course import EXERCISES, material, questions
from handlens.course.plan import find
from handlens.course.side_by_side import mistake
from handlens.errors import UsageError

LESSONS = sorted((ROOT / "src" / "handlens" / "course" / "lessons").glob("[0-9]*.py"))
EXAMPLE = LESSONS[0].with_name("session_2_example_code.py")
SLIDES = ROOT / "src" / "handlens" / "course" / "slides"
PAGES = ("slides", "guide", "handout")
SHARED = os.environ.get("HANDLENS_SHARED")
SESSION = Path(SHARED or "nowhere").parent / "session" / "session_2.md"
WORST = (
    "softmax_before_ce missing_zero_grad missing_eval inputs_not_scaled wrong_flatten_size lr_too_high lr_too_low missing_step "
    "eval_on_train missing_train_mode unregistered_layers optimizer_wrong_params broken_graph train_test_leak "
    "train_test_preprocess_mismatch "
    "missing_shuffle early_return_in_loop accuracy_wrong_denominator state_dict_alias own_digit_inverted"
).split()
TO_WRITE = {"04_architecture": "wider", "08_confusion": "confusion", "09_cnn": "cnn"}  # where a lesson has an empty place
ASKED = (  # of the session, each with its model answer: recap, discussion, tasks, homework, reflection
    "recap-parameter recap-loop recap-loss-optimizer recap-rate recap-homework discuss-difference discuss-relu discuss-output discuss-loss "
    "discuss-flatten discuss-scale task-width task-rate task-overfitting task-first-layer task-confusion homework-fashion homework-grid "
    "homework-own homework-errors homework-why reflect-deep reflect-activation reflect-regression reflect-curves"
).split()


@pytest.fixture(scope="module")
def course() -> Iterator[ModuleType]:
    """tools/course.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        yield importlib.import_module("course")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, mnist: hl.Dataset) -> Callable[[list[Path]], dict[str, list[dict[str, Any]]]]:
    """Runs lessons in a kernel, on a few images; gives the cells of each with what came of them."""
    hl.load("fashion-mnist")
    monkeypatch.setenv("HANDLENS_COURSE_EXAMPLES", "300")
    monkeypatch.setenv("HANDLENS_COURSE_EPOCHS", "1")

    def run(lessons: list[Path]) -> dict[str, list[dict[str, Any]]]:
        command = [sys.executable, str(ROOT / "tests" / "lessons.py"), *map(str, lessons)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
        found: dict[str, list[dict[str, Any]]] = json.loads(answer.stdout)
        assert [*found] == [path.stem for path in lessons]
        wrong = [f"{name}\n{cell['source']}\n{cell['bad']}" for name, cells in found.items() for cell in cells if cell["bad"]]
        assert wrong == [], "\n\n".join(wrong)
        return found

    return run


def said_by_checks(cells: list[dict[str, Any]]) -> dict[str, str]:
    """What each check of a lesson said, by its exercise."""
    return {
        cell["source"].partition('course.check("')[2].partition('"')[0]: cell["shown"]
        for cell in cells
        if "course.check(" in cell["source"]
    }


Ran = Callable[[list[Path]], dict[str, list[dict[str, Any]]]]


def test_every_cell_of_every_lesson_runs_in_a_kernel(ran: Ran) -> None:
    lessons = ran(LESSONS)
    demos = [cell for cells in lessons.values() for cell in cells if cell["source"].startswith("mistake(")]
    assert [re.findall('"(.+)"', cell["source"])[0] for cell in demos] != []
    assert [cell["source"] for cell in demos if "text/html" not in cell["kinds"] or cell["shown"].count("gives\n") != 2] == []
    shown = {name: "\n".join(cell["shown"] for cell in cells) for name, cells in lessons.items()}
    assert "109,386 weights" in shown["02_full_example"]
    checks = {name: said for cells in lessons.values() for name, said in said_by_checks(cells).items()}
    assert checks.pop("mlp-forward").startswith("mlp-forward: passed.")
    assert {name for name, said in checks.items() if "not yet" in said} == {*checks} == {*TO_WRITE.values()}
    assert "our CNN" in shown["09_cnn"], "whoever writes nothing goes on with our solution"
    assert re.search(r"softmax twice: 1\.46\b", shown["03_the_code"])
    assert "Flatten    (1, 3136)" in shown["09_cnn"]
    assert "accuracy 50.0" in shown["11_mistakes_in_measuring"], "its text says 50"


def test_what_a_learner_writes_in_a_lessons_empty_place_is_checked_and_used(tmp_path: Path, ran: Ran) -> None:
    done = []
    for lesson, exercise in TO_WRITE.items():
        book = jupytext.read(LESSONS[0].with_name(f"{lesson}.py"), fmt="py:percent")
        [empty] = [cell for cell in book.cells if "starter" in cell.metadata.get("tags", [])]
        assert "TODO" in empty.source
        empty.source = material.solution(find(exercise)).partition("if __name__")[0]
        done.append(tmp_path / f"{lesson}.py")
        jupytext.write(book, done[-1], fmt="py:percent")
    lessons = ran(done)
    for lesson, exercise in TO_WRITE.items():
        said = said_by_checks(lessons[lesson])[exercise]
        assert said.startswith(f"{exercise}: ")
        assert "not yet" not in said
    assert any("your CNN" in cell["shown"] for cell in lessons["09_cnn"])


def test_a_solution_stands_at_the_end_of_its_lesson_folded(course: ModuleType) -> None:
    for lesson, exercise in TO_WRITE.items():
        place, _, text = course.open_questions()[f"{exercise}-solution"]
        assert place == lesson
        assert course.solution(exercise) in text
        assert course.cells(lesson)[-1].source.rindex("<details") < course.cells(lesson)[-1].source.index(course.solution(exercise))


def test_what_is_built_is_in_step_with_its_sources(course: ModuleType) -> None:
    built: dict[Path, str] = course.built()
    assert {path.suffix for path in built} == {".html", ".ipynb"}
    old = [path.name for path, text in built.items() if path.read_text(encoding="utf-8") != text]
    assert old == [], "python tools/course.py build"


def test_notebooks_are_as_jupyter_wants_them_and_hold_no_results(course: ModuleType) -> None:
    import nbformat

    for path in LESSONS:
        book = nbformat.reads(course.notebook(path), as_version=4)
        nbformat.validate(book)
        assert [cell.outputs for cell in book.cells if cell.cell_type == "code" and cell.outputs] == []


def test_the_figures_of_the_slides_are_made_by_code(course: ModuleType, mnist: hl.Dataset) -> None:
    made = importlib.import_module("course_figures")
    kept = {path.stem for path in (course.SLIDES / "figures").glob("*.png")}
    makers = made.MAKERS if FULL else (made.line, made.samples, made.photo)
    drawn = {name for make in makers for name, _ in make({"examples": 200})}
    assert drawn == kept if FULL else drawn < kept
    assert {name for name in kept if f"figures/{name}.png" not in (course.SLIDES / "slides.md").read_text(encoding="utf-8")} == set()


def test_each_question_of_the_session_has_a_model_answer_in_a_lesson(course: ModuleType) -> None:
    found: dict[str, tuple[str, str, str]] = course.open_questions()
    assert [name for name in ASKED if name not in found] == []
    assert [name for name, (_, question, answer) in found.items() if not question or (len(answer.split()) < 15)] == []
    everything = "".join(course.texts(path.stem) for path in LESSONS)
    assert everything.count("<details") == everything.count("</details>") == len(found)


def test_each_question_has_one_right_answer_and_a_reason_for_each() -> None:
    for question in questions.questions().values():
        assert question.right in question.options
        assert 3 <= len(question.options) <= 4
        assert [one for one in question.options.values() if len(one.why.split()) < 4] == [], question.name
    letters = [question.right for question in questions.questions().values()]
    assert max(map(letters.count, "abcd")) < 0.6 * len(letters)


def test_lessons_ask_their_own_questions_and_answer_each_guess_after_an_experiment() -> None:
    asked = []
    for path in LESSONS:
        code = [cell.source for cell in jupytext.read(path, fmt="py:percent").cells if cell.cell_type == "code"]
        calls = [
            (number, *call) for number, text in enumerate(code) for call in re.findall(r'^(ask|guess|reveal)\("(.+?)"', text, re.MULTILINE)
        ]
        for number, kind, name in calls:
            assert questions.find(name).lesson == path.stem
            assert (kind != "ask") == questions.find(name).guess
            if kind == "guess":
                assert any(later > number + 1 for later, what, whose in calls if (what, whose) == ("reveal", name)), name
        asked += [name for _, kind, name in calls if kind != "reveal"]
    assert sorted(asked) == sorted(questions.questions())
    assert len([name for name in asked if name.startswith("guess-")]) >= 12


@pytest.mark.parametrize("name", ["04_architecture", "05_learning_rate", "13_grid"])
def test_a_lesson_that_keeps_images_apart_takes_all_others(name: str, monkeypatch: pytest.MonkeyPatch, mnist: hl.Dataset) -> None:
    monkeypatch.setenv("HANDLENS_COURSE_EXAMPLES", "60000")
    book = jupytext.read(LESSONS[0].with_name(f"{name}.py"), fmt="py:percent")
    names: dict[str, Any] = {}
    exec(next(cell.source for cell in book.cells if cell.cell_type == "code"), names)
    assert len(names["train"]) == 54_000


def test_texts_use_plain_words_and_the_terms_of_the_field(course: ModuleType) -> None:
    texts = [course.texts(path.stem) for path in LESSONS] + [path.read_text(encoding="utf-8") for path in course.SLIDES.glob("*.md")]
    texts += [course.COURSE.joinpath("questions.toml").read_text(encoding="utf-8")]
    assert [word for text in texts for word in re.findall(r"by lot\b|\bmended\b|\bwindows?\b(?! of weights|,macos)", text)] == []


# What the texts say one should type, and when


def commands(text: str) -> list[list[str]]:
    """The commands that stand in a text, as words."""
    return [shlex.split(" ".join(one.split()))[1:] for one in re.findall(r"`(handlens\s[^`]+)`", text)]


def parse(words: list[str]) -> None:
    """Read a command as the command line does, without doing it."""
    context = handlens.make_context("handlens", [*words])
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context = command.make_context(name, rest, parent=context)


def test_commands_in_the_texts_are_commands_and_ask_for_runs_that_were_made(course: ModuleType) -> None:
    texts = {path.stem: course.texts(path.stem) for path in LESSONS}
    texts |= {name: (SLIDES / f"{name}.md").read_text(encoding="utf-8") for name in PAGES}
    texts |= {f"hints of {one.name}": material.text_of(one, "hints.md") for one in EXERCISES}
    made: set[str] = set()
    for place, text in texts.items():
        for words in commands(text):
            try:
                parse(words)
            except (click.ClickException, click.exceptions.Exit) as error:
                pytest.fail(f"{place}: handlens {' '.join(words)}: {error}")
            made |= {words[words.index("--name") + 1]} if "--name" in words else set()
            if words[0] in ("compare", "errors", "evaluate", "explain", "report"):
                runs = {*itertools.takewhile(lambda word: not word.startswith("--"), words[1:])}
                assert runs <= made, f"{place}: no run {runs - made} was made before: handlens {' '.join(words)}"
    assert {"first", "cnn"} <= made


def test_the_timeline_of_the_guide_fills_two_hours_and_all_slides(course: ModuleType) -> None:
    text = (SLIDES / "guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d):(\d\d) \| (\d+) \| [^|]+ \| (\d+) to (\d+)[,| ]", text, re.MULTILINE)
    begins = [60 * int(hours) + int(minutes) for hours, minutes, *_ in rows]
    assert begins == [*itertools.accumulate([0, *(int(row[2]) for row in rows)])][:-1]
    assert sum(int(row[2]) for row in rows) == 120
    pages = [page for row in rows for page in range(int(row[3]), int(row[4]) + 1)]
    assert pages == list(range(1, course.page("slides").count('<section class="slide"') + 1))


def test_the_worst_mistakes_are_shown_side_by_side() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in LESSONS)
    assert sorted(re.findall(r'^mistake\("(\w+)"\)', text, re.MULTILINE)) == sorted(WORST)


def test_a_mistake_is_text_and_html_with_both_results() -> None:
    shown = mistake("softmax_before_ce")
    assert "loss 2.30 -> 1.4" in repr(shown)
    assert repr(shown).index("nn.Softmax") < repr(shown).index("Without it")
    page = shown._repr_html_()
    assert "-&gt; 1.4" in page
    assert page.count("<pre") == 4
    assert re.findall(r"#1A1D21\">(.+?)</span>", page) == ["model.append(nn.Softmax(dim=1))"]
    with pytest.raises(UsageError, match="no mistake 'softmax_befor_ce'"):
        mistake("softmax_befor_ce")


def test_a_guess_is_locked_until_it_is_answered() -> None:
    assert "a)" in questions.guess("guess-cnn")
    assert "Your guess is a)" in questions.guess("guess-cnn", "A")
    assert "Your guess is a)" in questions.guess("guess-cnn", "b")
    assert "stays" in questions.guess("guess-cnn", "b")
    told = questions.reveal("guess-cnn")
    assert "The answer is b)" in told
    assert "Not quite." in told
    assert "no guess locked" in questions.reveal("guess-cnn")
    assert "Your guess is b)" in questions.guess("guess-cnn", "b")
    assert "was right" in questions.reveal("guess-cnn")


def test_an_answer_gets_its_reason_and_an_unknown_one_is_named() -> None:
    assert "Yes." in questions.ask("logits", "a")
    assert "1.46" in questions.ask("logits", "b")
    assert repr(questions.ask("logits")).startswith("What should forward()")
    with pytest.raises(UsageError, match="no answer 'e'"):
        questions.ask("logits", "e")
    with pytest.raises(UsageError, match="no question 'logit'"):
        questions.ask("logit")


def test_the_session_in_one_file_trains_and_draws_without_handlens_and_torchvision(tmp_path: Path, mnist: hl.Dataset) -> None:
    for part, split in (("train", mnist.train), ("t10k", mnist.test)):
        for kind, values in (("images-idx3", split.images[:400, 0]), ("labels-idx1", split.labels[:400].byte())):
            head = bytes([0, 0, 8, values.ndim, *b"".join(size.to_bytes(4) for size in values.shape)])
            (tmp_path / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + values.numpy().tobytes()))
    script = tmp_path / "alone.py"
    script.write_text(f"import sys; sys.modules['handlens'] = sys.modules['torchvision'] = None\n{EXAMPLE.read_text(encoding='utf-8')}")
    command = [sys.executable, str(script), str(tmp_path), "--plots", "figures", "--epochs", "6"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=os.environ | {"MPLBACKEND": "agg"})
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["curves.png", "predictions.png", "samples.png"]
    accuracy = re.search(r"test accuracy (.+)%", answer.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) > 50


def test_the_session_in_one_file_takes_the_data_of_handlens(mnist: hl.Dataset) -> None:
    command = [sys.executable, str(EXAMPLE), "--plots", "figures", "--epochs", "1", "--examples", "300"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "epoch 1/1" in answer.stdout
    assert answer.stderr == ""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_all_that_it_shows(name: str) -> None:
    text = (SLIDES / f"{name}.html").read_text(encoding="utf-8")
    page = read(re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL))
    assert [image for image in page.all("img") if not image["src"].startswith("data:") or len(image["alt"]) < 10] == []
    assert re.findall(r"\{\{|(?:src|href)=\"(?!data:|#)|url\(|@import|fetch\(|XMLHttpRequest", text) == []
    assert "default-src 'none'" in text


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--no-first-run"])
        yield started
        started.close()


@pytest.fixture
def slides(browser: Browser) -> Iterator[Page]:
    """The slides in a browser without a network; a request, or what the page complains of, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    page, seen = context.new_page(), []
    page.on("request", lambda request: seen.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.goto((SLIDES / "slides.html").as_uri())
    yield page
    context.close()
    assert seen == []


def test_slides_are_shown_by_the_keyboard_and_none_is_cut_off(slides: Page) -> None:
    count = slides.locator(".slide").count()
    assert count > 25
    cut = []
    for number in range(1, count + 1):
        assert slides.locator(".slide.now").get_attribute("id") == f"s{number}"
        over = slides.evaluate(
            "(s => [s.scrollHeight - s.clientHeight, s.scrollWidth - s.clientWidth])(document.querySelector('.slide.now'))"
        )
        cut += [number] if max(over) > 2 else []
        slides.keyboard.press("ArrowRight")
    assert cut == []
    assert slides.evaluate("[...document.images].filter(image => !image.naturalWidth).length") == 0
    slides.keyboard.press("Home")
    assert slides.url.endswith("#s1")


def test_the_slides_that_move_answer_as_pytorch_would(slides: Page) -> None:
    slides.evaluate("location.hash = '#s14'")
    said = slides.locator("#play-softmax output")
    for digit in range(10):
        slides.locator("#play-softmax input").nth(digit).fill("0" if digit != 3 else "6")
    assert said.inner_text().startswith("loss -ln(0.978) = 0.02 ")  # e**6 / (e**6 + 9)
    assert "softmax twice: 1.48" in said.inner_text()
    slides.evaluate("location.hash = '#s6'")
    rate = slides.locator("#play-rate input")
    for value, words in (("-2", "still on its way"), ("-0.5", "it arrives"), ("0.2", "flies away")):
        rate.fill(value)
        assert words in slides.locator("#play-rate output").inner_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_telephone(browser: Browser, name: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, offline=True)
    page = context.new_page()
    page.goto((SLIDES / f"{name}.html").as_uri())
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert wide <= 320


@pytest.mark.parametrize("name, fewest, most", [("slides", 30, 40), ("guide", 8, 30), ("handout", 1, 2)])
def test_a_page_can_be_printed(chromium: str, tmp_path: Path, name: str, fewest: int, most: int) -> None:
    paper = tmp_path / f"{name}.pdf"
    chrome(chromium, tmp_path, (SLIDES / f"{name}.html").as_uri(), f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert fewest <= len(re.findall(rb"/Type */Page\b(?!s)", paper.read_bytes())) <= most


@pytest.mark.skipif(not SESSION.is_file(), reason="HANDLENS_SHARED: session_2.md beside it")
def test_no_sentence_is_taken_from_the_text_of_the_session(course: ModuleType) -> None:
    theirs = runs_of_words(SESSION.read_text(encoding="utf-8"))
    texts = [course.texts(path.stem) for path in LESSONS] + [path.read_text(encoding="utf-8") for path in course.SLIDES.glob("*.md")]
    texts += [course.COURSE.joinpath("questions.toml").read_text(encoding="utf-8")]
    assert [shared for text in texts for shared in runs_of_words(text) & theirs] == []


def runs_of_words(text: str, length: int = 8) -> set[str]:
    words = re.findall(r"[a-z0-9']+", re.sub(r"```.*?```", "", text, flags=re.DOTALL).lower())
    return {" ".join(words[start : start + length]) for start in range(len(words) - length + 1)}
