"""`handlens explain`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from handlens.cli.terminal import FILE, checkpoint_option, json_option, on_option, print_json, remark, show_table

WHATS = (
    *("weights", "filters", "activations", "features", "saliency", "integrated-gradients", "gradcam", "occlusion"),
    *("embedding", "health", "graph"),
)


@click.command()
@click.argument("run")
@click.argument("image", required=False)
@click.option("--what", type=click.Choice(WHATS), help="What to look at.  [gradcam, or saliency where there is no convolution]")
@click.option("--layer", metavar="NAME", help="Which layer, for filters, features and gradcam.  [the first; for gradcam the last]")
@on_option
@click.option("--class", "target", metavar="CLASS", help="The class to ask about.  [the one that is predicted]")
@click.option("--embedding", "method", type=click.Choice(["tsne", "pca"]), default="tsne", help="How the images are laid out.  [tsne]")
@click.option("--save", type=FILE, metavar="FILE.png", help="Where the picture goes.  [plots/WHAT.png in the run]")
@checkpoint_option
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if its file has changed since the training.")
@json_option
def explain(run: str, image: str | None, what: str | None, save: Path | None, as_json: bool, **asked: str) -> int:
    """Look into RUN: its weights, what its layers make of IMAGE, which pixels an answer hangs on, and more.

    IMAGE is the number of an image of the split, from 0, or a picture file of exactly the right size. Without it some are chosen.
    """
    from handlens import files, plots
    from handlens.cli.explanations import EXPLANATIONS, Question, default_what
    from handlens.cli.loading import find_result

    found = find_result(run, asked.pop("model"), asked.pop("checkpoint"))
    question = Question(found, what or default_what(found), image, **asked)
    answer = EXPLANATIONS[question.what](question)
    picture = files.write_atomic(save or files.child(found.folder, "plots") / f"{question.what}.png", plots.png(answer.figure))
    if as_json:
        about = {"run": found.name, "what": question.what, "on": question.on, "checkpoint": found.default_checkpoint}
        print_json(_finite({**about, **answer.facts, "rows": answer.rows, "remarks": answer.remarks, "picture": str(picture)}))
        return 0
    names = list(answer.rows[0]) if answer.rows else []
    sides = {name: "right" if isinstance(answer.rows[0][name], int | float) else "left" for name in names}
    show_table(sides, [[_shown(row[name]) for name in names] for row in answer.rows])
    for sentence in [*answer.remarks, f"Picture  {picture}"]:
        remark(sentence)
    return 0


def _finite(value: Any) -> Any:
    """The same with None for what is no number, which JSON cannot hold."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "×".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
