"""The exercises of the course: right programs pass in any style, mistakes are named, nothing that a learner's code does gets out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from corpus import FULL, portion
from terminal import Terminal

import handlens as hl
from handlens.cli.course import Saves
from handlens.course import EXERCISES, Exercise, Result, folder, joined, kept, material, progress
from handlens.course.cheats import CHEATS, RUNS, STARTERS_CLASS
from handlens.course.check import Attempt, check_attempts, check_file
from handlens.course.dev_check import Case, cases, cheats_that_pass, complaints, too_few, try_cases, unkind_words
from handlens.course.plan import find
from handlens.course.sentences import for_all
from handlens.errors import UsageError

ALL = [case for exercise in EXERCISES for case in cases(exercise)]
FIXED = [case for case in ALL if case.name in ("stub", "empty file", "solution")]
OTHERS = [case for case in ALL if case not in FIXED]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A learner's folder."""
    folder.start(tmp_path / "course")
    return tmp_path / "course"


def said_of(text: str, name: str = "scaling") -> Result:
    """What is said of a program, as a learner gets it: in a process of its own."""
    return check_attempts([Attempt(find(name), text, Path(find(name).file), with_run=False)])[0]


def scaled(body: str) -> str:
    """The exercise of one line, with more around it."""
    return f"import os, sys, pathlib\nimport torch\n{body}\ndef scale(images):\n    return images.float() / 255\n"


def test_each_exercise_has_styles_mutants_and_hints() -> None:
    assert [line for exercise in EXERCISES for line in too_few(exercise)] == []


def test_the_stub_fails_kindly_an_empty_file_too_and_the_solution_passes() -> None:
    assert complaints(try_cases(FIXED)) == []


def test_right_programs_pass_and_mistakes_are_named(record_property: Callable[[str, int], None]) -> None:
    chosen = portion(OTHERS)
    record_property("cases", len(chosen))
    tried = try_cases(chosen)
    assert complaints(tried) == []
    unknown = [result.sentence for _, result in tried if not result.passed and not for_all(result.sentence)]
    assert unknown == [], "the board of a class would not show them"


ENDS = {
    "endless loop": ("while True:\n    pass", "endless"),
    "sleeps for ever": ("import time\ntime.sleep(1e6)", "endless"),
    "sys.exit": ("sys.exit(0)", "exits"),
    "os._exit": ("os._exit(0)", "vanished"),
    "huge output": ("while True:\n    print('x' * 10_000_000)", "too_much_output"),
    "10 GB": ("kept = torch.ones(10 << 30, dtype=torch.uint8)", "too_much_memory"),
    "10 GB in a list": ("kept = [0] * (10 << 27)", "too_much_memory"),
    "recursion": ("def f():\n    return f()\nf()", "exception"),
    "a crash": ("os.abort()", "vanished"),
    "another program": ("import subprocess\nsubprocess.run(['true'])", "fenced"),
    "syntax": ("def f(:\n    pass", "syntax"),
    "a name that is not there": ("image + 1", "exception"),
}


def test_what_does_not_end_well_is_told_as_what_it_is() -> None:
    attempts = [Attempt(find("scaling"), scaled(body), Path("02_scaling.py")) for body, _ in ENDS.values()]
    for (name, (_, cause)), result in zip(ENDS.items(), check_attempts(attempts), strict=True):
        assert (result.passed, result.cause) == (False, cause), (name, result)
        assert not unkind_words(result)
        assert result.line in (3, 4, 5) or cause in ("vanished",), (name, result)


def test_files_outside_stay_as_they_are(place: Path) -> None:
    other, own = place / "other.txt", place / "exercises" / "02_scaling.py"
    other.write_text("mine")
    (place / "kept").mkdir()
    (place / "kept" / "work.txt").write_text("mine")
    attacks = (
        f"import shutil; shutil.rmtree({str(place / 'kept')!r}, ignore_errors=True); open({str(other)!r}, 'w')",
        f"pathlib.Path({str(other)!r}).unlink()",
        f"open({str(other)!r}, 'w').write('gone')",
        f"os.rename({str(other)!r}, {str(other)!r} + '2')",
        f"import shutil; shutil.rmtree({str(place)!r})",
        f"os.truncate({str(other)!r}, 0)",
        "import handlens; pathlib.Path(handlens.__file__).write_text('')",
    )
    own.write_text(scaled(attacks[1]))
    assert check_file(find("scaling"), place).cause == "fenced"
    attempts = [Attempt(find("scaling"), scaled(attack), own) for attack in attacks]
    for attack, result in zip(attacks, check_attempts(attempts), strict=True):
        assert result.cause == "fenced", attack
        assert (other.read_text(), own.read_text()) == ("mine", scaled(attacks[1]))
        assert (place / "kept" / "work.txt").read_text() == "mine"


def test_writing_beside_the_file_is_allowed_and_goes_away(place: Path) -> None:
    own = place / "exercises" / "02_scaling.py"
    own.write_text(scaled("open('notes.txt', 'w').write('x')\nos.remove('notes.txt')\nopen('plot.png', 'wb').write(b'x')"))
    assert check_file(find("scaling"), place)
    assert not (place / "exercises" / "plot.png").exists()


@pytest.mark.usefixtures("mnist")
def test_no_cheat_passes(record_property: Callable[[str, int], None]) -> None:
    record_property("cases", len(CHEATS) + len(RUNS))
    assert len({name for _, name, _ in CHEATS}) > 3
    assert cheats_that_pass() == (len(CHEATS) + len(RUNS), [])


def test_a_file_beside_it_cannot_pass_for_a_library(place: Path) -> None:
    for name in ("torch", "handlens", "json"):
        (place / "exercises" / f"{name}.py").write_text("raise SystemExit\n")
    (place / "exercises" / "numbers_of_mine.py").write_text("WHITE = 255\n")
    own = place / "exercises" / "02_scaling.py"
    own.write_text("from numbers_of_mine import WHITE\nimport torch\n\n\ndef scale(images):\n    return images.float() / WHITE\n")
    assert check_file(find("scaling"), place)


FORMS = {
    "with a mark at its start": ("\ufeff" + scaled("# ü"), "utf-8", ""),
    "an encoding that it names": ("# coding: cp1252\n" + scaled("# ü"), "cp1252", ""),
    "another encoding": (scaled("# ü"), "cp1252", "encoding"),
    "two bytes a letter": (scaled(""), "utf-16", "encoding"),
    "too large": (scaled("table = '" + "x" * (1 << 20) + "'"), "utf-8", "unread"),
}


def test_a_file_is_read_as_python_does_and_what_cannot_be_read_is_not_called_empty(place: Path, terminal: Terminal) -> None:
    own = place / "exercises" / "02_scaling.py"
    for name, (text, encoding, cause) in FORMS.items():
        own.write_bytes(text.encode(encoding))
        found = json.loads(terminal("course", "check", "--folder", place, "--json", code=1 if cause else 0))
        assert [(one["exercise"], one["cause"]) for one in found] == [("scaling", cause)], name
        assert not cause or not unkind_words(check_file(find("scaling"), place))


def test_a_file_that_the_copy_does_not_find_is_told_as_what_it_is(place: Path) -> None:
    own, opened = place / "exercises" / "02_scaling.py", "from PIL import Image\nImage.open('seven.png')"
    own.write_text(scaled(opened))
    assert check_file(find("scaling"), place).cause == "exception"
    (place / "exercises" / "seven.png").write_bytes(b"x")
    result = check_file(find("scaling"), place)
    assert (result.cause, result.line) == ("file_elsewhere", 4)
    assert "__main__" in result.change
    assert not unkind_words(result)


def test_what_is_right_and_could_be_faster_is_said() -> None:
    slow = material.right_programs(find("evaluation"))["without no_grad: right, only slower"]
    result = said_of(slow, "evaluation")
    assert result.passed
    assert "no_grad" in str(result).splitlines()[1]
    assert said_of(material.solution(find("evaluation")), "evaluation").note == ""


# The 98 % of the CNN


@pytest.fixture(scope="module")
def trained() -> tuple[str, dict[str, torch.Tensor]]:
    """A learner's file, and weights of its network that read more than 98 %: nearly those of the starter model."""
    weights = {name: one * 1.0001 if one.is_floating_point() else one for name, one in kept.starter_weights().items()}
    return material.solution(find("cnn")) + STARTERS_CLASS, weights


@pytest.mark.usefixtures("mnist")
def test_the_98_percent_are_measured_on_the_learners_own_run(tmp_path: Path, trained: tuple[str, dict[str, torch.Tensor]]) -> None:
    text, weights = trained
    runs = {
        "no_run": {},
        "below_98": {name: torch.zeros_like(one) for name, one in weights.items()},
        "state_dict_mismatch": {name: one for name, one in weights.items() if "10" not in name},
        "other_pixels": {**weights, "mean": (weights["mean"] - 0.1307) / 0.3081, "std": weights["std"] / 0.3081},
        "": weights,
    }
    attempts = []
    for cause, tensors in runs.items():
        path = tmp_path / f"run {cause}" / "11_cnn.py"
        path.parent.mkdir()
        if tensors:
            path.with_suffix(".safetensors").write_bytes(safetensors.torch.save(tensors))
        attempts.append(Attempt(find("cnn"), text, path))
    results = check_attempts(attempts)
    assert [result.cause for result in results] == [*runs], results
    assert results[-1].passed
    assert "without arguments" in results[2].change
    assert all(result.passed or not unkind_words(result) for result in results)


def test_keep_writes_the_weights_beside_the_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    names: dict[str, object] = {"__name__": "own"}
    exec(material.solution(find("cnn")), names)
    path = hl.course.keep(names["MNISTCNN"]())  # type: ignore[operator]
    assert path == place / "exercises" / "11_cnn.safetensors"
    assert safetensors.torch.load_file(path)["conv1.weight"].shape == (16, 1, 3, 3)


# In a notebook


CELLS = """
import torch
from torch import nn
import torch.nn.functional as F

SIZE = 3

def block(a, b):
    return nn.Sequential(nn.Conv2d(a, b, SIZE, padding=1), ACTIVATION(), nn.MaxPool2d(2))

ACTIVATION = nn.ReLU

class MyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(block(1, 8), block(8, 16))
        self.head = nn.Linear(16 * 49, 10)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))

while True:
    break
raise_if_run_again = 1 / (1 if "first" not in globals() else 0)
first = 1
"""


def in_notebook(code: str, cells: list[str]) -> Result:
    """What a cell gives in a notebook whose cells were run before."""
    names: dict[str, object] = {"In": ["", *cells, code], "__name__": "__main__"}
    for cell in (*cells, code):
        exec(compile(cell, "<cell>", "exec"), names)
    result = names["result"]
    assert isinstance(result, Result)
    return result


def test_a_notebook_gets_the_same_result() -> None:
    ask = "import handlens as hl\nresult = hl.course.check('cnn', MyNet)"
    assert in_notebook(ask, [CELLS])
    later = CELLS.replace("16 * 49", "16 * 50").split("while True")[0]
    broken = in_notebook(ask, [CELLS, later])
    assert broken.cause == "wrong_flatten_size"
    assert "784" in broken.evidence
    assert "not yet" in broken._repr_html_()


def test_a_part_of_an_exercise_says_what_was_not_checked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    joined._write(place, joined.Seat("127.0.0.1:9", "someone.0", 3))
    result = in_notebook("import handlens as hl\nresult = hl.course.check('cnn', MyNet)", [CELLS])
    assert str(result).splitlines() == [
        "cnn: MNISTCNN is right.",
        "Not checked: train_cnn, test_cnn, conv_filters, your run. The exercise is passed when all of it is right.",
    ]
    pair = material.solution(find("errors"))
    assert in_notebook("import handlens as hl\nresult = hl.course.check('errors', most_confused)", [pair]).part == ("most_confused",)
    assert (progress.read(place), joined.waiting(place)) == ({}, [])
    ask = "import handlens as hl\nresult = hl.course.check('errors', most_confused, worst)"
    assert str(in_notebook(ask, [pair])) == "errors: passed."
    assert progress.state_of(find("errors"), progress.read(place)) == "passed"
    assert len(joined.waiting(place)) == 1


def test_the_lines_of_a_lesson_count_for_nobody(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    session = Path(hl.__file__).parent / "course" / "lessons" / "session_2_example_code.py"
    ask = "import handlens as hl\nresult = hl.course.check('mlp-forward', MNISTNet)"
    lines = session.read_text().split("if __name__ ==")[0]
    given = in_notebook(ask, [lines])
    assert (given.passed, given.counts) == (True, False)
    assert "03_mlp_forward.py" in given.note
    assert progress.read(place) == {}
    own = in_notebook(ask, [lines, material.solution(find("mlp-forward"))])
    assert (str(own), own.counts) == ("mlp-forward: passed.", True)
    assert progress.state_of(find("mlp-forward"), progress.read(place)) == "passed"
    folder.reset(find("mlp-forward"))
    assert progress.read(place) == {}


TAKEN = {
    "an if without an else": "WHITE = 255\nif WHITE > 300:\n    WHITE = 1",
    "an if with an else": "if torch.cuda.is_available():\n    WHITE = 255\nelse:\n    WHITE = 255",
    "a try": "try:\n    from no_such_module import WHITE\nexcept ImportError:\n    WHITE = 255",
    "a with": "with torch.no_grad():\n    WHITE = torch.tensor(255.0)",
    "changed": "WHITE = 5\nWHITE *= 51",
    "made of itself": "WHITE = 5\nWHITE = WHITE * 51",
    "two at once": "(WHITE, black), *others = (255, 0), 1, 2",
    "an attribute": "class WHITE:\n    pass\nWHITE.value = 255",
    "a place in a table": "WHITE = [0]\nWHITE[0] = 255",
    "only said": "WHITE = 255\nWHITE: int",
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_makes_or_changes_a_name_is_taken_along(name: str) -> None:
    value = {"an attribute": "WHITE.value", "a place in a table": "WHITE[0]"}.get(name, "WHITE")
    cells = ["import torch", "WHITE = 7", TAKEN[name], f"def scale(images):\n    return images.float() / {value}"]
    result = in_notebook("import handlens as hl\nresult = hl.course.check('scaling', scale)", cells)
    assert result.passed, result


def test_parameters_are_not_taken_for_variables_of_the_notebook() -> None:
    before = "for path in [4]:\n    size = path\nx = [path, size]\na = x[0]"
    assert in_notebook("import handlens as hl\nresult = hl.course.check('cnn', MyNet)", [before, CELLS])


def test_what_is_not_defined_in_a_notebook_is_told() -> None:
    with pytest.raises(UsageError, match="not found"):
        in_notebook("import handlens as hl\nfrom torch.nn import Linear as L\nresult = hl.course.check('cnn', type('X', (), {}))", [])


# The folder, and the command line


def test_start_never_overwrites(tmp_path: Path, terminal: Terminal) -> None:
    assert "new files" in terminal("course", "start", tmp_path / "c")
    own = tmp_path / "c" / "exercises" / "01_linear_fit.py"
    own.write_text("# mine")
    terminal("course", "start", tmp_path / "c")
    assert own.read_text() == "# mine"
    assert len(list((tmp_path / "c" / "exercises").glob("*.py"))) == len(EXERCISES)


def test_reset_and_catch_up_keep_what_was_written(place: Path, terminal: Terminal) -> None:
    own = place / "exercises" / "01_linear_fit.py"
    own.write_text("# first")
    assert "mine" in terminal("course", "reset", "linear-fit", "--folder", place)
    assert own.read_text() == material.stub(find("linear-fit"))
    own.write_text("# second")
    terminal("course", "catch-up", "4", "--folder", place)
    assert own.read_text() == material.solution(find("linear-fit"))
    assert (place / "exercises" / "04_training_loop.py").read_text() == material.stub(find("training-loop"))
    kept = sorted(path.read_text() for path in (place / "exercises" / "mine").iterdir())
    assert kept == ["# first", "# second"]
    terminal("course", "catch-up", "4", "--folder", place)
    assert len(list((place / "exercises" / "mine").iterdir())) == 2
    terminal("course", "catch-up", "99", "--folder", place, code=2)


def test_check_says_passed_or_not_yet_and_ls_remembers(place: Path, terminal: Terminal) -> None:
    (place / "exercises" / "02_scaling.py").write_text("def scale(images):\n    return images.float()\n")
    said = terminal("course", "check", "scaling", "--folder", place, code=1)
    assert "not yet" in said
    assert "Divide them by 255." in said
    assert "hint scaling" in said
    (place / "exercises" / "02_scaling.py").write_text(material.solution(find("scaling")))
    found = json.loads(terminal("course", "check", "2", "--folder", place, "--json"))
    assert [(one["exercise"], one["passed"]) for one in found] == [("scaling", True)]
    assert "scaling\tpassed" in terminal("course", "ls", "--folder", place)
    assert progress.read(place)["scaling"]["tries"] == 2


def test_the_answers_are_laid_out_for_instructors_only(terminal: Terminal, place: Path) -> None:
    guide = place / "slides" / "guide.html"
    assert (place / "slides" / "handout.html").is_file()
    assert not guide.exists()
    terminal("course", "start", place, "--instructor")
    assert guide.is_file()


def test_hints_and_solution_are_told(terminal: Terminal) -> None:
    told = [terminal("course", "hint", "cnn", level) for level in ("1", "2", "3")]
    assert len(set(told)) == 3
    assert "self.pool(torch.relu(self.conv1(x)))" in told[2]
    assert terminal("course", "solution", "cnn").strip() == material.solution(find("cnn")).strip()


def test_wrong_names_are_answered(terminal: Terminal, tmp_path: Path) -> None:
    terminal("course", "check", "cnnn", code=2)
    assert "Did you mean 'cnn'?" in terminal.err
    terminal("course", "ls", "--folder", tmp_path / "nothing", code=2)
    assert "handlens course start" in terminal.err


def test_watch_checks_what_is_saved(place: Path) -> None:
    own = place / "exercises" / "02_scaling.py"
    command = [sys.executable, "-m", "handlens", "course", "watch", "scaling", "--folder", str(place)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        try:
            assert "Watching" in process.stderr.readline()
            time.sleep(0.5)
            (place / ".progress.json").mkdir()  # what cannot be kept ends nothing
            own.write_text("def scale(images):\n    return images\n")
            assert "scaling could not be checked" in process.stderr.readline()
            (place / ".progress.json").rmdir()
            own.write_text(material.solution(find("scaling")))
            assert process.stdout.readline() == "scaling: passed.\n"
        finally:
            process.send_signal(2)
        process.communicate(timeout=30)


def test_a_file_counts_as_saved_when_it_is_quiet(tmp_path: Path) -> None:
    path = tmp_path / "02_scaling.py"
    path.write_text("def")
    saves = Saves([path])
    assert saves.new() == []
    for letters in (4, 9, 15):
        path.write_text("def scale(images):"[:letters])
        assert saves.new() == []
    assert saves.new() == [path]
    assert saves.new() == []
    path.rename(tmp_path / "aside")
    assert [saves.new(), saves.new()] == [[], []]
    (tmp_path / "aside").rename(path)
    path.write_text("def scale(images): ...")
    assert [saves.new(), saves.new()] == [[], [path]]


def test_one_long_progress_file_of_somebody_else_harms_nothing(place: Path) -> None:
    for content in ("", "[]", "[" * 100_000, '{"cnn": 3}', "\x00", json.dumps({"nonsense": {"done": True}})):
        (place / ".progress.json").write_text(content)
        assert progress.read(place) == {}


def test_what_cannot_be_read_is_kept_aside_and_said(place: Path) -> None:
    own = place / "exercises" / "02_scaling.py"
    for number, (content, text) in enumerate([('{"cnn": ', "def scale(images):\n    return images\n"), ("[]", "")], 1):
        (place / ".progress.json").write_text(content)
        own.write_text(text or material.solution(find("scaling")))
        said = str(check_file(find("scaling"), place))
        assert f"is kept as .progress-unreadable-{number}.json in {place}" in said
        assert (place / f".progress-unreadable-{number}.json").read_text() == content
        assert progress.state_of(find("scaling"), progress.read(place)) == ("not yet" if text else "passed")
    assert "unreadable" not in str(check_file(find("scaling"), place))
    assert len([*place.glob(".progress-unreadable*")]) == 2


def test_what_another_version_remembers_stays_and_damage_ends_nothing(place: Path) -> None:
    other = {"nonsense": {"done": True}}
    (place / ".progress.json").write_text(json.dumps({**other, "scaling": {"tries": "three"}}))
    progress.remember(place, Result("scaling", passed=True))
    assert progress.read(place)["scaling"]["tries"] == 1
    progress.forget(place, find("scaling"))
    assert json.loads((place / ".progress.json").read_text()) == other


# The robot learner


def robot_steps() -> list[tuple[Exercise, list[Case]]]:
    """Each exercise from its stub through typical mistakes to its solution."""
    steps = []
    for exercise in EXERCISES:
        of_it = cases(exercise)
        mistakes = [case for case in of_it if case.cause and case.name not in ("stub", "empty file")][: 4 if FULL else 1]
        steps.append((exercise, [of_it[0], *mistakes, of_it[2]]))
    return steps if FULL else steps[1::8]


def test_a_robot_learner_does_the_exercises(
    place: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, int], None]
) -> None:
    times: dict[str, list[float]] = {}
    for exercise, steps in robot_steps():
        for case in steps:
            (place / "exercises" / exercise.file).write_text(case.text)
            began = time.monotonic()
            result = check_file(exercise, place)
            times.setdefault(exercise.name, []).append(time.monotonic() - began)
            done = result.passed or (exercise.name == "cnn" and result.cause == "no_run")
            assert done == (not case.cause), (case.name, result)
    record_property("cases", sum(map(len, times.values())))
    with capsys.disabled():
        print(f"\nrobot learner: {sum(map(sum, times.values())):.1f} s in all")
        for name, found in times.items():
            print(f"  {name:<16}{len(found):>3} checks {sum(found):6.1f} s, the longest {max(found):.1f} s")
