"""A long training is kept whole at its beginning and at its end; of what is alike between them, every second step goes."""

from __future__ import annotations

from handlens.doctor.seen import Event

_ENDS = 400  # steps
_ENOUGH = 0.75  # of the events: with more left, they would soon be thinned again


def thinned(events: list[Event]) -> list[Event]:
    """At most three quarters of these events, in their order.

    Steps that are like the one after them go first; then steps in which something else happened; without steps, the middle half.
    """
    most = _ENOUGH * len(events)
    steps = _steps(events)
    for choose in (_without_repeated, _without_others):
        steps = [*steps[:_ENDS], *choose(steps[_ENDS:-_ENDS]), *steps[-_ENDS:]] if len(steps) > 2 * _ENDS else steps
        kept = [event for step in steps for event in step]
        if len(kept) <= most:
            return kept
    quarter = len(events) // 4
    return [*events[:quarter], *events[-quarter:]]


def _steps(events: list[Event]) -> list[list[Event]]:
    """Events up to a backward pass and with it, again and again; the last of them may have none."""
    steps: list[list[Event]] = [[]]
    for event in events:
        steps[-1].append(event)
        if event.kind == "backward":
            steps.append([])
    return steps


def _without_repeated(steps: list[list[Event]]) -> list[list[Event]]:
    found: list[list[Event]] = []
    dropped = False
    for step, following in zip(steps, [*steps[1:], []], strict=True):
        dropped = not dropped and _kinds(step) == _kinds(following)
        found += [] if dropped else [step]
    return found


def _without_others(steps: list[list[Event]]) -> list[list[Event]]:
    return steps[::2]


def _kinds(step: list[Event]) -> list[tuple[str, int]]:
    return [(event.kind, event.line) for event in step]
