"""HTML pages: taken apart by a parser, and measured in the system's Chromium."""

from __future__ import annotations

import html.parser
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Page(html.parser.HTMLParser):
    """A page taken apart: its tags with their attributes, its headings, and the text below each tag name."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    open_tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in ("meta", "img", "source", "link", "br", "hr"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        for tag in self.open_tags:
            self.words.setdefault(tag, []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str = "body") -> str:
        return re.sub(r"\s+", " ", " ".join(self.words.get(tag, [])))


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open_tags == []
    return page


def chrome(chromium: str, folder: Path, address: str, *options: str) -> str:
    """The page as Chromium has it after it was loaded, without any way to a network."""
    common = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-breakpad"]
    apart = [f"--user-data-dir={folder / 'chromium'}", "--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files"]
    command = [chromium, *common, *apart, *options, "--virtual-time-budget=3000", "--dump-dom", address]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


MEASURE = """<!DOCTYPE html><title>measure</title><iframe src="{page}" style="border:0;width:{width}px;height:2000px"></iframe>
<pre id="found"></pre><script>addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument, view = page.defaultView;
  const texts = [...page.body.querySelectorAll("*")].filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()));
  const wide = [...page.body.querySelectorAll("*")].filter(e => !e.closest(".wide") && e.getBoundingClientRect().right > {width} + 1);
  document.getElementById("found").textContent = JSON.stringify({{
    title: page.title, width: page.documentElement.scrollWidth, wide: wide.map(e => e.outerHTML.slice(0, 80)),
    images: [...page.images].filter(i => !i.complete || !i.naturalWidth).length,
    smallest: Math.min(...texts.map(e => parseFloat(view.getComputedStyle(e).fontSize))),
    unhinted: [...page.querySelectorAll("[role=region]")].filter(e => e.scrollWidth > e.clientWidth + 1 &&
      !(e.nextElementSibling?.className == "hint" && e.nextElementSibling.offsetHeight)).map(e => e.ariaLabel),
    shrunk: [...page.querySelectorAll("figure img")].filter(i => Math.abs(i.width - i.getAttribute("width")) > 1).length,
    background: view.getComputedStyle(page.body).backgroundColor }});
}});</script>"""


def measured(chromium: str, folder: Path, report_page: Path, width: int, *options: str) -> dict[str, Any]:
    wrapper = folder / "measure.html"
    wrapper.write_text(MEASURE.format(page=report_page.as_uri(), width=width))
    dom = chrome(chromium, folder, wrapper.as_uri(), f"--window-size={width + 40},2100", *options)
    found: dict[str, Any] = json.loads(read(dom).text("pre"))
    return found
