"""`handlens transfer`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlens import config as configs
from handlens.cli.terminal import FILE, Bar, json_option, print_json, show_table, tell
from handlens.errors import UsageError
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.transfer import FewExamples


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--data", default="fashion-mnist", metavar="NAME", help="The data set that is new to the weights.  [fashion-mnist]")
@click.option("--examples", default="30,100,300,1000", metavar="N,N,...", help="Numbers of training images.  [30,100,300,1000]")
@click.option("--seeds", default=3, type=click.IntRange(1, 100), help="Trainings of each kind; they differ by luck.  [3]")
@click.option("--epochs", default=20, type=click.IntRange(1, 10_000), help="How often each image is seen.  [20]")
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if RUN was trained with one.")
@click.option("--save", type=FILE, metavar="FILE.png", help="Where the curves go.  [transfer.png]")
@json_option
def transfer(run: str, data: str, examples: str, model: str | None, save: Path | None, as_json: bool, **knobs: int) -> int:
    """Begin with the weights of RUN on another data set, with few images: where does it help, and where not?"""
    counts, seeds = _counts(examples), range(1, knobs["seeds"] + 1)
    from handlens.cli.loading import find_run, load_dataset
    from handlens.transfer import WAYS, few_examples

    origin = find_run(run, model)
    classes = len(load_dataset(data, 0).classes)
    own = {"model": model} if model else {}
    config = configs.make_config({"data": data, "epochs": knobs["epochs"], "batch_size": 32, "schedule": "one-cycle", "lr": 3e-3, **own})
    found: list[FewExamples] = []
    wanted = len(WAYS) * len(counts) * len(seeds)
    answer = {"run": origin.name, "data": data, "guessing": 1 / classes, "wanted": wanted}
    try:
        with Bar(wanted) as bar:
            for result in few_examples(origin, config, counts, seeds):
                found.append(result)
                bar.move(len(found), "training", counted(result.count, "image"))
    except KeyboardInterrupt as stop:
        if found:
            _show(answer, found, save, as_json)
            stop.add_note(f"{len(found)} of {counted(wanted, 'training was', 'trainings were')} done; what they reached is shown.")
        raise
    _show(answer, found, save, as_json)
    return 0


def _show(answer: dict[str, Any], found: list[FewExamples], save: Path | None, as_json: bool) -> None:
    """The accuracies so far, as a table or JSON, and as curves over the numbers of images for which each way was tried."""
    from handlens import files, plots
    from handlens.transfer import WAYS

    scores = {count: {way: [one.accuracy for one in found if (one.way, one.count) == (way, count)] for way in WAYS} for count in _of(found)}
    whole = [count for count in scores if all(scores[count].values())]
    picture = ""
    if whole:
        figure = plots.plot_few_examples(whole, {way: [scores[count][way] for count in whole] for way in WAYS}, answer["guessing"])
        picture = str(files.write_atomic(save or Path("transfer.png"), plots.png(figure)))
    if as_json:
        print_json({**answer, "trainings": [vars(one) for one in found], "plot": picture or None})
        return
    columns = {"training images": "right"} | dict.fromkeys(WAYS, "right")
    show_table(columns, [(f"{count:,}", *map(_score, ways.values())) for count, ways in scores.items()])
    seeds = len({one.seed for one in found})
    tell(f"\nTest accuracy on {answer['data']}: mean of {counted(seeds, 'training')}, and the spread from the worst to the best.")
    if picture:
        tell(f"Curves   {picture}")


def _of(found: list[FewExamples]) -> list[int]:
    return sorted({one.count for one in found})


def _score(accuracies: list[float]) -> str:
    return f"{sum(accuracies) / len(accuracies):.1%} ({max(accuracies) - min(accuracies):.1%})" if accuracies else ""


def _counts(words: str) -> list[int]:
    counts = [int(word) if word.strip().isdecimal() and len(word) <= 12 else 0 for word in words.split(",")]
    if not all(0 < count <= 1 << 30 for count in counts):
        raise UsageError(f"'{words}' are no numbers of images.", hint="Write them with commas between: --examples 30,100,300")
    return sorted(set(counts))
