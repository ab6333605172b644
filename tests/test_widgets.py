"""The pad in a notebook: in a real kernel it answers what is drawn, and its script draws in a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from web.service import SEVEN, draw

import handlens as hl

CELLS = [
    "import handlens as hl\npad = hl.widgets.DrawPad()\npad",
    f"pad.strokes = {SEVEN}\nprint(pad.prediction.label, pad.said)",
    "pad.strokes = []\nprint(pad.prediction, pad.said)",
    "pad.strokes = [['x']]\nprint(pad.prediction, pad.said)",
    f"pad.strokes = {SEVEN} + [[[x + 200, y] for x, y, *_ in stroke] for stroke in {SEVEN}]\nprint(pad.said)",
]
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=200).execute()
nbformat.write(notebook, sys.argv[1])
"""


def test_in_a_kernel_the_pad_is_shown_and_answers_what_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "pad.ipynb"
    empty: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [{**empty, "id": f"cell-{number}", "source": source} for number, source in enumerate(CELLS)]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    subprocess.run([sys.executable, "-c", EXECUTE, str(path)], check=True, timeout=300)
    shown, *answers = [cell["outputs"] for cell in json.loads(path.read_text())["cells"]]
    assert "application/vnd.jupyter.widget-view+json" in shown[-1]["data"]
    texts = ["".join("".join(output.get("text", "")) for output in outputs) for outputs in answers]
    assert texts[0].startswith("7 7, 9")
    assert texts[1] == "None Draw a digit.\n"
    assert texts[2].startswith("None ")
    assert texts[2].endswith(".\n")
    assert texts[3].startswith("More than one digit? ")


PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>{css}</style><div id="cell"></div>"""
RENDER = """async () => {
  const listeners = {};
  window.state = {strokes: [], said: "Draw a digit."};
  window.model = {
    get: (name) => window.state[name],
    set: (name, value) => { window.state[name] = value; },
    save_changes: () => { window.saved = (window.saved ?? 0) + 1; },
    on: (event, does) => { listeners[event] = does; },
  };
  window.change = (name, value) => { window.state[name] = value; listeners[`change:${name}`](); };
  const script = await import("/pad.js");
  script.default.render({model: window.model, el: document.getElementById("cell")});
}"""


def test_its_script_draws_in_a_browser_and_shows_the_answer(chromium: str) -> None:
    pad = hl.widgets.DrawPad
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        troubles: list[Any] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.route("http://notebook.test/", lambda route: route.fulfill(content_type="text/html", body=PAGE.format(css=pad._css)))
        page.route("http://notebook.test/pad.js", lambda route: route.fulfill(content_type="text/javascript", body=pad._esm))
        page.goto("http://notebook.test/")
        page.evaluate(RENDER)
        page.locator("canvas").evaluate("canvas => canvas.classList.add('pad')")
        draw(page, SEVEN)
        strokes = page.evaluate("window.state.strokes")
        assert len(strokes) == 1
        assert strokes[0][0] == pytest.approx(SEVEN[0][0], abs=2)
        assert page.evaluate("window.saved") > 5
        page.evaluate("window.change('said', '<b>7</b>, 93 %')")
        assert page.locator(".handlens-said").inner_text() == "<b>7</b>, 93 %"
        page.locator("text=Undo").click()
        assert page.evaluate("window.state.strokes") == []
        page.evaluate("strokes => window.change('strokes', [...strokes, ['x'], []])", SEVEN)
        page.wait_for_function("document.querySelector('canvas').getContext('2d').getImageData(0, 0, 280, 280).data.some(Boolean)")
        draw(page, [[[20, 20], [60, 20]]])
        assert page.evaluate("window.state.strokes.slice(0, 1)") == SEVEN
        assert page.evaluate("window.state.strokes.length") == 2
        assert troubles == []
        browser.close()
