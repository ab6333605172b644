"""The end of a report: what was set, where it ran, how to do it again and what to try."""

from __future__ import annotations

import math
import shlex
from typing import Any

from handlens.config import FIELDS, OWN, Config
from handlens.evaluation import Evaluation
from handlens.models import idle_knobs
from handlens.report.facts import Facts
from handlens.report.markup import Section, paragraph, section, table, text
from handlens.runs import Run
from handlens.words import counted


def config_section(facts: Facts) -> Section:
    """Every knob with its reason: those that were changed first, the others folded."""
    changed = _changes(facts.run.config)
    config = facts.run.config
    fields = {name: field for name, field in FIELDS.items() if name not in idle_knobs(config.model)}
    rows = {name: (shown(getattr(config, name)), shown(field.default), field.description) for name, field in fields.items()}
    if changed:
        heads = ("knob", "value", "default", "what it does")
        first = table("Not at their default", heads, [(name, *rows[name]) for name in changed])
    else:
        first = paragraph("All knobs that decide the result are at their defaults.")
    rest = [(name, value, reason) for name, (value, _, reason) in rows.items() if name not in changed]
    others = f"{'The other' if changed else 'All'} {counted(len(rest), 'knob')}"
    folded = table(others, ("knob", "value", "what it does"), rest)
    words = "What can be set before a training, and what it was set to here. The same config gives the same network."
    return section("config", "Config", paragraph(words), first, f"<details><summary>{others}</summary>{folded}</details>")


def _changes(config: Config) -> dict[str, Any]:
    """The knobs that the user changed and that have an effect; the number of threads is the machine's, and stands in the environment."""
    idle = {"threads", *idle_knobs(config.model)}
    return {name: value for name, value in config.changes().items() if name not in idle}


def environment_section(facts: Facts) -> Section:
    """Versions and machine."""
    rows = [(name.replace("_", " "), value) for name, value in facts.run.env.items() if value not in ("", None)]
    words = "What a result may depend on besides the config. On the same machine, with the same versions, it comes out the same to the bit."
    found = table("Versions and machine at the time of training", ("what", "value"), rows)
    return section("environment", "Environment", paragraph(words), found)


def repeat_section(facts: Facts) -> Section:
    """How to do it again, and three commands worth trying."""
    run = facts.run
    written = repeat_command(run.config)
    again = [
        (f"handlens runs repeat {shlex.quote(run.name)}", "the same config and seed, as a new run"),
        (written, "the same, written out"),
    ]
    return section(
        "again",
        "Do it again, and what to try next",
        paragraph("To repeat this training:"),
        _commands(again if written else [(_call(run), "in Python, with the same network and data")]),
        paragraph("Worth trying: change one thing, guess what will happen, and look."),
        _commands(next_commands(run, facts.evaluation)),
    )


def _commands(commands: list[tuple[str, str]]) -> str:
    lines = "".join(f'<dt class="wide" tabindex="0"><code>{text(command)}</code></dt><dd>{text(why)}</dd>' for command, why in commands)
    return f'<dl class="commands">{lines}</dl>'


def repeat_command(config: Config) -> str:
    """The command that trains with this config; empty if its network or data were given as objects, which no command can name."""
    if OWN in (config.model[: len(OWN)], config.data[: len(OWN)]):
        return ""
    return " ".join(["handlens train", *(_option(name, value) for name, value in _changes(config).items())])


def resume_command(run: Run) -> str:
    """The command or call that goes on with this run."""
    return f"handlens train --resume {shlex.quote(run.name)}" if repeat_command(run.config) else f"hl.resume({run.name!r}, ...)"


def _call(run: Run, **other: Any) -> str:
    """The same in Python."""
    own = [name for name in ("model", "data") if getattr(run.config, name).startswith(OWN)]
    things = [name if name in own else repr(getattr(run.config, name)) for name in ("model", "data")]
    knobs = {name: value for name, value in _changes(run.config).items() if name not in ("model", "data")} | other
    return f"hl.fit({', '.join([*things, *(f'{name}={value!r}' for name, value in knobs.items())])})"


def _option(name: str, value: Any) -> str:
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return flag if value else f"--no-{flag[2:]}"
    return f"{flag} {shlex.quote(shown(value))}"


def next_commands(run: Run, evaluation: Evaluation | None = None) -> list[tuple[str, str]]:
    """Commands worth trying after this run, each with what it is for; what it scored decides, if that is known."""
    config, base = run.config, repeat_command(run.config)
    trouble = "" if evaluation is None else _trouble(evaluation)
    factor, step = _step(config.lr, trouble)
    lr = float(f"{config.lr * factor:g}")
    stepping = (_changed(base, "lr", str(lr)) if base else _call(run, lr=lr), step)
    comparing = (f"handlens compare latest {shlex.quote(run.name)}", "then: the new run beside this one")
    if trouble:
        return [stepping, comparing]
    if base and config.init_from:
        other = (_without(base, "init_from", "freeze"), "from random weights: what were the learned ones worth?")
    elif base and config.model == "mlp" and config.hidden_sizes:
        wider = ",".join(str(size * 2) for size in config.hidden_sizes)
        other = (_changed(base, "hidden_sizes", wider), "twice as many hidden units: better, or only slower?")
    else:
        words = "" if config.data == "mnist" or config.data.startswith(OWN) else f" --data {shlex.quote(config.data)}"
        words += f" --examples {config.examples}" if config.examples else ""
        other = (f"handlens train session{words}", "the session's network with two hidden layers: what does it reach?")
    return [other, stepping, comparing]


def _trouble(evaluation: Evaluation) -> str:
    """In words, if it has learned nothing that guessing could not do; else nothing."""
    if evaluation.interval[0] <= max(one.support for one in evaluation.per_class) / evaluation.n:
        return "no better than guessing"
    return "a loss worse than that of guessing" if evaluation.loss > math.log(len(evaluation.classes)) else ""


def _step(lr: float, trouble: str) -> tuple[float, str]:
    """What to multiply the learning rate by, and why."""
    if not trouble:
        return 10, "a learning rate ten times as large: what do the curves do?"
    if lr < FIELDS["lr"].default:
        return 10, f"{trouble}, and the steps are small: a learning rate ten times as large"
    return 0.1, f"{trouble}: a learning rate of a tenth"


def _changed(command: str, knob: str, value: str) -> str:
    words = shlex.split(command)
    flag = "--" + knob.replace("_", "-")
    if flag in words:
        place = words.index(flag)
        words[place + 1] = value
        return shlex.join(words)
    return f"{command} {flag} {value}"


def _without(command: str, *knobs: str) -> str:
    words = shlex.split(command)
    for flag in ("--" + knob.replace("_", "-") for knob in knobs):
        if flag in words:
            place = words.index(flag)
            takes_a_value = words[place + 1 : place + 2] and not words[place + 1].startswith("--")
            del words[place : place + 1 + bool(takes_a_value)]
    return shlex.join(words)


def shown(value: object) -> str:
    """A knob's value as the command line takes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
