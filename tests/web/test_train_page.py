"""The page Train: a real training is begun, watched, steered, kept; it outlives a reload, and the lab itself."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from drivers import sockets
from mirror import Mirror, stalling
from playwright.sync_api import Browser, Locator, Page, expect
from small import small_data
from web.held import Held, counted
from web.service import Reply, Service, look, opened, running

import handlens as hl
from handlens import files
from handlens.config import FIELDS, grouped, make_config
from handlens.data import DATASETS
from handlens.doctor.network import look_over
from handlens.fit import plan_for
from handlens.presets import PRESETS
from handlens.runs import Run
from handlens.web import worker
from handlens.web.jobs import Control, Job
from handlens.web.trainings import MAIN, Knobs, config_of, own_networks, shown

SMALL = {"examples": "1000", "hidden_sizes": "16", "epochs": "2"}


@pytest.fixture
def nothing_goes_on(lab: Service) -> Iterator[None]:
    """After the test, as before, nothing is being trained."""
    yield
    for name in [lab.ask("GET", "/api/trainings").json["going"]]:
        if name:
            lab.ask("POST", f"/api/trainings/{name}/control", {"do": "stop"})
            ended(lab, name)


pytestmark = pytest.mark.usefixtures("nothing_goes_on")


def begin(lab: Service, **knobs: str) -> str:
    answer = lab.ask("POST", "/api/trainings", {"preset": "session", "knobs": {**SMALL, **knobs}, "guess": 0.5})
    assert answer.status == 200, answer.body
    name: str = answer.json["name"]
    return name


def state(lab: Service, name: str) -> dict[str, Any]:
    path = lab.folder / "runs" / ".lab" / name / "live.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"phase": "starting"}
    return found


def until(lab: Service, name: str, *phases: str) -> dict[str, Any]:
    deadline = time.monotonic() + 40
    while (found := state(lab, name))["phase"] not in phases:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def ended(lab: Service, name: str) -> dict[str, Any]:
    """How it ended, when its process has, too."""
    found = until(lab, name, "finished", "stopped", "failed", "interrupted")
    _, left = psutil.wait_procs(psutil.Process(lab.process.pid).children(), timeout=40)
    assert not left
    return found


def wish(lab: Service, name: str, do: str, **more: float) -> None:
    assert lab.ask("POST", f"/api/trainings/{name}/control", {"do": do, **more}).status == 200


def test_a_training_is_started_and_its_curves_move(page: Page, lab: Service) -> None:
    page.goto("/train")
    page.locator("#knob-epochs").fill("3")
    page.locator("#knob-hidden_sizes").fill("16")
    expect(page.locator("#meaning")).to_contain_text("hidden layers hidden_sizes: ")
    page.locator("details[data-group=Data] summary").click()
    page.locator("#knob-examples").fill("1000")
    page.locator("#guess").fill("50")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#phase")).to_contain_text("Finished", timeout=40_000)
    expect(page.locator("#guessed")).to_contain_text("You guessed 50.0")
    points = page.locator("polyline.s1").first.get_attribute("points")
    assert points is not None
    assert len(points.split()) >= 3 * 15
    expect(page.locator("svg.chart path.mark")).to_have_count(6)
    expect(page.locator(".pictures canvas")).to_have_count(16)
    expect(page.locator(".samples li")).to_have_count(10)
    name = re.findall(r"run=([\w-]+)", page.url)[0]
    run = Run(lab.folder / "runs" / name)
    assert (run.status, run.config.epochs, run.config.examples, run.about.note) == ("complete", 3, 1000, "")
    page.locator("text=Draw for it").click()
    expect(page.locator("#run")).to_have_value(name)


def test_it_gives_the_weights_that_the_command_line_gives(lab: Service, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import handlens as hl

    name = begin(lab)
    ended(lab, name)
    run = Run(lab.folder / "runs" / name)
    monkeypatch.setenv("HANDLENS_DATA", str(home / "data"))
    same = hl.fit("mlp", "mnist", quiet=True, examples=1000, hidden_sizes="16", epochs=2)
    assert all(weights.equal(run.weights()[name]) for name, weights in same.weights().items())
    assert same.history["val_loss"] == run.history["val_loss"]


def test_of_two_that_are_begun_at_once_one_begins(lab: Service) -> None:
    body, together = {"preset": "session", "knobs": {**SMALL, "epochs": "200"}}, threading.Barrier(4)

    def start() -> Reply:
        together.wait(20)
        return lab.ask("POST", "/api/trainings", body)

    with ThreadPoolExecutor(4) as pool:
        answers = [asked.result() for asked in [pool.submit(start) for _ in range(4)]]
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert all("is going on" in answer.json["error"] for answer in answers if answer.status == 409)


def test_while_it_trains_nothing_but_the_lab_listens(lab: Service) -> None:
    until(lab, begin(lab, epochs="200"), "running")
    family = [psutil.Process(lab.process.pid), *psutil.Process(lab.process.pid).children(recursive=True)]
    assert len(family) > 1
    assert [line.laddr for one in family for line in sockets(one) if line.status == psutil.CONN_LISTEN] == [("127.0.0.1", lab.port)]


def test_it_is_paused_stepped_steered_and_stopped(page: Page, lab: Service) -> None:
    name = begin(lab, epochs="500")
    page.goto(f"/train?run={name}")
    expect(page.locator("#phase")).to_contain_text("Training", timeout=20_000)
    page.keyboard.press(" ")
    expect(page.locator("#phase")).to_contain_text("Paused")
    before = until(lab, name, "paused")
    page.keyboard.press("s")
    expect(page.locator(".after")).to_contain_text("Single batch 1: its loss was")
    single = state(lab, name)["single"]
    assert single["after"] < single["before"]
    assert (state(lab, name)["epoch"], state(lab, name)["step"]) >= (before["epoch"], before["step"])
    page.reload()
    expect(page.locator("#phase")).to_contain_text("Paused")
    other = page.context.new_page()
    other.goto("/train")
    expect(other.locator("#phase")).to_contain_text(f"Paused {name}")
    page.locator("#live-lr").fill("0.0001")
    page.get_by_role("button", name="Set").click()
    expect(other.locator("#numbers")).to_contain_text("lr 0.0001")
    page.locator("#main").focus()
    page.keyboard.press("s")
    expect(page.locator(".after")).to_contain_text("Single batch 2: its loss was")
    other.locator("text=Stop and keep").click()
    expect(page.locator("#phase")).to_contain_text("Stopped, and kept")
    run = Run(lab.folder / "runs" / name)
    assert run.status == "stopped early"
    assert re.fullmatch(
        r"By hand in the lab: lr 0\.0001 from epoch \d+, batch \d+(, stopped in epoch \d+ after batch \d+ of \d+)?", run.about.note
    )
    assert run.rows[-1]["lr"] == pytest.approx(1e-4)


def test_one_that_diverges_says_so_and_offers_a_smaller_lr(page: Page, lab: Service) -> None:
    page.goto("/train?optimizer=sgd&lr=1e20&examples=1000&epochs=2&hidden_sizes=16")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#phase")).to_contain_text("It failed", timeout=40_000)
    expect(page.locator(".trouble")).to_contain_text("try --lr 1e+19")
    with page.expect_response("**/api/trainings") as begun:
        page.get_by_role("button", name="Try lr 10000000000000000000").click()
    assert begun.value.ok


def test_a_second_click_begins_no_second_training(page: Page, lab: Service) -> None:
    page.goto("/train?examples=1000&hidden_sizes=16&epochs=1")
    begun = counted(page, "POST", f"http://{lab.host}/api/trainings")
    page.get_by_role("button", name="Start").dblclick()
    expect(page.locator("#phase")).to_contain_text("Finished", timeout=60_000)
    assert len(begun) == 1
    expect(page.locator(".told .kept")).to_be_empty()


def test_the_space_bar_starts_nothing_with_a_guess_that_cannot_be(page: Page, lab: Service) -> None:
    page.goto("/train?examples=1000")
    page.locator("#guess").fill("150")
    page.locator("#main").focus()
    page.keyboard.press(" ")
    expect(page.locator("#guess")).to_be_focused()
    assert not lab.ask("GET", "/api/trainings").json["going"]


def test_a_time_that_was_measured_for_other_knobs_is_not_shown(page: Page) -> None:
    page.goto("/train?examples=1000&hidden_sizes=16&epochs=1")
    held = Held(page, "**/api/estimate")
    page.get_by_role("button", name="How long?").click()
    held.wait()
    page.locator("#knob-epochs").fill("7")
    page.locator("#knob-epochs").blur()
    held.let_go()
    expect(page.locator("#time")).to_be_empty()


def test_what_is_no_learning_rate_is_said_and_a_comma_is_understood(page: Page, lab: Service) -> None:
    name = begin(lab, epochs="500")
    until(lab, name, "running")
    page.goto("/train")
    expect(page.locator("#phase")).to_contain_text("Training")
    page.locator("#live-lr").fill("fast")
    page.get_by_role("button", name="Set").click()
    expect(page.locator("main")).to_contain_text("A learning rate is a number above 0")
    wish(lab, name, "pause")
    until(lab, name, "paused")
    page.wait_for_timeout(500)  # events come, and take nothing away
    expect(page.locator("main")).to_contain_text("A learning rate is a number above 0")
    page.locator("#live-lr").fill("0,002")
    with page.expect_response("**/control"):
        page.get_by_role("button", name="Set").click()
    expect(page.locator("main")).not_to_contain_text("A learning rate is a number above 0")
    assert Job(lab.folder / "runs" / ".lab" / name).control().lr == 0.002


def test_one_that_was_just_begun_is_seen_by_other_labs(lab: Service) -> None:
    """Its process takes seconds until it trains; should this lab be killed meanwhile, the next one must not begin another one."""
    name = begin(lab, epochs="200")
    assert files.is_locked(lab.folder / "runs" / ".lab" / name / "job.lock")
    assert state(lab, name)["phase"] == "starting"


def test_of_wishes_at_the_same_time_none_is_lost(tmp_path: Path) -> None:
    (tmp_path / "control.json").write_text("{}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Job(tmp_path).wish(single=True, paused=True), range(24)))
    assert Job(tmp_path).control() == Control(paused=True, singles=24)


def test_a_pause_lasts_until_somebody_ends_it_and_nothing_is_written_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, naps, written = Job(tmp_path), [], []
    (tmp_path / "control.json").write_text('{"paused": true}')

    def sleep(_seconds: float) -> None:
        naps.append(1)
        written.append((tmp_path / "live.json").stat().st_mtime_ns)
        if len(naps) == 9:
            job.wish(paused=False)

    desk = worker.Desk(job, plan_for("softmax", small_data()))
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: 3600.0 * len(naps), sleep=sleep))
    assert desk.goes_on(1, None)
    assert len(naps) == 9
    assert len(set(written)) == 1


def test_a_download_is_told_and_no_time_is_measured_over_it(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = {f"mnist/{file.name}.gz": bytes(2 << 20) for file in DATASETS["mnist"].files}  # type: ignore[union-attr]
    with Mirror(bodies, usual=stalling(1 << 20)) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with running(tmp_path, "--port", "8930") as service, opened(browser, service) as context:
            what, how = "The images of MNIST are not on this machine.", "To get them, 11.6 MB: handlens data fetch mnist"
            absent = {"error": what, "what to do": how, "missing": ["mnist"]}
            for path in ("/api/estimate", "/api/trainings"):
                assert service.ask("POST", path, {"preset": "session"}).json == absent
            assert mirror.requests == []
            page = context.new_page()
            page.goto("/train")
            expect(page.locator("#absent")).to_contain_text("MNIST is not on this machine.")
            page.locator("#main").focus()
            page.keyboard.press(" ")
            expect(page.get_by_role("button", name="Fetch 12 MB and start")).to_be_focused()
            assert mirror.requests == []
            page.get_by_role("button", name="Fetch 12 MB and start").click()
            expect(page.locator("#numbers")).to_contain_text("Downloading ", timeout=30_000)
            expect(page.locator("#numbers")).to_contain_text("ubyte.gz")
            expect(page.locator("#absent")).to_be_empty()


def test_the_code_that_is_shown_trains_what_is_chosen(page: Page, lab: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    page.goto("/train?preset=session&examples=1000&hidden_sizes=16,8&epochs=1&normalize=true")
    page.locator("#what details.code summary").click()
    lines = page.locator("#what details.code code")
    expect(lines).to_contain_text("hl.fit(")
    page.locator("#knob-lr").fill("0.003")
    page.locator("#knob-epochs").focus()
    expect(lines).to_contain_text("lr=0.003")
    monkeypatch.setenv("HANDLENS_DATA", str(lab.folder / "data"))
    made: dict[str, Any] = {}
    exec(lines.inner_text(), made)
    knobs = {"examples": "1000", "hidden_sizes": "16,8", "epochs": "1", "normalize": "true", "lr": "0.003"}
    meant = config_of(Knobs(preset="session", knobs=knobs))
    assert made["run"].config == meant.model_copy(update={"threads": made["run"].config.threads})


def test_a_second_one_waits_for_the_first(lab: Service) -> None:
    name = begin(lab, epochs="500")
    answer = lab.ask("POST", "/api/trainings", {"knobs": SMALL})
    assert answer.status == 409
    assert name in answer.json["error"]


def test_it_goes_on_when_the_lab_is_killed_and_is_there_when_it_is_back(browser: Browser, home: Path) -> None:
    with running(home, "--port", "8900") as first, opened(browser, first) as context:
        name = begin(first, epochs="500")
        until(first, name, "running")
        page = context.new_page()
        page.goto("/train")
        expect(page.locator("#phase")).to_contain_text(f"Training {name}")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        epoch = state(first, name).get("epoch", 0)
        with running(home, "--port", "8900") as second:
            expect(page.locator("#notice")).to_be_hidden(timeout=15_000)
            assert state(second, name)["epoch"] > epoch
            page.locator("text=Stop and keep").click()
            expect(page.locator("#phase")).to_contain_text("Stopped, and kept", timeout=15_000)


def test_one_that_the_lab_takes_with_it_is_interrupted_and_goes_on(browser: Browser, home: Path) -> None:
    with running(home, "--port", "8910") as first:
        name = begin(first, epochs="300")
        until(first, name, "running")
        wish(first, name, "lr", lr=0.0005)
        for _ in range(100):
            if (told := state(first, name))["lr"] == 0.0005:
                break
            time.sleep(0.1)
        assert (told["lr"], told["phase"]) == (0.0005, "running")
    assert state(first, name)["phase"] == "interrupted"
    assert "lr 0.0005 from epoch" in Run(home / "runs" / name).about.note, "what was done by hand must not be lost"
    assert Run(home / "runs" / name).status == "interrupted"
    with running(home, "--port", "8910") as second, opened(browser, second) as context:
        page = context.new_page()
        page.goto(f"/train?run={name}")
        page.locator("text=Go on with it").click()
        expect(page.locator("#phase")).to_contain_text("Finished", timeout=40_000)
        expect(page.locator("#guessed")).to_contain_text("You guessed 50.0")
        assert state(second, name)["lr"] == 0.0005
    assert Run(home / "runs" / name).status == "complete"


REFUSED = [
    ({"nonsense": "1"}, "There is no knob 'nonsense'."),
    ({"lr": "fast"}, "lr cannot be 'fast'"),
    ({"data": "/etc"}, "There is no data set '/etc' here."),
    ({"with_data": "../x"}, "There is no data set '../x' here."),
    ({"model": "../evil.py:Net"}, "There is no network '../evil.py:Net'."),
    ({"init_from": "/tmp/run"}, "'/tmp/run' cannot be a name here."),
    ({"model": "softmax", "hidden_sizes": "3"}, "softmax"),
]


@pytest.mark.parametrize("knobs, said", REFUSED)
def test_knobs_that_cannot_be_are_refused_before_anything_begins(lab: Service, knobs: dict[str, str], said: str) -> None:
    for path in ("/api/trainings", "/api/estimate"):
        answer = lab.ask("POST", path, {"preset": "session", "knobs": knobs})
        assert answer.status in (400, 404)
        assert said in answer.json["error"]
    assert not lab.ask("GET", "/api/trainings").json["going"]


def test_the_time_is_measured_here(lab: Service) -> None:
    found = lab.ask("POST", "/api/estimate", {"knobs": SMALL}).json
    assert found["all_s"] == pytest.approx(2 * found["epoch_s"])
    assert found["parameters"] == 784 * 16 + 16 + 16 * 10 + 10


def test_a_network_of_ones_own_can_be_chosen_in_the_folder_where_the_lab_was_started(tmp_path: Path) -> None:
    Path("my_net.py").write_text("import torch.nn as nn\nclass Net(nn.Module): ...\nclass Other: ...\nraise SystemExit\n")
    Path("broken.py").write_text("class (")
    assert own_networks() == ["my_net.py:Net"]


@pytest.mark.parametrize("name", PRESETS)
def test_the_form_means_what_the_preset_means(name: str) -> None:
    config = make_config(PRESETS[name].knobs)
    assert make_config({knob: shown(getattr(config, knob)) for knob in FIELDS}) == config
    assert set(MAIN) <= set(FIELDS)


def test_tabs_that_nobody_sees_take_no_connection_from_others_and_go_on_when_they_are_seen(page: Page, lab: Service) -> None:
    """A browser has six connections to one lab, and each stream of events keeps one."""
    name = begin(lab, epochs="500")
    tabs = [page.context.new_page() for _ in range(6)]
    for tab in tabs:
        tab.goto(f"/train?run={name}")
        expect(tab.locator("#phase")).to_contain_text("Training", timeout=20_000)
        look(tab, seen=False)
    page.goto("/runs", timeout=15_000)
    expect(page.locator("h1")).to_have_text("Runs")
    wish(lab, name, "pause")
    until(lab, name, "paused")
    page.goto("/train")
    expect(page.locator("#phase")).to_contain_text("Paused")
    expect(tabs[0].locator("#phase")).to_contain_text("Training")
    look(tabs[0], seen=True)
    expect(tabs[0].locator("#phase")).to_contain_text("Paused")


MISTAKEN = """\
import torch
from torch import nn


class Softmax(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 32)
        self.last = nn.Linear(32, 10)

    def forward(self, images):
        x = torch.relu(self.hidden(images.flatten(1)))
        return torch.softmax(self.last(x), dim=1)


class Misfit(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.last = nn.Linear(1568, 10)

    def forward(self, images):
        return self.last(self.features(images).flatten(1))
"""


def test_what_the_doctor_says_of_a_network_of_ones_own_stands_beside_its_training(page: Page, lab: Service, mnist: hl.Dataset) -> None:
    (lab.folder / "mistaken.py").write_text(MISTAKEN)
    page.goto("/train?model=mistaken.py:Softmax&hidden_sizes=&examples=1000&epochs=1")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#phase")).to_contain_text("Finished", timeout=60_000)
    found = look_over(f"{lab.folder}/mistaken.py:Softmax", mnist.train.images[:256], mnist.train.labels[:256])
    assert found.causes[0] == "softmax_before_ce"
    for said in (found.sentence, f"(mistaken.py, line {found.line}: {found.code})", found.change):
        expect(page.locator("#remark")).to_contain_text(said)
    page.goto("/train?model=mistaken.py:Misfit&hidden_sizes=&examples=1000&epochs=1")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#phase")).to_contain_text("It failed", timeout=60_000)
    expect(page.locator(".trouble")).to_contain_text("1568")
    expect(page.locator(".trouble")).to_contain_text("mistaken.py, line 20")


def test_the_doctors_remark_is_also_there_when_an_interrupted_training_goes_on(page: Page, lab: Service) -> None:
    (lab.folder / "mistaken.py").write_text(MISTAKEN)
    page.goto("/train?model=mistaken.py:Softmax&hidden_sizes=&examples=1000&epochs=400")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#remark")).to_contain_text("mistaken.py, line 13", timeout=60_000)
    said = page.locator("#remark").inner_text()
    for worker_ in psutil.Process(lab.process.pid).children():
        worker_.terminate()
    page.get_by_role("button", name="Go on with it").click(timeout=30_000)
    expect(page.locator("#phase")).to_contain_text("Training", timeout=60_000)
    expect(page.locator("#remark")).to_have_text(said)
    page.reload()
    expect(page.locator("#phase")).to_contain_text("Training")
    expect(page.locator("#remark")).to_have_text(said)


def knob(place: Page | Locator, name: str) -> Locator:
    return place.locator(f"label.knob:has(#knob-{name})")


def test_each_knob_has_its_name_in_words_in_a_group_and_its_meaning_in_reach_of_the_keyboard(page: Page, lab: Service) -> None:
    page.goto("/train")
    assert {heading: len(names) for heading, names in grouped().items()} == {"Data": 8, "Network": 15, "Learning": 16, "Machine": 4}
    for heading, names in grouped().items():
        fold = page.locator(f"details[data-group={heading}]")
        fold.locator("summary").click()
        for name in names:
            place = page.locator("#what") if name in MAIN else fold
            words = knob(place, name).inner_text()
            assert words.startswith(str(FIELDS[name].title))
            assert name in words
            place.locator(f"#knob-{name}").focus()
            expect(page.locator("#meaning")).to_contain_text(f"{FIELDS[name].title}")
            expect(page.locator("#meaning")).to_contain_text(str(FIELDS[name].description))
            expect(page.locator("#meaning")).to_be_in_viewport(ratio=1)
    page.locator("#knob-examples").fill("1000")
    page.locator("#knob-beta2").fill("0.9")
    expect(page.locator("details[data-group=Data] summary")).to_have_text("Data 1 of 8 changed")
    page.locator("details[data-group=Network] summary").click()
    page.reload()
    expect(page.locator("details[data-group=Learning]")).to_have_attribute("open", "")
    assert page.locator("details[data-group=Network]").get_attribute("open") is None


def test_a_finger_on_a_knobs_name_shows_its_meaning(browser: Browser, lab: Service) -> None:
    with opened(browser, lab, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto("/train")
        page.locator("details[data-group=Learning] summary").tap()
        for name in ("schedule", "beta2"):
            knob(page, name).locator("span").tap()
            expect(page.locator("#meaning")).to_contain_text(str(FIELDS[name].description))
            expect(page.locator("#meaning")).to_be_in_viewport(ratio=1)
            top = page.locator("#meaning").bounding_box()
            field = page.locator(f"#knob-{name}").bounding_box()
            assert top
            assert field
            assert top["y"] < 10, "above a phone's keyboard"
            assert field["y"] > top["y"] + top["height"], "and not over the field"
