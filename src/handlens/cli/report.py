"""`handlens report`."""

from __future__ import annotations

import webbrowser

import click

from handlens.cli.terminal import checkpoint_option, json_option, print_json, tell


@click.command()
@click.argument("run")
@checkpoint_option
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if its file has changed since the training.")
@json_option
def report(run: str, checkpoint: str | None, open_: bool, model: str | None, as_json: bool) -> int:
    """Put all about RUN into one HTML file, which opens from disk and can be sent to anybody."""
    from handlens import report as reports
    from handlens.cli.loading import find_result

    page = reports.save(find_result(run, model, checkpoint))
    if as_json:
        print_json({"report": str(page)})
    else:
        tell(str(page))
    if open_:
        webbrowser.open(page.absolute().as_uri())
    return 0
