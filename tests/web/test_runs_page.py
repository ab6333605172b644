"""The page Runs in a real browser: listed, sorted, compared, swept; noted, starred, renamed, removed and put back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from web.service import Service, opened, running

import handlens as hl
from handlens.runs import Run
from handlens.web.keys import VIEWER


@pytest.fixture(autouse=True)
def of_the_lab(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library sees what the lab sees."""
    monkeypatch.setenv("HANDLENS_RUNS", str(home / "runs"))
    monkeypatch.setenv("HANDLENS_DATA", str(home / "data"))


@pytest.fixture
def spare(home: Path) -> Iterator[Run]:
    """A run that may be changed."""
    folder = home / "runs" / "spare"
    shutil.copytree(home / "runs" / "second", folder)
    yield Run(folder)
    for path in [folder, *(home / "runs" / ".trash").glob("spare-*")]:
        shutil.rmtree(path, ignore_errors=True)


def names(page: Page) -> list[str]:
    return page.locator("table.runs tbody tr:not(.broken) th").all_inner_texts()


def test_runs_are_listed_and_a_folder_that_is_none_with_the_reason(page: Page, home: Path) -> None:
    (home / "runs" / "holiday").mkdir()
    (home / "runs" / "holiday" / "photo.txt").write_text("x")
    page.goto("/runs")
    row = page.locator("tr", has_text="reader").first
    run = hl.load_run("reader")
    expect(row).to_contain_text(f"{run.used_row['val_accuracy'] * 100:.2f} %")
    expect(row).to_contain_text("✓ complete")
    expect(page.locator("tr.broken", has_text="holiday")).to_contain_text("Not a run: 'run.json' is not there.")
    expect(page.locator(".caption", has_text="runs in")).to_contain_text(str(home / "runs"))
    page.locator("tr.broken", has_text="holiday").get_by_role("button", name="Move to trash").click()
    expect(page.locator("#said")).to_contain_text("holiday is in the trash.")
    assert not (home / "runs" / "holiday").exists()
    shutil.rmtree(next((home / "runs" / ".trash").glob("holiday-*")))


def test_the_table_is_sorted_and_searched_and_the_address_says_how(page: Page) -> None:
    page.goto("/runs")
    page.get_by_role("button", name="validation").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("validation ↓")
    assert names(page)[0] == "reader"
    page.get_by_role("button", name="validation").press("Enter")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("validation ↑")
    assert names(page)[-1] == "reader"
    page.reload()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("validation ↑")
    page.locator("#search").fill("mlp")
    expect(page.locator("table.runs tbody tr:not(.broken)")).to_have_count(1)
    assert "find=mlp" in page.url


def test_runs_are_measured_on_their_test_images_only_when_that_is_asked_for(page: Page) -> None:
    page.goto("/runs")
    page.get_by_role("button", name="Measure on test images").click()
    expect(page.locator("#said")).to_contain_text("Measured.", timeout=60_000)
    accuracy = hl.load_run("second").evaluate("test").accuracy
    expect(page.locator("tr", has_text="second").first.locator(".test_accuracy")).to_have_text(f"{accuracy * 100:.2f} %")


def test_two_runs_side_by_side_differ_in_curves_config_and_answers(page: Page) -> None:
    page.goto("/runs")
    for name in ("reader", "second"):
        page.get_by_label(f"Choose {name}").focus()
        page.keyboard.press(" ")
    expect(page.locator("#below .series")).to_have_count(4)  # two lines, and two in the legend
    looks = page.locator("#below .chart.large .series").evaluate_all(
        "lines => lines.map(line => { const s = getComputedStyle(line); return s.stroke + s.strokeDasharray; })"
    )
    shapes = page.locator("#below .chart.large .mark").evaluate_all("marks => [...new Set(marks.map(mark => mark.getAttribute('d')))]")
    assert len(set(looks)) == len(shapes) == 2
    found = hl.compare("reader", "second")
    expect(page.locator(".findings li").first).to_have_text(found.sentences[0], timeout=30_000)
    config = page.locator("[aria-label='Config: only the differences'] tbody tr")
    assert {text.replace(" ", "_") for text in config.locator("th").all_inner_texts()} == {"examples", *found.columns[12:]} - {"epochs"}
    expect(page.locator("#below")).to_contain_text(f"Different answers to {found.disagreements:,} of 10,000 test images.")
    right, places = found.cases[0]
    only = "Only reader is right" if right == (True, False) else "Only second is right"
    expect(page.locator("#below section section h3").first).to_have_text(f"{only}: {len(places)} images, 12 are shown")
    expect(page.locator("#below .gallery").first.locator("a").first).to_have_attribute("href", f"/errors?run=reader&image={places[0]}")
    page.reload()
    expect(page.locator("#below .chart.large .series")).to_have_count(2)


def test_of_one_run_all_is_shown_and_the_command_that_repeats_it_copied(browser: Browser, lab: Service) -> None:
    with opened(browser, lab, permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto("/runs?runs=second")
        expect(page.locator("#below")).to_contain_text("hidden_sizes")
        expect(page.locator("#below svg").first).to_have_attribute("aria-label", re.compile(r"^Loss: train from [\d.]+ to"))
        page.locator("text=As a table").first.click()
        expect(page.locator("[aria-label=Epochs] tbody tr")).to_have_count(3)
        page.get_by_role("button", name="Copy: handlens runs repeat second").click()
        expect(page.locator("#below")).to_contain_text("✓ Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "handlens runs repeat second"
        expect(page.locator("#below")).to_contain_text("handlens train --examples 3000 --hidden-sizes 16 --epochs 3 --lr 0.005")


def test_note_tags_star_and_name_are_written_into_the_run(page: Page, spare: Run, home: Path) -> None:
    page.goto("/runs?runs=spare")
    page.get_by_label("Star spare").click()
    expect(page.get_by_label("Star spare")).to_have_attribute("aria-pressed", "true")
    page.locator("#note").fill("<img src=x onerror=alert(1)> good")
    page.locator("#tags").fill("homework two")
    page.locator("#rename").fill("spare-2")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_have_text("Saved: spare-2.")
    about = Run(home / "runs" / "spare-2").about
    assert (about.note, about.tags) == ("<img src=x onerror=alert(1)> good", ("homework", "two", "star"))
    page.reload()
    expect(page.locator("tr.chosen .note .note")).to_have_text("<img src=x onerror=alert(1)> good")
    expect(page.locator("tr.chosen .tag").first).to_have_text("#homework")
    page.locator("#rename").fill("../up")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("'../up' cannot be a name here.")
    shutil.move(home / "runs" / "spare-2", home / "runs" / "spare")


def test_only_what_was_changed_here_is_written_and_nothing_under_a_name_that_cannot_be(page: Page, spare: Run) -> None:
    page.goto("/runs?runs=spare")
    page.locator("#note").wait_for()
    Run(spare.folder).annotate(note="said in a terminal")
    page.locator("#tags").fill("homework")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_have_text("Saved: spare.")
    assert (Run(spare.folder).about.note, Run(spare.folder).about.tags) == ("said in a terminal", ("homework",))
    page.locator("#note").fill("said here")
    page.locator("#rename").fill("second")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("second")
    expect(page.locator("#said")).not_to_contain_text("Saved")
    assert Run(spare.folder).about.note == "said in a terminal"


def test_a_run_is_moved_to_the_trash_and_back(page: Page, spare: Run) -> None:
    page.goto("/runs?runs=spare")
    page.locator("#below").get_by_role("button", name="Move to trash").click()
    expect(page.locator("#said")).to_contain_text("spare is in the trash.")
    assert not spare.folder.exists()
    expect(page.locator("#main")).to_contain_text("Trash (1)")
    page.keyboard.press("Enter")  # Undo has the focus
    expect(page.locator("#said")).to_have_text("spare is back.")
    assert Run(spare.folder).rows == spare.rows
    assert "spare" in names(page)


def test_a_sweep_is_shown_as_findings_heat_map_lines_and_table(page: Page) -> None:
    page.goto("/runs?sweep=grid")
    sweep = hl.load_sweep("grid")
    expect(page.locator(".findings li")).to_have_text(sweep.sentences, timeout=30_000)
    heat = page.locator("table.heat td")
    expect(heat).to_have_text([f"{row['val_accuracy'] * 100:.1f} %" for row in sweep.table])
    expect(page.locator(".parallel .line")).to_have_count(4)
    rows = page.locator("table.points tbody tr")
    expect(rows.first).to_have_class("best")
    expect(rows.first).to_contain_text("★ 3" if sweep.best and sweep.best.number == 3 else "★")
    rows.nth(1).focus()
    expect(page.locator(".parallel .line.marked")).to_have_count(1)
    expect(page.locator(".parallel")).to_have_attribute("aria-label", re.compile("^Parallel coordinates: 4 points"))


def test_where_nothing_is_yet_the_folder_and_the_next_step_are_named(browser: Browser, home: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist").symlink_to(home / "data" / "mnist")
    with running(tmp_path, "--port", "8920") as empty, opened(browser, empty) as context:
        page = context.new_page()
        page.goto("/runs")
        expect(page.locator("main")).to_contain_text("There are no runs yet. Make one: handlens train session")
        expect(page.locator("main")).to_contain_text(str(tmp_path / "runs"))
        expect(page.locator("main")).to_contain_text("No sweeps yet.")
        expect(page.get_by_role("link", name="Train one here")).to_have_attribute("href", "/train?preset=session")
        page.goto("/errors")
        expect(page.locator("main")).to_contain_text("Until then this is the network that comes with handlens.")
        expect(page.locator("#said")).to_contain_text("of 10,000 test images are right", timeout=60_000)
        page.goto("/runs?runs=starter")
        expect(page.locator("#below")).to_contain_text("trained for")


def test_who_may_only_look_is_offered_nothing_that_changes(browser: Browser, lab: Service) -> None:
    with opened(browser, lab) as context:
        context.add_cookies([{"name": lab.keys.name, "value": lab.keys.cookie(VIEWER), "url": f"http://{lab.host}"}])
        page = context.new_page()
        page.goto("/runs?runs=second")
        expect(page.locator("#below")).to_contain_text("handlens runs repeat second")
        expect(page.get_by_role("button", name="Save")).to_have_count(0)
        expect(page.get_by_role("button", name="Move to trash")).to_have_count(0)
        expect(page.get_by_label("Star second")).to_be_disabled()


def test_the_runs_that_are_compared_fit_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/runs?runs=reader,second")
    expect(page.locator("#below .gallery").first).to_be_visible(timeout=30_000)
    expect(page.locator(".parallel")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_run_that_is_not_there_or_too_many_are_refused_in_words(lab: Service) -> None:
    several = ",".join(["second"] * 7)
    for path, said in {
        "/api/compare?runs=second,nobody": "There is no run 'nobody'.",
        "/api/compare?runs=second": "A comparison needs two runs or more.",
        f"/api/compare?runs={several}": "More than 6 runs cannot be told apart in one picture.",
        "/api/runs/latest": "There is no run 'latest'.",
        "/api/sweeps/latest": "There is no sweep of that name.",
    }.items():
        answer = lab.ask("GET", path)
        assert answer.status in (400, 404)
        assert answer.json["error"] == said
    assert lab.ask("DELETE", "/api/runs/sweeps").status == 400
    assert (lab.folder / "runs" / "sweeps" / "grid").is_dir()
    assert lab.ask("POST", "/api/runs/starter", {"note": "mine"}).status == 400
    assert lab.ask("POST", "/api/runs/second", {"tags": ["two words"]}).status == 400
