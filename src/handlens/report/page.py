"""The page itself: its order, its head and its looks."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from handlens import files, plots
from handlens.report import insight, recipe, sections
from handlens.report.facts import Facts
from handlens.report.markup import Chart, paragraph, text
from handlens.report.style import CSS
from handlens.runs import Run
from handlens.words import counted

_CHARTS = ("graph", "curves", "confusion_matrix", "embedding", "calibration")
_RESULTS = (
    sections.layers_section,
    insight.graph_section,
    sections.samples_section,
    sections.curves_section,
    sections.classes_section,
    sections.confusion_section,
    sections.predictions_section,
    sections.mistakes_section,
    insight.looks_section,
    insight.embedding_section,
    sections.weights_section,
    sections.calibration_section,
)
_RECIPE = (recipe.config_section, recipe.environment_section, recipe.repeat_section)


def build(run: Run) -> str:
    """The report of a run as the text of an HTML file that holds its pictures and asks for nothing from outside.

    Raises:
        RunDamaged: the run's weights are damaged. What else cannot be had (data or a network of the user's own) is said on the page.
    """
    facts = Facts(run)
    return _page(facts, _draw(facts, _CHARTS))


def save(run: Run) -> Path:
    """Write the report into the run's folder, and each figure into its `plots`; return where the report is.

    Raises:
        RunDamaged: see `build`.
        FileError: the disk refuses.
    """
    facts = Facts(run)
    drawn = _draw(facts, plots.PLOTS)
    for name, (_, content) in drawn.items():
        files.write_atomic(files.child(run.folder, "plots") / f"{name}.png", content)
    return files.write_atomic(run.folder / "report.html", _page(facts, drawn))


Drawn = dict[str, tuple[plots.Picture, bytes]]


def _draw(facts: Facts, names: Container[str]) -> Drawn:
    """The run's figures of these names, for light pages, each with its PNG file."""
    figures = {name: draw() for name, draw in facts.figures().items() if name in names}
    return {name: (figure, plots.png(figure)) for name, figure in figures.items()}


def _page(facts: Facts, drawn: Drawn) -> str:
    dark = facts.figures(plots.DARK)
    charts = {
        name: Chart(content, plots.png(dark[name]()), tuple(figure.get_size_inches()))
        for name, (figure, content) in drawn.items()
        if name in _CHARTS
    }
    parts = [part for make in _RESULTS if (part := make(facts, charts))] + [make(facts) for make in _RECIPE]
    links = "".join(f'<li><a href="#{part.name}">{text(part.title)}</a></li>' for part in parts)
    missing = "".join(paragraph(f"Not in this report: {sentence}", "notice") for sentence in facts.missing)
    figures = sections.key_figures(facts.evaluation) if facts.evaluation else ""
    body = "".join(part.html() for part in parts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="handlens {text(facts.run.env.get("handlens", ""))}">
<title>{text(facts.run.name)} - handlens report</title>
<style>{CSS}</style>
</head>
<body>
<header>
<p class="kicker">handlens report</p>
<h1>{text(facts.run.name)}</h1>
{_state(facts.run)}
{paragraph(sections.in_one_sentence(facts), "lead")}
{_remarks(facts.run)}{missing}{figures}
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{body}</main>
<footer>{paragraph(f"Run {facts.run.about.id}, begun {facts.run.about.created}, {facts.run.status}.")}</footer>
</body>
</html>
"""


def _state(run: Run) -> str:
    """What a reader must know of a training that is not at its end before they believe its numbers."""
    done = f"{len(run.rows)} of {counted(run.config.epochs, 'epoch')}"
    sentences = {
        "running": f"This training was still running when the report was made, with {done} done.",
        "interrupted": f"This training was interrupted: {done} are done. To go on: {recipe.resume_command(run)}",
        "failed": f"This training failed: {done} are done.",
        "stopped early": f"This training stopped early, after {done}: no better validation loss in the last {run.config.patience}.",
        "damaged": f"The last checkpoint of this training is damaged; {done} can be read.",
    }
    return paragraph(sentences[run.status], "notice") if run.status in sentences else ""


def _remarks(run: Run) -> str:
    """What its owner wrote about it, and why it failed if it did."""
    said = [("Note", run.about.note), ("Tags", ", ".join(run.about.tags)), ("It failed", run.about.failure)]
    return "".join(paragraph(f"{name}: {words}", "remark") for name, words in said if words)
