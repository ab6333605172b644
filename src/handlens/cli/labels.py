"""`handlens labels`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from handlens.cli.terminal import FILE, json_option, print_json, remark, say, show_table
from handlens.errors import UsageError
from handlens.words import counted

if TYPE_CHECKING:
    from torch import nn

    from handlens.config import Config
    from handlens.data import Split


@click.command()
@click.argument("what", metavar="RUN|DATASET")
@click.option("--folds", type=click.IntRange(2, 20), default=3, help="Parts; each is judged by a network trained on the others.  [3]")
@click.option("--top", type=click.IntRange(1, 200), default=25, help="How many suspects are shown.  [25]")
@click.option("--examples", type=click.IntRange(1), help="Look at only so many training images, evenly from all of them.")
@click.option("--epochs", type=click.IntRange(1), help="Epochs of each training.  [those of the run; 3 for a data set]")
@click.option("--save", type=FILE, metavar="FILE.png", help="The figure.  [labels-NAME.png beside the runs]")
@json_option
def labels(what: str, as_json: bool, **options: Any) -> int:
    """Find training images whose label is probably wrong, by networks that have not learned from them (confident learning).

    With RUN they are trained as that run was; with DATASET as the session's network. They are not kept. Look at each suspect yourself.
    """
    from handlens import analysis, files, plots
    from handlens.runs import runs_folder

    name, split, config, model = _find(what)
    config = config.model_copy(update={"epochs": options["epochs"] or config.epochs})
    places = _some(split, options["examples"])
    folds = options["folds"]
    found = analysis.find_label_issues(
        split.subset(places), config, folds=folds, model=model, tell=lambda fold: say(f"Training fold {fold} of {folds} ...")
    )
    picture = None
    if len(found.suspects):
        path = options["save"] or runs_folder() / f"labels-{name}.png"
        picture = str(files.write_atomic(path, plots.png(found.plot(options["top"]))))
    rows = [vars(one) | {"index": int(places[one.index])} for one in found.top(options["top"])]
    if as_json:
        print_json({"data": name, "folds": folds, **found.to_dict(), "top": rows, "figure": picture})
        return 0
    columns = {"training image": "right", "label": "left", "suggested": "left", "how sure": "right"}
    show_table(columns, [(row["index"], row["label"], row["suggested"], f"{row['probability']:.2%}") for row in rows])
    suspected = f"Of {len(found.split):,} labels {counted(len(found.suspects), 'is', 'are')} suspected"
    remark(f"{suspected}; the networks agree with {found.accuracy:.2%} of all.")
    if picture:
        remark(f"Images   {picture}")
    return 0


def _find(what: str) -> tuple[str, Split, Config, nn.Module | None]:
    """A name for the figure, all training images, and what is trained on them."""
    from handlens.cli.loading import find_run, load_dataset, load_known
    from handlens.config import make_config
    from handlens.data import is_known

    if is_known(what):
        return what, load_dataset(what, 0.0).train, make_config({"data": what, "epochs": 3}), None
    run = find_run(what)
    if run.config.init_from:
        raise UsageError(
            f"Run '{run.name}' began with the weights of another run, which may have learned these labels already.",
            hint="Judge the labels by a run that began with random weights, or by the data set: handlens labels DATASET",
        )
    train = load_known(run.config.data, 0.0).train if is_known(run.config.data) else run.dataset().train
    return run.name, train, run.config, run.model("start")


def _some(split: Split, count: int | None) -> Any:
    import torch

    if count and count > len(split):
        raise UsageError(
            f"Only {counted(len(split), 'training image is', 'training images are')} there.", hint="Leave out --examples to look at all."
        )
    count = count or len(split)
    return torch.arange(count) * len(split) // count
