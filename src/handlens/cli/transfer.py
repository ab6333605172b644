"""`handlens transfer`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens import config as configs
from handlens.cli.terminal import Bar, json_option, print_json, show_table, tell
from handlens.errors import UsageError

if TYPE_CHECKING:
    from handlens.transfer import FewExamples


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--data", default="fashion-mnist", metavar="NAME", help="The data set that is new to the weights.  [fashion-mnist]")
@click.option("--examples", default="30,100,300,1000", metavar="N,N,...", help="Numbers of training images.  [30,100,300,1000]")
@click.option("--seeds", default=3, type=click.IntRange(1, 100), help="Trainings of each kind; they differ by luck.  [3]")
@click.option("--epochs", default=20, type=click.IntRange(1, 10_000), help="How often each image is seen.  [20]")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE.png", help="Where the curves go.  [transfer.png]")
@json_option
def transfer(run: str, data: str, examples: str, save: Path | None, as_json: bool, **knobs: int) -> int:
    """Begin with the weights of RUN on another data set, with few images: where does it help, and where not?"""
    counts, seeds = _counts(examples), range(1, knobs["seeds"] + 1)
    from handlens import files, plots
    from handlens.cli.loading import find_run, load_dataset
    from handlens.transfer import WAYS, few_examples

    origin = find_run(run)
    classes = len(load_dataset(data, 0).classes)
    config = configs.make_config({"data": data, "epochs": knobs["epochs"], "batch_size": 32, "schedule": "one-cycle", "lr": 3e-3})
    found: list[FewExamples] = []
    with Bar(len(WAYS) * len(counts) * len(seeds)) as bar:
        for result in few_examples(origin, config, counts, seeds):
            found.append(result)
            bar.move(len(found), "training", f"{result.count:,} images")
    scores = {way: [[one.accuracy for one in found if (one.way, one.count) == (way, count)] for count in counts] for way in WAYS}
    picture = files.write_atomic(save or Path("transfer.png"), plots.png(plots.plot_few_examples(counts, scores, 1 / classes)))
    if as_json:
        print_json({"run": origin.name, "data": data, "trainings": [vars(one) for one in found], "plot": str(picture)})
        return 0
    columns = {"training images": "right"} | dict.fromkeys(WAYS, "right")
    show_table(columns, [(f"{count:,}", *(_score(scores[way][at]) for way in WAYS)) for at, count in enumerate(counts)])
    tell(f"\nTest accuracy on {data}: mean of {len(seeds)} trainings, and the spread from the worst to the best.")
    tell(f"Curves   {picture}")
    return 0


def _score(accuracies: list[float]) -> str:
    return f"{sum(accuracies) / len(accuracies):.1%} ({max(accuracies) - min(accuracies):.1%})"


def _counts(words: str) -> list[int]:
    counts = [int(word) if word.strip().isdecimal() and len(word) <= 12 else 0 for word in words.split(",")]
    if not all(0 < count <= 1 << 30 for count in counts):
        raise UsageError(f"'{words}' are no numbers of images.", hint="Write them with commas between: --examples 30,100,300")
    return sorted(set(counts))
