"""`Case`: what a program's run means: its steps, its network, its data, and answers to what the causes ask."""

from __future__ import annotations

import ast
import contextlib
import itertools
import math
import re
from collections import Counter
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from handlens.doctor.evaluations import answered, evaluations
from handlens.doctor.probes import Probe, first_weighted_input, largest_lrs, varies
from handlens.doctor.script import Script
from handlens.doctor.seen import Event, Failure, Seen, Step, held

_LAYERS = ("Linear", "Conv1d", "Conv2d", "Sequential", "ReLU")
LEARNING = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Case:
    """A program and what was seen of it.

    Args:
        script: its text.
        seen: what it did.
        names: its variables when it ended.
        probing: whether copies of its network may be trained on trial.
    """

    def __init__(self, script: Script, seen: Seen, names: dict[str, Any] | None = None, *, probing: bool = True) -> None:
        self.script = script
        self.seen = seen
        self.names = names or {}
        self._probing = probing

    @property
    def failure(self) -> Failure | None:
        """The exception that ended the program."""
        return self.seen.failure

    def raised(self, pattern: str, *kinds: str) -> re.Match[str] | None:
        """Where the text of the exception fits a pattern, if there was one, of one of these kinds if any are named."""
        if self.failure is None or (kinds and self.failure.kind not in kinds):
            return None
        return re.search(pattern, self.failure.text)

    @cached_property
    def steps(self) -> list[Step]:
        """All backward passes, in their order."""
        places = [place for place, event in enumerate(self.seen.events) if event.kind == "backward"]
        found = []
        for number, place in enumerate(places):
            start = places[number - 1] + 1 if number else 0
            end = places[number + 1] if number + 1 < len(places) else len(self.seen.events)
            before, after = self.seen.events[start:place], self.seen.events[place + 1 : end]
            losses = [event for event in before if event.kind == "loss" and event.grad]
            backward = self.seen.events[place]
            ways = self.seen.events[end].moved if end < len(self.seen.events) else None
            moved = any(way > 0 for way in ways.values()) if ways else None
            found.append(Step(backward, backward.forwards, losses[-1] if losses else None, before, after, moved))
        return found

    @cached_property
    def again(self) -> list[Step]:
        """The backward passes to weights that an earlier one has reached."""
        known: set[int] = set()
        found = []
        for step in self.steps:
            leaves = {id(leaf) for leaf in step.backward.leaves}
            found += [step] if leaves & known else []
            known |= leaves
        return found

    @cached_property
    def moves(self) -> list[float]:
        """How far each matrix of weights was moved between two backward passes, relative to its size, the shortest way first."""
        matrices = {id(leaf) for leaf in self.reached.values() if leaf.ndim > 1}  # a bias begins at 0 and goes infinitely far
        return sorted(way for step in self.steps for key, way in (step.backward.moved or {}).items() if key in matrices and way > 0)

    @property
    def measured(self) -> list[Step]:
        """Those of them of which it is known whether weights were moved after them."""
        return self.again if self.seen.of("step") else [step for step in self.again if step.moved is not None]

    @cached_property
    def training(self) -> list[Event]:
        """The calls of networks that were trained by: a gradient went back through them, and a step came after it."""
        steps = [place for place, event in enumerate(self.seen.events) if event.kind == "step"]
        until = steps[-1] if steps else len(self.seen.events)
        return [event for event in self.seen.events[:until] if event.kind == "forward" and event.trains]

    @cached_property
    def evaluations(self) -> list[Event]:
        """The calls of networks that no gradient went back through, after the training began."""
        return evaluations(self.seen.events, self.training)

    @cached_property
    def tests(self) -> list[Event]:
        """Those of them that stand elsewhere than the training does, or are made without gradients."""
        places = {event.lines for event in self.training}
        return [event for event in self.evaluations if event.lines not in places or not event.recording]

    @cached_property
    def answered(self) -> set[int]:
        """The calls of networks of which something was made: a guess, a loss, a comparison."""
        return answered(self.seen.events, self.script)

    @cached_property
    def model(self) -> nn.Module | None:
        """The network that was trained most; else the one that was called most."""
        called: list[nn.Module] = [event.model for event in self.training or self.seen.of("forward")]
        if not called:
            return self.seen.models[0] if self.seen.models else None
        most = Counter(map(id, called)).most_common(1)[0][0]
        return next(model for model in called if id(model) == most)

    @cached_property
    def start(self) -> nn.Module | None:
        """A copy of that network as it was before its first step."""
        place = next((place for place, model in enumerate(self.seen.models) if model is self.model), None)
        return None if place is None else self.seen.start.get(place)

    @cached_property
    def lively(self) -> nn.Module | None:
        """`start`; the network as it became, if at first all images got the same answer, as from a last layer of zeros."""
        with contextlib.suppress(Exception):
            if self.start is not None and self.images is not None and not varies(self.start, self.images):
                return self.model
        return self.start

    @cached_property
    def first(self) -> Step | None:
        """The first step of which the tensors were kept."""
        return next((step for step in self.steps if step.loss is not None and step.loss.about.get("scores") is not None), None)

    @cached_property
    def loss(self) -> Event | None:
        """The first training loss of which the tensors were kept."""
        return self.first.loss if self.first else None

    @cached_property
    def images(self) -> Tensor | None:
        """A batch as the network got it in training; without a network, or without a backward pass, what was first given or multiplied."""
        seen = self.training or ([] if self.seen.models and self.steps else self.seen.of("call"))
        return next((event.images for event in seen if "images" in event.about), None)

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """All weights as they were before the first step, by name; without a network, those that gradients first came to."""
        if self.start is not None:
            return dict(self.start.named_parameters())
        return {f"weight {number}": one for number, one in enumerate(self.steps[0].backward.about.get("values", []))} if self.steps else {}

    @cached_property
    def labels(self) -> Tensor | None:
        """The labels of the first training step, if they are class numbers."""
        target = self.loss.target if self.loss else None
        return target if target is not None and not target.is_floating_point() and target.ndim == 1 else None

    @cached_property
    def outputs(self) -> int:
        """How many scores the network gives for an image; 0 if that is not known."""
        scores = self.loss.scores if self.loss is not None else None
        if scores is None or scores.ndim < 2:
            scores = next((event.output for event in self.training if "output" in event.about), None)
        return int(scores.shape[-1]) if scores is not None and scores.ndim >= 2 else 0

    @property
    def chance(self) -> float:
        """The loss of a network that knows nothing: ln of the number of classes."""
        return math.log(self.outputs) if self.outputs > 1 else math.log(10)

    @cached_property
    def first_loss(self) -> float | None:
        """The first training loss; a sum, divided by the number of images."""
        if self.loss is None:
            return None
        count = len(self.loss.target) if self.loss.reduction == "sum" and self.loss.target.ndim else 1
        return float(self.loss.value / count)

    @cached_property
    def losses(self) -> list[float]:
        """The loss at each backward pass; of a long training, at the first hundreds and at some of the later ones."""
        return [step.backward.value for step in self.steps if step.backward.value is not None]

    @property
    def learned(self) -> bool:
        """Whether the loss fell clearly while it was watched."""
        some = [value for value in self.losses if math.isfinite(value)]
        if len(some) < 8 or len(some) < len(self.losses):
            return False
        part = max(2, len(some) // 5)
        return sum(some[-part:]) / part < 0.75 * min(some[0], sum(some[:part]) / part)

    @property
    def rose(self) -> bool:
        """Whether the loss is hardly lower than it was, after a good many steps."""
        part = max(2, len(self.losses) // 5)
        return len(self.losses) >= 16 and not sum(self.losses[-part:]) / part < 0.9 * min(self.losses[0], self.chance)

    @property
    def rate_grows(self) -> bool:
        """Whether the program itself raises the learning rate a hundredfold, to see where learning ends."""
        steps = self.seen.of("step")
        lrs = [event.lr for event in steps if event.optimizer is steps[-1].optimizer]
        return bool(lrs) and lrs[-1] > 100 * lrs[0] > 0

    @cached_property
    def input(self) -> Tensor | None:
        """What the first layer with weights gets of a training batch; the network may have scaled it before."""
        if self.start is None or self.images is None:
            return self.images
        return first_weighted_input(self.start, self.images)

    @cached_property
    def probe(self) -> Probe | None:
        """Trainings of copies; None if this program's loss cannot be computed for them."""
        if not self._probing or self.start is None or self.first is None or not self.seen.optimizers or not self.first.forwards:
            return None
        later = itertools.dropwhile(lambda step: all(event.model is not self.model for event in step.forwards), self.steps)
        kept = [step for step in later if step.loss is not None and step.forwards and step.loss.about.get("scores") is not None]
        if not kept or not kept[0].forwards[-1].plain or not any(event.model is self.model for event in kept[0].forwards[-1:]):
            return None  # it cannot be called with images alone, or another part gives the scores
        return Probe.of(self.start, kept, self.seen.optimizers, largest_lrs(self.seen.of("step")))

    @cached_property
    def parameters(self) -> dict[int, str]:
        """The names of the network's weights, as they were in a training call."""
        called = (event.weights for event in self.training if event.model is self.model and "weights" in event.about)
        named = next(called, None) or dict(self.model.named_parameters() if self.model else ())
        return {id(one): name for name, one in named.items()}

    @cached_property
    def reached(self) -> dict[int, Tensor]:
        """The weights that gradients reached."""
        return {id(leaf): leaf for step in self.steps for leaf in step.backward.about.get("leaves", [])}

    @cached_property
    def optimized(self) -> set[int]:
        """The weights that any optimizer holds that made a step."""
        stepped = [event.optimizer for event in self.seen.of("step")] or self.seen.optimizers
        return {key for optimizer in stepped for key in held(optimizer)}

    @cached_property
    def trained_rows(self) -> set[int]:
        """Numbers of the images that were trained on."""
        return {row for event in self.training for row in event.about.get("rows", [])}

    @cached_property
    def loaded(self) -> set[int]:
        """The weights of the network that came from elsewhere before it was trained, be it into a part of it."""
        events = self.seen.events
        start = next((place for place, one in enumerate(events) if one.kind == "forward" and one.trains and one.model is self.model), None)
        filled = {id(weight) for event in events[:start] if event.kind == "load" for weight in event.model.parameters()}
        return filled & set(self.parameters)

    def line_of_training(self) -> int:
        """The line of the first backward pass."""
        return self.steps[0].backward.line if self.steps else 0

    def line_of_optimizer(self) -> int:
        """Where the optimizer that made the network's first step is made; without one, that which was made last."""
        used = min(self.seen.of("step"), key=lambda event: self.parameters.keys().isdisjoint(held(event.optimizer)), default=None)
        made = [event for event in reversed(self.seen.of("optimizer")) if event.line]
        line = next((event.line for event in made if used and event.optimizer is used.optimizer), 0)
        return line or next((event.line for event in made), self.line_of_training())

    def line_of_model(self, name: str) -> int:
        """The line in which a part of the network is made: `self.fc1 = nn.Linear(...)` of `fc1.weight`."""
        return next((node.lineno for node in self.script.assignments(name.split(".", maxsplit=1)[0])), 0) or self.line_of_class()

    def line_of_class(self) -> int:
        """The line in which the network's class begins, or in which it is made."""
        made = (node.lineno for node in self.script.classes() if node.name == type(self.model).__name__)
        return next(made, self.script.find("nn.Sequential", "Sequential("))

    def line_of_forward(self) -> int:
        """The line in which the network's forward begins; where the layers are handed over, if its class makes none."""
        name = type(self.model).__name__ if self.model is not None else ""
        owner = next((node for node in self.script.classes() if node.name == name), None)
        makes = owner is None or any(isinstance(one, ast.Attribute) and one.attr in _LAYERS for one in ast.walk(owner))
        given = [call.lineno for call in self.script.calls(name) if any(isinstance(one, ast.Call) for one in call.args)]
        if given and not makes:
            return given[-1]
        method = self.script.method(type(self.model).__name__, "forward") if self.model is not None else None
        return method.lineno if method else self.line_of_class()

    def line_of_data(self) -> int:
        """The line in which the loader of the training images is made, or they are themselves."""
        return self.line_of_loader() or self.script.find("DataLoader(", "TensorDataset(", "load_digits(", ".load(")

    def line_of_loader(self) -> int:
        """The line in which the loader of the training images is made; 0 without one."""
        trained = [event.loader for event in self.seen.of("batch") if set(event.rows) & self.trained_rows][:1]
        return next((event.line for event in self.seen.of("made") if any(event.loader is one for one in trained)), 0)
