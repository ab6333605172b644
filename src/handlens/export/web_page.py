"""html: one page that needs nothing else: a pad to draw on, the network in plain JavaScript, its answer and what goes on inside."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import torch

from handlens.data.say import images_in_words
from handlens.errors import FailedError, ModelError
from handlens.export import chromium
from handlens.export.agreement import Agreement, allowed, difference, failed
from handlens.export.subject import Subject
from handlens.models import count_multiplications
from handlens.runs import preparation_of

TOLERANCE = 1e-4
_MOST_WORK = 3_000_000_000  # multiplications, for a check of some seconds; bench/exports.py asks about all images
_OURS = Path(__file__).parent / "page"
_LAB = Path(__file__).parents[1] / "web" / "static"
_MODULES = (
    *(_LAB / name for name in ("dom.js", "drawpad.js", "paint.js", "bars.js")),
    *(_OURS / name for name in ("grid.js", "ink.js", "normalize.js", "forward.js", "page.js")),
)
_IMPORT = re.compile(r'^import \{ (.*?) \} from "\./(.*?)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_NETWORK = re.compile(r'<script type="application/json" id="network">(.*?)</script>', re.DOTALL)


def build(subject: Subject) -> bytes:
    """The page.

    Raises:
        ModelError: the network does something that the page's JavaScript cannot, or reads no drawings.
    """
    run = subject.run
    if not preparation_of(run.config, run.about).ink:
        pictures = images_in_words(run.about.image_shape)
        raise ModelError(
            f"A page to draw on is for networks that read drawings, and {run.name} has learned from other pictures: {pictures}.",
            hint="Take another --format: onnx.",
        )
    network = subject.facts | subject.described
    script, looks = f'"use strict";\n{bundle()}', "".join(path.read_text("utf-8") for path in (_LAB / "lab.css", _OURS / "page.css"))
    slots = {
        "NAME": html.escape(run.name),
        "POLICY": f"default-src 'none'; script-src '{_sum(script)}'; style-src '{_sum(looks)}'; form-action 'none'; base-uri 'none'",
        "LOOKS": looks,
        "CARD": html.escape(subject.card),
        "NETWORK": json.dumps(network, separators=(",", ":")).replace("<", "\\u003c"),
        "SCRIPT": script,
    }
    page = (_OURS / "page.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda slot: slots[slot[1]], page).encode()


def bundle() -> str:
    """The modules of the page as one script: each a function that gives what it exports."""
    return "const modules = {};\n" + "".join(_as_function(path) for path in _MODULES)


def _as_function(path: Path) -> str:
    code = path.read_text("utf-8")
    names = ", ".join(match[1] for match in _EXPORT.finditer(code))
    code = _EXPORT.sub("", _IMPORT.sub(r'const { \1 } = modules["\2"];', code))
    return f'modules["{path.name}"] = (() => {{\n{code}\nreturn {{ {names} }};\n}})();\n'


def _sum(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def check(content: bytes, subject: Subject, most: int = 0) -> Agreement:
    """Whether each step, class, and weight, bit for bit, is in the page; then the page itself is run on the images, if a Chromium is here.

    Args:
        content: the page.
        subject: what it was made of.
        most: images; 0 for as many of the 10,000 as a browser can do in some seconds.

    Raises:
        FailedError: one differs, or the page does not say what the run says.
    """
    _check_network(content, subject)
    if not (browser := chromium.find()):
        return Agreement(0, 0.0, "every step, class and weight bit for bit; no Chromium is here to run the page")
    work = count_multiplications(subject.network, subject.run.about.image_shape)
    count = min(len(subject.images), most or _MOST_WORK // max(1, work) + 1)
    chosen = torch.arange(count) * len(subject.images) // count
    logits = chromium.logits_of(browser, content, subject.images[chosen], len(subject.classes))
    return Agreement(count, difference(logits, subject.logits[chosen.numpy()], allowed(subject, TOLERANCE)), "Chromium")


def _check_network(content: bytes, subject: Subject) -> None:
    wanted = json.loads(json.dumps(subject.described))
    try:
        found = _NETWORK.search(content.decode())
        said = json.loads(found[1] if found else "")
        differs = [name for name in wanted if said[name] != wanted[name]]
    except (ValueError, KeyError, TypeError) as error:
        raise FailedError(f"This is no page of handlens, or it is damaged: {error}") from error
    if differs:
        raise failed(f"the page has other {' and other '.join(differs)}")
