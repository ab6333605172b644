"""What `handlens train` does once it knows its config: the slow imports are here, so that `--help` and `--list` are quick."""

from __future__ import annotations

import contextlib
import io
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from torch import nn

from handlens import device, models, ranks
from handlens.cli.loading import dataset_of, find_run
from handlens.cli.terminal import Bar, print_json, say, show_classes, show_table, tell
from handlens.config import Config
from handlens.data import Dataset
from handlens.fit import check_name, in_words, resuming, starting
from handlens.models import Layer
from handlens.own_network import plan_seen
from handlens.plan import Plan
from handlens.runs import Run, writing
from handlens.train import Row, train
from handlens.training import Training, trying
from handlens.transfer import plan_new, repeat_plan
from handlens.words import counted

_PARTS_OF_AN_EPOCH = 20
_STEPS_TO_LEARN_BY_HEART = 500


def train_new(config: Config, name: str | None, note: str, as_json: bool) -> int:
    """Train from the first step."""
    with _nothing_saved_yet(), _together():
        if ranks.is_first():
            check_name(name)
        run = _train(plan_seen(config, dataset_of(config)), name, note, as_json)
        first = ranks.is_first()
    return _show_results(run, as_json) if first else 0


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """With the other processes that torchrun has started, of which the first one speaks."""
    with ranks.joined(), contextlib.ExitStack() as stack:
        if not ranks.is_first():
            nobody = stack.enter_context(io.StringIO())
            stack.enter_context(contextlib.redirect_stdout(nobody))
            stack.enter_context(contextlib.redirect_stderr(nobody))
        yield


def repeat(reference: str, name: str | None, as_json: bool) -> int:
    """Train a run once more, from its very first weights."""
    check_name(name)
    with _nothing_saved_yet():
        run = find_run(reference)
        repeated = _train(repeat_plan(run), name, f"repeats {run.name}", as_json)
    return _show_results(repeated, as_json)


@contextlib.contextmanager
def _nothing_saved_yet() -> Iterator[None]:
    """An interrupt before there is a run says so."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note("No run had begun, and nothing is saved: the same command begins it.")
        raise


def _train(planned: Plan, name: str | None, note: str, as_json: bool) -> Run:
    _introduce(planned, as_json)
    with starting(planned, name=name, note=note) as training:
        say(f"Run {training.run.name}, kept in {_shown(training.run.folder)}")
        _watch(training)
    return training.run


def resume(reference: str, checkpoint: str, model: str | None, as_json: bool) -> int:
    """Go on with a run."""
    run = find_run(reference, model)
    if checkpoint == "last" and run.status in ("complete", "stopped early"):
        if os.environ.get("RANK", "0") != "0":  # torchrun's others have nothing to do
            return 0
        with writing(run.folder):
            run.sweep()
        say(f"Run {run.name} is already complete: {run.pointer.last.epoch} of {counted(run.config.epochs, 'epoch')}, {run.status}.")
        return _show_results(run, as_json)
    with _together(), resuming(run, checkpoint=checkpoint) as training:
        say(f"Going on with run {run.name} after epoch {training.state.epoch} of {run.config.epochs}.")
        _watch(training)
        first = ranks.is_first()
    return _show_results(training.run, as_json) if first else 0


def _introduce(planned: Plan, as_json: bool) -> None:
    """What is trained on what and where, before it begins."""
    config, dataset = planned.config, planned.dataset
    if dataset is not None:
        say(_splits_in_words(dataset, config))
    say(f"Device {planned.place}")
    for remark in filter(None, (device.problem(), planned.origin, planned.remark)):
        say(f"Note: {remark}")
    if not as_json and dataset is not None:
        show_layers(models.summary(planned.model, dataset.image_shape), planned.model)


def _splits_in_words(dataset: Dataset, config: Config) -> str:
    count = len(dataset.train) - dataset.added
    few = f"{config.examples:,} of " if 0 < config.examples < count else ""
    sizes = (
        f"{few}{counted(count, 'image')} to learn from{_added_in_words(dataset, config)}, {len(dataset.test):,} to be tested on at the end"
    )
    if len(dataset.val) == 0:
        return f"Data {dataset.name}: {sizes}; none kept apart to watch by."
    kept = f"{len(dataset.val):,} ({config.val:.0%} of each class) kept apart to watch by"
    return f"Data {dataset.name}: {sizes}, {kept}; --val 0 learns from those too."


def _added_in_words(dataset: Dataset, config: Config) -> str:
    if not dataset.added:
        return ""
    few = dataset.few(config.examples)
    times = (len(few.epoch) - len(few.train)) // dataset.added + 1
    often = f" (each {times} times an epoch, to count for more)" if times > 1 else ""
    return f" and {dataset.added:,} of {config.with_data}{often}"


def show_layers(layers: list[Layer], model: nn.Module) -> None:
    """The layer table, with what comes out of each layer for one image."""
    rows = [(layer.name, layer.kind, "x".join(map(str, layer.output_shape)), f"{layer.parameters:,}") for layer in layers]
    rows.append(("all", "", "", f"{models.count_parameters(model):,}"))
    show_table({"layer": "left", "kind": "left", "output": "right", "parameters": "right"}, rows, f"Network: {type(model).__name__}")


def _watch(training: Training) -> None:
    """Show each epoch as it ends, and how far the present one is."""
    steps, epochs = len(training.plan.loader), training.plan.config.epochs
    with warnings.catch_warnings(record=True) as caught, Bar(epochs * steps) as bar:
        warnings.simplefilter("always")
        told: set[str] = set()
        for row in training.rows(every=max(1, steps // _PARTS_OF_AN_EPOCH)):
            for words in {str(warning.message): None for warning in caught}.keys() - told:
                bar.say(f"Note: {words}")
                told.add(words)
            caught.clear()
            if "step" in row:
                bar.move((row["epoch"] - 1) * steps + row["step"], f"epoch {int(row['epoch'])}/{epochs}", _pace(row))
            else:
                bar.say(in_words(row, epochs))
    if ranks.count() > 1:
        say(ranks.in_words(training.state.rows))
    if training.state.epoch < epochs:
        best = training.run.pointer.best
        say(f"Stopped early: no better validation loss for {counted(training.plan.config.patience, 'epoch')}.")
        say(f"The weights of the best epoch, {best.epoch if best else training.state.epoch} of {training.state.epoch}, are used.")


def _pace(row: Row) -> str:
    return f"loss {row['train_loss']:.3f}  {row['images_per_s']:,.0f} images/s"


def _show_results(run: Run, as_json: bool) -> int:
    """The test accuracy, measured once; the report; and what one might do next."""
    from handlens import report

    dataset = run.dataset()
    if len(dataset.test) == 0:
        tell(f"Run {run.name}: {run.status}. There are no test images to measure it on.")
        return 0
    evaluation = run.evaluate("test")
    page = report.save(run)
    if as_json:
        print_json({**run.to_dict(), "test": evaluation.to_dict(), "report": str(page)})
        return 0
    tell()
    show_classes(evaluation)
    low, high = evaluation.interval
    tell(f"\nTest accuracy {evaluation.accuracy:.2%}  (95 % interval {low:.2%} to {high:.2%}, {counted(evaluation.n, 'image')})")
    tell(f"Report   {_shown(page)}   (open it in a browser)")
    tell(f"Run      {_shown(run.folder)}")
    tell("\nTry next:")
    for command, purpose in report.next_commands(run, evaluation):
        tell(f"  {command}", whole=True)
        tell(f"      {purpose}")
    return 0


def _shown(path: Path) -> str:
    """A path as seen from where the user stands, if it is below."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def dry_run(config: Config, name: str | None, as_json: bool) -> int:
    """Look at everything, take a few steps with a network that is thrown away, and say how long it would take."""
    check_name(name)
    planned = plan_seen(config, dataset_of(config))
    _introduce(planned, as_json)
    every = min(len(planned.loader), 20)
    with trying(planned):
        row = next(train(planned.state(), planned.loader, epochs=1, every=every))
    seconds = row["time_s"] / every * len(planned.loader) * config.epochs
    if as_json:
        print_json({"config": planned.config.model_dump(), "parameters": models.count_parameters(planned.model), "estimate_s": seconds})
        return 0
    tell(
        f"\nAll fits. {counted(config.epochs, 'epoch')} of {counted(len(planned.loader), 'step')} "
        f"would take about {max(1, round(seconds))} s here."
    )
    tell("Nothing was written. Without --dry-run it is done.")
    return 0


def overfit_one_batch(config: Config, as_json: bool) -> int:
    """Train on one batch only: a network and loop that are right learn it by heart. Exit code 1 if they do not."""
    planned = plan_new(config, images=dataset_of(config))
    batch = next(iter(planned.loader))
    start, rows = time.perf_counter(), list[Row]()
    with trying(planned):
        for row in train(replace(planned.state(), schedule=lambda _done: 1.0), [batch], epochs=_STEPS_TO_LEARN_BY_HEART):
            rows.append(row)
            if row["train_accuracy"] == 1 and row["train_loss"] < 0.01:
                break
    passed = row["train_accuracy"] == 1
    if as_json:
        print_json({"passed": passed, "steps": int(row["epoch"]), "loss": row["train_loss"], "accuracy": row["train_accuracy"]})
        return 0 if passed else 1
    done = f"{counted(int(row['epoch']), 'step')} on the same {counted(len(batch[1]), 'image')} ({time.perf_counter() - start:.1f} s)"
    tell(f"{done}: loss {row['train_loss']:.4f}, accuracy {row['train_accuracy']:.1%}.")
    if passed:
        tell("Learned by heart: network, loss and optimizer work together.")
        return 0
    tell(f"Not learned by heart. {_why_not(rows, config.lr)}")
    return 1


def _why_not(rows: list[Row], lr: float) -> str:
    """What to try for a batch that is not learned by heart; whether its loss fell tells small steps from large ones."""
    first, last = rows[0]["train_loss"], rows[-1]["train_loss"]
    fell = f"The loss went from {first:.4f} to {last:.4f}"
    if last < first:
        return f"{fell}, on the right way: larger steps may get there, --lr {lr * 10:g}; and no dropout."
    return f"{fell}, not down: try smaller steps, --lr {lr / 10:g}; and look at the last layer."
