"""Which calls of a network are evaluations, and which are part of a step of its training; and which are asked for an answer."""

from __future__ import annotations

from collections import Counter

from torch import Tensor, nn

from handlens.doctor.script import Script
from handlens.doctor.seen import Event

_NEARLY_EACH = 0.8


def evaluations(events: list[Event], training: list[Event]) -> list[Event]:
    """The calls of networks that no gradient went back through, after the training began, and that no step needs.

    Args:
        events: all that was seen.
        training: the calls that were trained by.
    """
    forwards = [event for event in events if event.kind == "forward"]
    if not training:
        return forwards
    first = next(place for place, event in enumerate(forwards) if event is training[0])
    places = {event.lines for event in training}
    needed = _needed(events)
    return [
        event
        for event in forwards[first:]
        if not event.trains and id(event) not in needed and not (event.grad and event.lines in places and event.training)
    ]


def answered(events: list[Event], script: Script) -> set[int]:
    """The calls after which, and before the next one, a loss or a guess was made or something was compared, by their ids.

    Args:
        events: all that was seen.
        script: tells which softmax stands in a network, and is no guess.
    """
    found: set[int] = set()
    last = 0
    for event in events:
        if event.kind == "forward":
            last = id(event)
        elif event.kind in ("argmax", "compare", "loss") or (event.kind == "softmax" and not script.in_forward(event.line)):
            found.add(last)
    return found


def _needed(events: list[Event]) -> set[int]:
    """Calls without a gradient that a step needs, as those of a teacher: between a call and its backward pass, or before nearly each."""
    found: set[int] = set()
    waiting: list[Event] = []
    before: list[Event] = []
    steps, under_way = 0, False
    for event in events:
        if event.kind == "backward":
            steps, under_way = steps + 1, False
            before += [one for one in waiting if one.loop == event.loop != 0]
            waiting = []
        elif event.kind == "forward" and event.trains:
            under_way = True
        elif event.kind == "forward":
            waiting.append(event)
            found |= {id(event)} if under_way else set()
    often = Counter(event.lines for event in before)
    return found | {id(event) for event in before if often[event.lines] >= _NEARLY_EACH * steps}


def arguments(training: list[Event], model: nn.Module | None) -> list[Tensor]:
    """What a network got when it was first trained by: images, and what came with them; empty if that was not kept.

    Args:
        training: the calls that were trained by.
        model: the network.
    """
    return next((event.arguments for event in training if event.model is model and "arguments" in event.about), [])


def to_learn(training: list[Event], model: nn.Module | None) -> set[str]:
    """The weights of a network that could learn when it was first trained, by name; they may be frozen after that.

    Args:
        training: the calls that were trained by.
        model: the network.
    """
    first = next((event.learning for event in training if event.model is model and "learning" in event.about), None)
    if first is not None or model is None:
        return first or set()
    return {name for name, one in model.named_parameters() if one.requires_grad}
