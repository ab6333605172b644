"""The board of a class: how soon it shows what thirty learners' checks say, and what a kill of the lab costs.

    python bench/class_board.py [--learners 30] [--checks 12] [--trials 3]

Each learner is the real client (`handlens.course.joined`) with a folder of its own, the lab a process of its own, the board a page in
the system's Chromium on the same machine. A time is from the moment at which a check's result is there to the moment at which the page
has changed. Nothing is kept.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from playwright.sync_api import Page, sync_playwright

from handlens import device
from handlens.course import joined
from handlens.course.verdict import Result
from handlens.web.keys import OWNER, Keys

NETWORK, PORT = "127.0.0.2", 8765
OPTIONS = "--no-sandbox --disable-gpu --disable-background-networking --no-first-run".split()
PAUSE_S = 2.2  # two sendings of one learner in each: more than 60 a minute are not taken
TASKS = ("scaling", "mlp-forward", "training-loop")
LOOK = """() => {
  window.seen = {};
  const look = () => {
    for (const row of document.querySelectorAll(".waiting li")) {
      const number = row.querySelector("b").textContent;
      window.seen[number] ??= performance.timeOrigin + performance.now();
    }
    const counts = [...document.querySelectorAll(".tasks .count")].map((one) => Number(one.textContent.split(" ")[1]));
    window.total = counts.reduce((sum, one) => sum + one, 0);
    window.changed = performance.timeOrigin + performance.now();
  };
  new MutationObserver(look).observe(document.querySelector(".board"), {childList: true, subtree: true});
}"""


@contextmanager
def lab(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A lab with a class, and its code."""
    command = [sys.executable, "-m", "handlens", "lab", "--class", "--lan", NETWORK, "--port", str(PORT), "--no-browser"]
    environment = {**os.environ, "XDG_STATE_HOME": str(home / "state"), "HANDLENS_RUNS": str(home / "runs"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=home)
    assert process.stdout is not None
    try:
        yield process, next(found[1] for line in process.stdout if (found := re.search(r"/join/(\w+)", line)))
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def keys(home: Path) -> Keys:
    """What cookies the lab takes."""
    return Keys(PORT, secret=(home / "state" / "handlens" / "lab.key").read_bytes())


def board(page: Page, home: Path) -> None:
    """Open the board."""
    cookie = {"name": keys(home).name, "value": keys(home).cookie(OWNER), "url": f"http://127.0.0.1:{PORT}"}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.goto(f"http://127.0.0.1:{PORT}/class")
    page.locator(".board .card").first.wait_for()
    page.evaluate(LOOK)


def one_check(place: Path, chance: random.Random) -> str:
    """A learner's check has said something; it is sent. The task."""
    task, passed = chance.choice(TASKS), chance.random() < 0.3
    joined.note_result(place, Result(task, passed, "" if passed else f"cause_{task}", "" if passed else "A mistake."))
    joined.send(place)
    return task


def busy(place: Path, seed: int, stop: threading.Event) -> None:
    """A learner who checks about once in two seconds, far more often than people do."""
    chance = random.Random(seed)
    while not stop.wait(chance.uniform(1, 3)):
        one_check(place, chance)


def hands(page: Page, places: list[Path], checks: int) -> tuple[list[float], list[float]]:
    """Milliseconds until a raised hand is on the page, and until its sender has its answer, while all others check."""
    stop = threading.Event()
    threads = [threading.Thread(target=busy, args=[place, seed, stop]) for seed, place in enumerate(places[1:])]
    for thread in threads:
        thread.start()
    shown, sent = [], []
    for _ in range(checks):
        time.sleep(PAUSE_S)
        page.evaluate("() => { delete window.seen['#1']; }")
        began = time.time()
        joined.note(places[0], "stuck", text="")
        joined.send(places[0])
        sent.append((time.time() - began) * 1e3)
        page.wait_for_function("() => window.seen['#1']")
        shown.append(page.evaluate("() => window.seen['#1']") - began * 1e3)
        joined.note(places[0], "done")
        joined.send(places[0])
        page.wait_for_function("() => ![...document.querySelectorAll('.waiting b')].some((one) => one.textContent === '#1')")
    stop.set()
    for thread in threads:
        thread.join()
    return shown, sent


def passes(place: Path) -> None:
    """A learner's check has passed, and is sent."""
    joined.note_result(place, Result("cnn", True))
    joined.send(place)


def all_at_once(page: Page, places: list[Path]) -> float:
    """Milliseconds until the page counts everybody, when all pass the same new task in one moment."""
    before = page.evaluate("() => window.total ?? 0")
    threads = [threading.Thread(target=passes, args=(place,)) for place in places]
    began = time.time()
    for thread in threads:
        thread.start()
    page.wait_for_function(f"() => window.total >= {before + len(places)}")
    for thread in threads:
        thread.join()
    changed: float = page.evaluate("() => window.changed")
    return changed - began * 1e3


def tries(home: Path) -> Counter[tuple[int, str]]:
    """How many checks the board has of each learner and task."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/api/class/export", headers={"cookie": f"{keys(home).name}={keys(home).cookie(OWNER)}"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        table = csv.DictReader(io.StringIO(answer.read().decode("utf-8-sig")))
        return Counter({(int(row["number"]), row["which"]): int(row["tries"]) for row in table if row["what"] == "exercise"})


def killed(home: Path, learners: int, checks: int) -> tuple[int, int, int, float]:
    """Kill the lab while all learners send, and start it again: checks, those lost, those counted twice, seconds until all are there."""
    done: Counter[tuple[int, str]] = Counter()

    def work(place: Path, number: int) -> None:
        chance = random.Random(number)
        for _ in range(checks):
            done[number, one_check(place, chance)] += 1

    with lab(home) as (process, code):
        places = joiners(home / "killed", code, learners)
        threads = [threading.Thread(target=work, args=[place, number]) for number, place in enumerate(places, start=1)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    began = time.perf_counter()
    with lab(home):
        while any(joined.waiting(place) for place in places):
            for place in places:
                joined.send(place)
        seconds = time.perf_counter() - began
        found = tries(home)
    return done.total(), (done - found).total(), (found - done).total(), seconds


def joiners(folder: Path, code: str, count: int) -> list[Path]:
    """Learners who have joined, in the order of their numbers."""
    places = [folder / str(number) for number in range(count)]
    for place in places:
        joined.join(place, f"{NETWORK}:{PORT}", code, place.name)
    return places


def spread(values: list[float]) -> str:
    """Median and range."""
    ordered = sorted(values)
    return f"median {statistics.median(ordered):.0f}, 9 of 10 below {ordered[int(0.9 * len(ordered))]:.0f}, longest {ordered[-1]:.0f}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--checks", type=int, default=12)
    parser.add_argument("--trials", type=int, default=3)
    options = parser.parse_args()
    print(f"{device.title(torch.device('cpu'))}, {options.learners} learners; milliseconds\n")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or "", args=OPTIONS)
        with lab(home) as (_, code):
            places = joiners(home / "learners", code, options.learners)
            page = browser.new_page()
            board(page, home)
            shown, sent = hands(page, places, options.checks * options.trials)
            print(f"one learner's hand, while the others check: on the page {spread(shown)}; answered {spread(sent)} ({len(shown)} times)")
            print(f"all pass a task in one moment: the page counts all after {all_at_once(page, places):.0f}")
            page.close()
        for trial in range(options.trials):
            (home / f"trial-{trial}").mkdir()
            checks, lost, twice, seconds = killed(home / f"trial-{trial}", options.learners, options.checks // 4)
            print(f"killed while all send: {checks} checks, {lost} lost, {twice} twice; all there {seconds:.1f} s after the new start")
        browser.close()


if __name__ == "__main__":
    main()
