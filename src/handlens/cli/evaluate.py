"""`handlens evaluate`."""

from __future__ import annotations

import sys

import click

from handlens.cli.terminal import checkpoint_option, json_option, print_json, show_classes, show_table, tell


@click.command()
@click.argument("run")
@click.option("--on", default="test", metavar="test|val|train|DATASET", help="Which images.  [test]")
@checkpoint_option
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if its file has changed since the training.")
@json_option
def evaluate(run: str, on: str, checkpoint: str | None, model: str | None, as_json: bool) -> int:
    """Measure RUN on images that it has not learned from: accuracy with its 95 % interval, loss, and scores of each class."""
    from handlens.cli.loading import find_result

    found = find_result(run, model, checkpoint)
    evaluation = found.evaluate(on)
    if as_json:
        print_json({"run": found.name, "checkpoint": found.default_checkpoint, **evaluation.to_dict()})
        return 0
    low, high = evaluation.interval
    facts = {
        "run": found.name,
        "images": f"{evaluation.n:,} of {on}",
        "weights": f"{found.default_checkpoint} epoch, {int(found.used_row.get('epoch', 0))} of {len(found.rows)}",
        "accuracy": f"{evaluation.accuracy:.2%}",
        "95 % interval": f"{low:.2%} to {high:.2%}",
        "loss": f"{evaluation.loss:.4f}",
        "calibration error": f"{evaluation.ece:.4f}",
        "most confused": ", ".join(f"{pair.true} taken for {pair.predicted} {pair.count} times" for pair in evaluation.most_confused(3)),
    }
    show_table({"what": "left", "value": "left"}, list(facts.items()))
    if sys.stdout.isatty():  # piped, one table for a program; the classes are in --json
        tell()
        show_classes(evaluation)
    return 0
