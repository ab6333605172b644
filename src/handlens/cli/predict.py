"""`handlens predict`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlens.cli.terminal import FILE, checkpoint_option, json_option, print_json, remark, show_table
from handlens.errors import HandlensError, UsageError

if TYPE_CHECKING:
    from handlens.prediction import Prediction
    from handlens.runs import Run

_LARGE = 1280  # pixels: what of a sheet is drawn


@click.command()
@click.argument("run")
@click.argument("pictures", nargs=-1, metavar="PICTURE...")
@click.option("--sheet", is_flag=True, help="Each PICTURE holds many digits: find them, and read them row by row.")
@click.option("--show", type=FILE, metavar="FILE.png", help="Draw how a PICTURE was read.")
@checkpoint_option
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if its file has changed since the training.")
@json_option
def predict(run: str, pictures: tuple[str, ...], sheet: bool, show: Path | None, as_json: bool, **asked: str) -> int:
    """Ask RUN about pictures of your own: what each shows, how sure it is, and the second guess.

    For a run on digits, letters or other ink, any drawing, scan or photo will do: the ink is found, and prepared as the training images
    were.
    """
    if not pictures:
        raise UsageError("Which pictures?", hint="handlens predict RUN my-seven.png")
    if show and len(pictures) > 1:
        raise UsageError("--show draws one picture.", hint="Ask about one at a time.")
    from handlens.cli.loading import own_model
    from handlens.runs import load_run

    ask = _asking(load_run(run, model=own_model(asked["model"])).use(checkpoint=asked["checkpoint"]), sheet)
    answers: list[tuple[str, Prediction | HandlensError]] = []
    code = 0
    for picture in pictures:
        try:
            answers += [(picture, answer) for answer in ask(picture)]
        except HandlensError as error:
            answers.append((picture, error))
            code = code or error.exit_code
    drawn = _draw(show, answers, pictures[0], sheet) if show else None
    if as_json:
        print_json([_as_json(picture, answer) for picture, answer in answers])
        return code
    _tell(answers)
    if drawn:
        remark(f"Picture  {drawn}")
    return code


def _asking(run: Run, sheet: bool) -> Callable[[str], list[Prediction]]:
    """How one picture is asked about; the network is read from the disk once for all of them."""
    from handlens import prediction
    from handlens.runs import preparation_of

    knows = (run.model(), run.about.classes, preparation_of(run.config, run.about))
    if sheet:
        return lambda picture: prediction.predict_sheet(*knows, picture)
    return lambda picture: [prediction.predict(*knows, picture)]


def _as_json(picture: str, answer: Prediction | HandlensError) -> dict[str, Any]:
    if isinstance(answer, HandlensError):
        return {"path": picture, "error": str(answer)}
    return {"path": picture, **answer.to_dict()}


def _tell(answers: list[tuple[str, Any]]) -> None:
    """A row for each answer, then what went wrong."""
    rows = []
    for picture, answer in answers:
        if isinstance(answer, HandlensError):
            continue
        other, probability = answer.second
        said = (answer.label, f"{answer.probability:.1%}", f"{other} {probability:.1%}") if answer.label else ("-", "", "")
        rows.append((Path(picture).name, *said, answer.doubt))
    if rows:
        show_table({"picture": "left", "answer": "left", "sure": "right", "second guess": "left", "doubt": "left"}, rows)
    for _picture, answer in answers:
        if isinstance(answer, HandlensError):
            remark(f"Error: {answer}")


def _draw(file: Path, answers: list[tuple[str, Any]], picture: str, sheet: bool) -> Path | None:
    from handlens import files, plots

    read = [answer for _picture, answer in answers if not isinstance(answer, HandlensError)]
    if not read:
        return None
    if not sheet:
        return files.write_atomic(file, plots.png(read[0].show()))
    from handlens.data import drawing

    page = drawing.read(picture, _LARGE)
    boxes = [(tuple(side / page.scale for side in one.seen.box), one.label, one.probability) for one in read]
    return files.write_atomic(file, plots.png(plots.plot_sheet(page.pixels, boxes)))
