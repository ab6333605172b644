"""What the documents say is so: their code runs, their links lead somewhere. CONTRIBUTING.md describes the convention."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus import ROOT

import handlens as hl
from handlens.cli import main

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
KINDS = {"bash", "console", "powershell", "python", "text", "toml"}


@dataclass(frozen=True)
class Block:
    """A piece of code in a page, and the line that it begins with, counted from 1."""

    kind: str
    code: str
    line: int


def blocks(text: str) -> list[Block]:
    """All code blocks of a page, in its order."""
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(match[1], match[2], text.count("\n", 0, match.start(2)) + 1) for match in found]


def run_python(block: Block, page: Path, names: dict[str, Any]) -> None:
    """Execute a block with the names of the page; an error shows its line there."""
    exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec"), names)


def run_console(block: Block, page: Path, shell: Shell) -> None:
    """Run each `$` line of a block; what stands below it is for readers."""
    for number, text in enumerate(block.code.splitlines(), start=block.line):
        if text.startswith("$ "):
            expected = int((re.search(r"# exit (\d+)$", text) or [0, 0])[1])
            code, said = shell(text[2:])
            assert code == expected, f"{page.name}:{number}: {text}\nexit code {code}\n{said}"


Shell = Callable[[str], tuple[int, str]]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Runs one command line: a plain `handlens ...` in this process, which is quicker, all else in a shell that knows handlens."""
    programs = tmp_path_factory.mktemp("bin")
    for name, words in (("handlens", "-m handlens "), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def run(line: str) -> tuple[int, str]:
        if not line.startswith("handlens ") or set(line) & set("|<>&;$`"):
            answer = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False, timeout=300)
            return answer.returncode, answer.stdout + answer.stderr
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line, comments=True)[1:])
        return int(ended.value.code or 0), "".join(capsys.readouterr())

    return run


@pytest.fixture
def own_cache(mnist: hl.Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache with MNIST in it; what a page imports does not stay."""
    cache = tmp_path_factory.mktemp("cache")
    shutil.copytree(Path(os.environ["HANDLENS_DATA"], mnist.name), cache / mnist.name)
    monkeypatch.setenv("HANDLENS_DATA", str(cache))


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Path, shell: Shell) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        assert block.kind in KINDS, f"{page.name}:{block.line}: a block of no kind, or of one that nobody knows"
        if block.kind == "python":
            run_python(block, page, names)
        elif block.kind == "console":
            run_console(block, page, shell)
        elif block.kind == "toml" and (name := re.match(r"# (\w+\.toml)\n", block.code)):
            Path(name[1]).write_text(block.code, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_readme_comes_to_the_point() -> None:
    before = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[0]
    assert len(before.split()) <= 120
    assert before.split("\n\n")[1].startswith("**A config picks data and a model; training makes a run;")


def test_the_readme_installs_as_make_does() -> None:
    script = (ROOT / "tools" / "venv.sh").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^pip (install .*)$", script, re.MULTILINE)
    steps = [re.sub(r"--quiet |\$quiet |\$\{torch_build:.*?\} ", "", line) for line in lines]
    torch = re.findall(r"^torch==.*$", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    steps = [step.replace('"$(grep \'^torch==\' "$lock")"', torch[0]).replace('"$lock"', "requirements.lock") for step in steps]
    assert len(steps) == 3
    for kind, python in (("bash", ".venv/bin/python"), ("powershell", ".venv\\Scripts\\python")):
        code = "".join(block.code for block in blocks(readme) if block.kind == kind)
        assert "".join(f"{python} -m pip {step}\n" for step in steps) in code


def test_the_layers_are_drawn_as_they_are_tested() -> None:
    from test_layers import LAYERS

    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Layers")[1]
    drawn = [set(re.split(r" {3,}", line)[0].split()) for line in text.split("```text\n")[1].split("```")[0].splitlines()]
    assert drawn == [set(names) for names in reversed(LAYERS[:-1])]


def test_a_block_that_fails_is_found(tmp_path: Path, shell: Shell) -> None:
    page = tmp_path / "page.md"
    found = blocks("one\n```python\nx = 1\nraise ValueError(x)\n```\n\n```console\n$ handlens nonsense\n```\n")
    with pytest.raises(ValueError, match="1") as caught:
        run_python(found[0], page, {})
    assert traceback.extract_tb(caught.tb)[-1].lineno == 4
    with pytest.raises(AssertionError, match=r"page\.md:8.*(\n.*)*There is no verb"):
        run_console(found[1], page, shell)
    with pytest.raises(AssertionError, match="exit code 2"):
        run_console(Block("console", "$ handlens --version && handlens nonsense", 1), page, shell)
    run_console(Block("console", "$ handlens nonsense  # exit 2\nwhat it says\n$ handlens --version | grep handlens\n", 1), page, shell)
