"""Ask the doctor about all programs of the corpus, broken and right ones, and print the scores in Markdown.

    PYTHONPATH=src:tests python -m doctor.score [--answers FILE] [--seeds N] [--workers N] [--minutes M] [--again] [--sample N] [WORD ...]

Words choose programs by their names. Each answer is a line of FILE, and what stands there is not asked once more: a run that was stopped
goes on with the same command. Right programs come first, the others in an order by chance, so what is there after M minutes is a sample.
With `--seeds` each program is asked about N times, from other random numbers; with `--again` also where the answer in FILE is not right;
with `--sample` only N of the programs are, drawn by chance, always the same.
`--answers` may be given several times: the answers of all these files count, as of several machines, and new ones go into the first.
With `--minutes 0` nothing is asked, and what is known is scored.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from doctor import ground
from doctor.corpus import ALL_RIGHT, BROKEN
from doctor.programs import Mutant

import handlens as hl

_NO_ANSWER = "no answer"


@dataclass(frozen=True)
class Question:
    """A program, the cause that is to be named (none for a right program), and from which random numbers it begins."""

    name: str
    text: str
    cause: str
    seed: int
    mutant: Mutant | None = None


@dataclass(frozen=True)
class Answer:
    """What was said of a program, and by which state of the doctor; time by the clock and of the processor in s, and memory in bytes."""

    name: str
    cause: str
    seed: int
    text: str
    doctor: str
    causes: tuple[str, ...]
    right_line: bool
    said: str
    seconds: float
    processor: float
    memory: int

    @property
    def first(self) -> str:
        """The cause that was named first; empty if none was."""
        return self.causes[0] if self.causes else ""

    @property
    def right(self) -> bool:
        """Whether the true cause was named first, with its line; or nothing was said of a right program."""
        return self.first == self.cause and self.right_line


def seeded(text: str, seed: int) -> str:
    """A program that begins with other random numbers; its lines stay where they are. Zero leaves it as it is."""
    return (
        text.replace("SEED = 0", f"SEED = {seed}").replace("import torch\n", f"import torch; torch.manual_seed({seed})\n", 1)
        if seed
        else text
    )


def right_line(mutant: Mutant, line: int) -> bool:
    """Whether the line is one of those that the mistake stands in, or beside it."""
    text = mutant.text
    if not mutant.line or mutant.line not in text:
        return True
    places, start = [], 0
    while (found := text.find(mutant.line, start)) >= 0:
        places.append(text[:found].count("\n") + 1 + (mutant.line[0] == "\n"))
        start = found + 1
    return any(abs(place + extra - line) <= 1 for place in places for extra in range(mutant.line.count("\n") + 1))


def questions(seeds: int, words: Sequence[str], sample: int | None = None) -> list[Question]:
    """All that are chosen: right programs first, then the others in an order by chance, which is always the same.

    Args:
        seeds: how often each program is asked about.
        words: parts of the names of programs; all programs if there are none.
        sample: how many of these programs to draw; None for all.
    """
    right = [Question(name, text, "", seed) for seed in range(seeds) for name, text in ALL_RIGHT.items()]
    mutants = random.Random(0).sample(BROKEN, len(BROKEN))
    broken = [Question(one.name, one.text, one.cause, seed, one) for seed in range(seeds) for one in mutants]
    missing = () if ground.FASHION.exists() else ("fashion_flips", "fashion_cells")
    chosen = [one for one in right + broken if not words or any(word in one.name for word in words)]
    there = [one for one in chosen if not one.name.endswith(missing)]
    if sample is None:
        return there
    programs = sorted({(one.cause, one.name) for one in there})
    drawn = set(random.Random(0).sample(programs, min(sample, len(programs))))
    return [one for one in there if (one.cause, one.name) in drawn]


def ask(question: Question) -> Answer:
    """Ask by the command, as a learner does, from the start of its process to its end."""
    text = seeded(question.text, question.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.py")
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "handlens", "doctor", "--json", str(path)]
        start = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT) as process:
            assert process.stdout
            output = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)  # with all its children
            process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    try:
        found = json.loads(output)
        causes, line, said = tuple(found["causes"]), found["line"], f"{found['evidence'][-300:]} {found['failure'][:200]}"
    except (ValueError, KeyError):
        causes, line, said = (_NO_ANSWER,), 0, output[-300:]
    if not causes and found["failure"] and not question.cause:
        causes = ("an exception",)
    placed = causes[:1] == (question.cause,) and question.mutant is not None and right_line(question.mutant, line)
    return Answer(
        name=question.name,
        cause=question.cause,
        seed=question.seed,
        text=digest(text),
        doctor=STATE,
        causes=causes,
        right_line=placed or not question.cause,
        said=f"line {line}: {said.strip()}",
        seconds=round(seconds, 2),
        processor=round(used.ru_utime + used.ru_stime, 2),
        memory=used.ru_maxrss << 10,
    )


def digest(text: str) -> str:
    """A short name of a text that another text has not."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


SOURCE = Path(str(hl.__file__)).parent / "doctor"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE.parents[1])}  # the programs run in another folder
STATE = digest("".join(path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))))


def known(files: Sequence[Path]) -> dict[tuple[str, int, str], Answer]:
    """The answers that stand in files; the last one of each program counts, rather one of this state of the doctor."""
    answers: dict[tuple[str, int, str], Answer] = {}
    for line in (line for file in files if file.exists() for line in file.read_text(encoding="utf-8").splitlines()):
        with contextlib.suppress(json.JSONDecodeError):  # a line that was not written to its end
            row = json.loads(line)
            answer = Answer(**{**row, "causes": tuple(row["causes"])})
            place = answer.name, answer.seed, answer.text
            if place not in answers or answer.doctor == STATE or answers[place].doctor != STATE:
                answers[place] = answer
    return answers


def lay_out(folder: Path) -> Path:
    """Make the files that programs read."""
    return ground.prepare(folder, hl.load("mnist"))


def key(question: Question) -> tuple[str, int, str]:
    """By what its answer is found; a program that was changed since is another one."""
    return question.name, question.seed, digest(seeded(question.text, question.seed))


def ask_all(asked: Sequence[Question], file: Path, workers: int, minutes: float) -> None:
    """Ask, and write each answer down; nothing is begun after so many minutes."""
    until = time.monotonic() + 60 * minutes
    if file.exists() and not file.read_bytes().endswith(b"\n"):  # an answer was not written to its end
        file.write_bytes(file.read_bytes() + b"\n")

    def one(question: Question) -> None:
        if time.monotonic() > until:
            return
        answer = ask(question)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(answer)) + "\n")
        if not answer.right:
            print(f"{answer.name}, seed {answer.seed}: {answer.causes[:4]} {answer.said}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, asked))


def share(part: int, whole: int) -> str:
    """A part of a whole in words."""
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none asked"


def report(answers: Sequence[Answer], count: int) -> str:
    """The scores, and a table of what was said in place of each true cause.

    Args:
        answers: all that are known.
        count: how many are to be asked.
    """
    if not answers:
        return f"Nothing was asked of {count}."
    return "\n".join([*_scores(answers, count), "", *_missed(answers)])


def _scores(answers: Sequence[Answer], count: int) -> list[str]:
    broken, silent = [one for one in answers if one.cause], [one for one in answers if not one.cause]
    first = [one for one in broken if one.first == one.cause]
    clock, processor = [one.seconds for one in answers], [one.processor for one in answers]
    slowest = max(answers, key=lambda one: one.seconds)
    rows = [
        ("asked", share(len(answers), count), ""),
        ("not asked yet", str(count - len(answers)), "0"),
        ("asked of an earlier state of the doctor", str(sum(one.doctor != STATE for one in answers)), "0"),
        ("true cause first", share(len(first), len(broken)), "95 %"),
        ("true cause among the first three", share(sum(one.cause in one.causes[:3] for one in broken), len(broken)), ""),
        ("right line (within 1), where the true cause is first", share(sum(one.right for one in first), len(first)), "85 %"),
        ("right programs blamed", share(sum(one.first not in ("", _NO_ANSWER) for one in silent), len(silent)), "0"),
        ("no answer", str(sum(one.first == _NO_ANSWER for one in answers)), "0"),
        ("same first cause with all seeds", _agreement(answers), "100 %"),
        ("time by the clock, start included, in the median", f"{statistics.median(clock):.1f} s", "6 s"),
        ("the slowest", f"{slowest.seconds:.1f} s: {slowest.name}", "15 s"),
        ("time of the processor", f"median {statistics.median(processor):.1f} s, most {max(processor):.1f} s", ""),
        ("largest process", f"{max(one.memory for one in answers) / 1e9:.2f} GB", ""),
    ]
    return ["| | | goal |", "| --- | --- | --- |", *(f"| {name} | {value} | {goal} |" for name, value, goal in rows)]


def _agreement(answers: Sequence[Answer]) -> str:
    """Of the programs that were asked about with several seeds, how many got the same first cause each time."""
    said: dict[str, list[str]] = defaultdict(list)
    for one in answers:
        said[f"{one.cause} {one.name}"].append(one.first)
    several = [given for given in said.values() if len(given) > 1]
    return share(sum(len(set(given)) == 1 for given in several), len(several))


def _missed(answers: Sequence[Answer]) -> list[str]:
    """What was said in place of what, and of which programs; `nothing` is the true cause of a right program."""
    missed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in answers:
        if not one.right:
            said = f"{one.cause}, at another line" if one.first == one.cause else one.first
            name = one.name.removeprefix(f"{one.cause}-") + f", seed {one.seed}" * (one.seed > 0)
            missed[one.cause or "nothing", said or "nothing"].append(name)
    if not missed:
        return ["Nothing was missed."]
    rows = [f"| {cause} | {said} | {len(names)} | {'; '.join(names)} |" for (cause, said), names in sorted(missed.items())]
    return ["| true cause | said | times | programs |", "| --- | --- | --- | --- |", *rows]


def main() -> None:
    """Ask what is not known yet, and print the scores of all that is chosen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=Path, action="append", metavar="FILE")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    given = options.answers or [Path(tempfile.gettempdir(), f"doctor-{STATE}.jsonl")]
    files, chosen = [file.resolve() for file in given], questions(options.seeds, options.words, options.sample)
    there = known(files)
    asked = [one for one in chosen if key(one) not in there or (options.again and not there[key(one)].right)]
    with tempfile.TemporaryDirectory() as folder:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # whose memory is not counted as that of the asked
            os.chdir(pool.submit(lay_out, Path(folder)).result())
        ask_all(asked, files[0], options.workers, options.minutes)
    there = known(files)
    print(report([there[key(one)] for one in chosen if key(one) in there], len(chosen)))


if __name__ == "__main__":
    main()
