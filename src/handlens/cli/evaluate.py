"""`handlens evaluate`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from handlens.cli.terminal import checkpoint_option, json_option, on_option, print_json, remark, say, show_classes, show_table, tell
from handlens.errors import UsageError
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.analysis import Calibrated, Robustness
    from handlens.evaluation import Evaluation
    from handlens.runs import Run


@click.command()
@click.argument("run")
@on_option
@click.option("--calibrate", is_flag=True, help="Mend the probabilities by a temperature found on val, and say when to say nothing.")
@click.option("--robustness", is_flag=True, help="Also with the images turned, moved, scaled, noisy, blurred, faded, thicker.")
@click.option("--examples", type=click.IntRange(1), default=2000, help="Images for --robustness, evenly from all.  [2000]")
@checkpoint_option
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if its file has changed since the training.")
@json_option
def evaluate(run: str, as_json: bool, **options: Any) -> int:
    """Measure RUN on images that it has not learned from: accuracy with its 95 % interval, loss, and scores of each class."""
    from handlens.cli.loading import find_result

    found = find_result(run, options["model"], options["checkpoint"])
    evaluation = found.evaluate(options["on"])
    calibrated = _calibrated(found, evaluation) if options["calibrate"] else None
    robust = _robustness(found, options) if options["robustness"] else None
    more = {"calibration": calibrated, "robustness": robust}
    figures = {name: _save(found, name, result) for name, result in more.items() if result}
    if as_json:
        results = {name: result.to_dict() | {"figure": figures[name]} for name, result in more.items() if result}
        print_json({"run": found.name, "checkpoint": found.default_checkpoint, **evaluation.to_dict(), **results})
        return 0
    if calibrated or robust:
        _show_more(calibrated, robust, figures)
    else:
        _show(found, evaluation, options["on"])
    return 0


def _show(found: Run, evaluation: Evaluation, on: str) -> None:
    low, high = evaluation.interval
    facts = {
        "run": found.name,
        "images": f"{evaluation.n:,} of {on}{_which(found, on)}",
        "weights": f"{found.default_checkpoint} epoch, {int(found.used_row.get('epoch', 0))} of {len(found.rows)}",
        "accuracy": f"{evaluation.accuracy:.2%}",
        "95 % interval": f"{low:.2%} to {high:.2%}",
        "loss": f"{evaluation.loss:.4f}",
        "calibration error": f"{evaluation.ece:.4f}",
        "most confused": ", ".join(
            f"{pair.true} taken for {pair.predicted} {counted(pair.count, 'time')}" for pair in evaluation.most_confused(3)
        ),
    }
    show_table({"what": "left", "value": "left"}, list(facts.items()))
    if sys.stdout.isatty():  # piped, one table for a program; the classes are in --json
        tell()
        show_classes(evaluation)


def _which(run: Run, on: str) -> str:
    """Which of the user's own digits."""
    if on != "mine":
        return ""
    return ", those that were kept apart" if on in run.about.learned else ", all of them"


def _calibrated(run: Run, evaluation: Evaluation) -> Calibrated:
    from handlens import analysis

    if evaluation.split == "val":
        raise UsageError("The temperature is found on val; what it does must be shown on other images.", hint="Leave out --on val.")
    return analysis.calibrate(run.evaluate("val"), evaluation)


def _robustness(run: Run, options: dict[str, Any]) -> Robustness:
    from handlens import analysis

    return analysis.robustness(run.model(), run.split(options["on"]), examples=options["examples"], ink=run.dataset().ink)


def _save(run: Run, name: str, result: Calibrated | Robustness) -> str:
    from handlens import files, plots

    file = {"calibration": "temperature.png", "robustness": "robustness.png"}[name]
    return str(files.write_atomic(files.child(run.folder, "plots") / file, plots.png(result.plot())))


def _show_more(calibrated: Calibrated | None, robust: Robustness | None, figures: dict[str, str]) -> None:
    if calibrated:
        _show_calibrated(calibrated)
    if robust and (sys.stdout.isatty() or not calibrated):  # piped, one table for a program
        _show_robustness(robust)
    for path in figures.values():
        remark(f"Figure   {path}")


def _show_calibrated(found: Calibrated) -> None:
    before, after = found.before, found.after
    rows = [("temperature", "1", f"{found.temperature:.3f}")]
    rows += [(name, f"{getattr(before, key):.4f}", f"{getattr(after, key):.4f}") for name, key in _SCORES.items()]
    show_table({"what": "left", "before": "right", "after": "right"}, rows)
    if found.warning:
        say(found.warning)
    columns = {"wanted": "right", "answer if surer than": "right", "answered": "right", "right": "right", "95 % interval": "left"}
    answers = [
        (f"{one.wanted:.1%}", f"{one.threshold:.1%}", f"{one.answered:.1%}", f"{one.accuracy or 0:.2%}", _interval(one.interval))
        for one in found.answering
    ]
    if answers and sys.stdout.isatty():
        tell()
        show_table(columns, answers)
        remark("The thresholds were chosen on the validation images; what they bring was measured on the others.")


_SCORES = {"calibration error (ECE)": "ece", "loss (NLL)": "loss", "accuracy": "accuracy"}


def _interval(pair: tuple[float, float] | None) -> str:
    return f"{pair[0]:.2%} to {pair[1]:.2%}" if pair else ""


def _show_robustness(found: Robustness) -> None:
    from handlens.analysis.robustness import CHANGES

    columns = {"change": "left", "unit": "left"} | {f"{place}": "right" for place in range(1, 6)}
    rows = [(name, CHANGES[name][2], *(f"{one.strength:g}: {one.accuracy:.1%}" for one in found.of(name))) for name in found.changes]
    show_table(columns, rows)
    remark(f"Strength: accuracy, on {counted(found.clean.n, 'image')}, of which {found.clean.accuracy:.1%} are right unchanged.")
