"""`handlens evaluate`."""

from __future__ import annotations

import click

from handlens.cli.terminal import json_option, print_json, show_table, tell


@click.command()
@click.argument("run")
@click.option("--on", default="test", metavar="test|val|train|DATASET", help="Which images.  [test]")
@click.option(
    "--checkpoint", type=click.Choice(["last", "best", "previous", "start"]), help="Which weights.  [best if the run could stop early]"
)
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if its file has changed since the training.")
@json_option
def evaluate(run: str, on: str, checkpoint: str | None, model: str | None, as_json: bool) -> int:
    """Measure RUN on images that it has not learned from: accuracy with its 95 % interval, loss, and scores of each class."""
    from handlens.cli.loading import find_run

    found = find_run(run, model)
    evaluation = found.evaluate(on, checkpoint=checkpoint)
    if as_json:
        print_json({"run": found.name, "checkpoint": checkpoint or found.default_checkpoint, **evaluation.to_dict()})
        return 0
    columns = {"class": "left", "precision": "right", "recall": "right", "F1": "right", "images": "right"}
    scores = zip(evaluation.classes, evaluation.per_class, strict=True)
    show_table(columns, [(name, f"{one.precision:.4f}", f"{one.recall:.4f}", f"{one.f1:.4f}", one.support) for name, one in scores])
    low, high = evaluation.interval
    tell(f"\n{found.name} on {on}: accuracy {evaluation.accuracy:.2%}  (95 % interval {low:.2%} to {high:.2%}, {evaluation.n:,} images)")
    tell(
        f"loss {evaluation.loss:.4f}, calibration error {evaluation.ece:.4f}, weights of the {checkpoint or found.default_checkpoint} epoch"
    )
    for pair in evaluation.most_confused(3):
        tell(f"{pair.count} times a {pair.true} was taken for a {pair.predicted}")
    return 0
