"""`handlens export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import FILE, checkpoint_option, json_option, print_json, say, show_table
from handlens.errors import UsageError
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.export import Exported, Quantized
    from handlens.runs import Run

_FORMATS = ("onnx", "pt2", "safetensors", "html")


@click.command()
@click.argument("run")
@click.option("--format", "format_", type=click.Choice(_FORMATS), help="Which kind of file.  [what --out ends in, else onnx]")
@click.option("--out", type=FILE, metavar="FILE", help="Where to.  [RUN.onnx, RUN.pt2, ... where you stand]")
@click.option("--int8", is_flag=True, help="ONNX with numbers of 8 bits: smaller, and measured beside the float one.")
@click.option("--check", type=FILE, metavar="FILE", help="Make nothing: does FILE still say what RUN says?")
@checkpoint_option
@click.option("--model", metavar="FILE.py:Class", help="Your own network, if its file has changed since the training.")
@json_option
def export(run: str, format_: str | None, out: Path | None, int8: bool, check: Path | None, as_json: bool, **asked: str) -> int:
    """Make a file of RUN for other programs and other people; it is compared with RUN before it is kept.

    onnx and pt2 take raw pixels and run without handlens; safetensors becomes a run again with handlens import; html is one page that
    draws and answers without a network.
    """
    from handlens.cli.loading import find_result

    found = find_result(run, asked["model"], asked["checkpoint"])
    if check:
        return _verify(found, check, format_ or "", as_json)
    kind = format_ or (out.suffix.lower().removeprefix(".") if out else "onnx")
    if int8 and kind != "onnx":
        raise UsageError("--int8 is a kind of ONNX file.", hint="Leave out --format, or write --format onnx.")
    file = out or Path(f"{found.name}.int8.onnx" if int8 else f"{found.name}.{kind}")
    _tell(_make(found, file, format_ or "", int8), as_json)
    return 0


def _make(run: Run, file: Path, kind: str, int8: bool) -> Exported | Quantized:
    from handlens.export import export, quantize

    return quantize(run, file, say=say) if int8 else export(run, file, format=kind, say=say)


def _verify(run: Run, file: Path, kind: str, as_json: bool) -> int:
    from dataclasses import asdict

    from handlens.export import verify

    agreement = verify(run, file, format=kind)
    if as_json:
        print_json(asdict(agreement))
    else:
        show_table({"what": "left", "value": "left"}, [("file", str(file)), ("agrees", str(agreement))])
    return 0


def _tell(made: Exported | Quantized, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
        return
    from handlens.export import Exported

    rows = _exported(made) if isinstance(made, Exported) else _quantized(made)
    show_table({"what": "left", "value": "left"}, [("file", str(made.file)), *rows])


def _exported(made: Exported) -> list[tuple[str, str]]:
    return [("size", f"{made.size_bytes:,} bytes"), ("checked", str(made.agreement)), ("sha256", made.sha256)]


def _quantized(made: Quantized) -> list[tuple[str, str]]:
    low, high = made.interval
    return [
        ("size", f"{made.size_bytes:,} bytes; as float {made.float_size_bytes:,}"),
        (
            "accuracy",
            f"{made.accuracy:.2%} ({low:.2%} to {high:.2%}) of {counted(made.n, 'test image')}; as float {made.float_accuracy:.2%}",
        ),
        ("same answer", f"{made.same:.2%}"),
        ("speed", f"{made.images_per_s:,.0f} images/s on one thread; as float {made.float_images_per_s:,.0f}"),
    ]
