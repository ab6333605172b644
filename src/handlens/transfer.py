"""Transfer learning: a training that begins with what another run has learned (Yosinski et al. 2014)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from handlens import data, models
from handlens.config import Config, make_config
from handlens.data.catalog import MINE
from handlens.errors import ModelError, UsageError
from handlens.plan import Model, Plan, assemble, check_last_batch, plan
from handlens.presets import IMAGENET
from handlens.runs import Run, load_run, runs_folder
from handlens.train import train
from handlens.training import trying
from handlens.words import counted

_OF_THE_IMAGES = ("mean", "std")  # what pixels are shifted and scaled by belongs to the images, not to what was learned


def plan_new(config: Config, model: Model | None = None, images: object = None, *, val: object = None) -> Plan:
    """`plan`, with the weights of another run, or those learned on ImageNet, if the config says so.

    With `freeze` all that was taken over is kept as it is, but for the last layer; what is new learns.

    Raises:
        RunNotFound: there is no such run.
        ModelError: its network has other layers; or see `handlens.models.load_imagenet_weights`.
        RunDamaged: its checkpoint is damaged.
    """
    planned = plan(config, model, images, val=val)
    if not config.init_from:
        return planned
    if config.init_from == IMAGENET:
        models.load_imagenet_weights(planned.model)
        return replace(planned, origin="Begins with the weights learned on ImageNet; new: the last layer.")
    run, network = load_run(config.init_from), planned.model
    new = take_over(network, run, without=[] if _same_data(planned, run) else _last(planned))
    about = planned.about
    if config.freeze:
        models.set_learning(network, new.intersection(about["frozen"]), True)
        about = {**about, "frozen": tuple(name for name in about["frozen"] if name not in new)}
        check_last_batch(planned)
    about = {**about, "learned": tuple(dict.fromkeys([*about["learned"], *run.about.learned]))}
    begun = planned.config.model_copy(update={"init_from": _reference(run)})
    return replace(planned, config=begun, about=about, origin=_in_words(run, new))


def _last(planned: Plan) -> list[Tensor]:
    """What the last layer holds; nothing in a network that has none, and then all layers learn."""
    try:
        layer = models.last_layer(planned.model, planned.about["image_shape"])[1]
    except ModelError:
        if planned.config.freeze:
            raise
        return []
    return [*layer.state_dict(keep_vars=True).values()]


def _reference(run: Run) -> str:
    """What leads to a run: its name, or its folder if that is not among the others."""
    here = run.folder.parent.resolve() == runs_folder().resolve()
    return run.name if here else str(run.folder.absolute())


def _same_data(planned: Plan, run: Run) -> bool:
    """Whether the classes are the run's: a name of the catalogue says it, and else the images themselves."""
    name = planned.config.data
    known = name == run.config.data and name in data.DATASETS
    return known or planned.about.get("data_fingerprint", "") == run.about.data_fingerprint != ""


def _in_words(run: Run, new: set[str]) -> str:
    layers = sorted({name.rpartition(".")[0] or name for name in new})
    return f"Begins with the weights of run {run.name}" + (f"; new: {', '.join(layers)}." if layers else ".")


def network_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs of the network whose weights are taken; what the user gave goes before them.

    Args:
        given: the knobs that the user gave, in a file, as options or as keywords.

    Returns:
        None at all without `init_from`, and where the network is the user's own.

    Raises:
        RunNotFound: there is no such run.
        ModelError: see `network_knobs`; or the user gave another model than the run's.
    """
    model = given.get("model")
    if not given.get("init_from") or ":" in (model or ""):
        return {}
    origin = given["init_from"]
    knobs = {"model": "efficientnet"} if origin == IMAGENET else network_knobs(load_run(origin))
    if model not in (None, knobs["model"]):
        raise ModelError(
            f"The network of {origin} is {knobs['model']}: its weights are not for {model}.",
            hint="Leave the model out: it is then the right one.",
        )
    return knobs


def network_knobs(run: Run) -> dict[str, Any]:
    """The knobs that make a network like a run's.

    Raises:
        ModelError: it was the user's own: no knobs lead to it.
    """
    name = run.config.model
    if name not in models.MODELS:
        raise ModelError(
            f"The network of run '{run.name}' is not one of handlens' own: {name}.", hint="Give the same --model FILE.py:Class."
        )
    return {"model": name, "normalize": run.config.normalize, **{knob: getattr(run.config, knob) for knob in models.KNOBS[name]}}


@torch.no_grad()
def take_over(model: nn.Module, run: Run, *, without: Sequence[Tensor] = ()) -> set[str]:
    """Put into a network what a run has learned: tensor after tensor, up to the first whose name or shape is another one.

    What comes behind that one has learned to read what the run's own layers gave it.

    Args:
        model: the new network, with its first weights; changed in place.
        run: where the others come from; its own network need not be there.
        without: tensors of the network that are left alone.

    Returns:
        The names of the tensors that stayed as they were, but for those that belong to the images.

    Raises:
        ModelError: the two networks have nothing in common.
        RunDamaged: the run's checkpoint is damaged.
    """
    source, kept = run.weights(), {id(tensor) for tensor in without}
    target = {name: tensor for name, tensor in model.state_dict(keep_vars=True).items() if name not in _OF_THE_IMAGES}
    wanted = {name: tensor for name, tensor in target.items() if id(tensor) not in kept}
    fitting = set(itertools.takewhile(lambda name: _shape(source.get(name)) == _shape(wanted[name]), wanted))
    if not fitting:
        raise _nothing_fits(model, run, wanted, source)
    for name in fitting:
        target[name].copy_(source[name])
    return target.keys() - fitting


def _nothing_fits(model: nn.Module, run: Run, wanted: Mapping[str, Tensor], source: Mapping[str, Tensor]) -> ModelError:
    what = f"Nothing in run '{run.name}' fits this {type(model).__name__}"
    first = next(iter(wanted), None)
    if first is None:
        return ModelError(f"{what}: it has one layer, which is for other classes.", hint="Only layers before the last are taken over.")
    return ModelError(
        f"{what}: {first} is {_shape(wanted[first])} here, and {_shape(source.get(first))} there.",
        hint="Both need the same layers, in the same sizes, from the first one on.",
    )


def _shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else "x".join(map(str, tensor.shape)) or "one number"


def few_examples(run: Run, config: Config, counts: Sequence[int], seeds: Sequence[int] = (1, 2, 3)) -> Iterator[FewExamples]:
    """Train on few images, with random weights and with a run's, and measure each network on the test images.

    Args:
        run: whose weights are taken.
        config: what is trained; its network is one like the run's, or the user's own if it names one.
        counts: numbers of training images.
        seeds: each training is done once for each.

    Yields:
        One result a training, as it ends. Nothing is kept on disk.

    Raises:
        UsageError: there are not so many images, or the run has learned these already.
        ModelError: see `network_knobs` and `take_over`.
    """
    dataset, network = data.load(config.data, val=0), {} if ":" in config.model else network_knobs(run)
    if dataset.name == run.config.data:
        raise UsageError(f"Run '{run.name}' has learned the images of {dataset.name} already.", hint="Take another data set: --data NAME.")
    if max(counts) > len(dataset.train):
        raise UsageError(
            f"Only {counted(len(dataset.train), 'training image is', 'training images are')} in {dataset.name}.",
            hint="Choose smaller --examples.",
        )
    for count in counts:
        for seed in seeds:
            for way, knobs in WAYS.items():
                origin = str(run.folder.absolute()) if knobs["init_from"] else ""
                chosen = {"examples": count, "seed": seed, "val": 0, "data": config.data, **knobs, "init_from": origin}
                planned = plan_new(make_config({**config.model_dump(), **network, **chosen}), images=dataset)
                with trying(planned):
                    state = planned.state()
                    for _row in train(state, planned.loader, epochs=planned.config.epochs):
                        pass
                logits = models.predict_logits(state.network, dataset.test.images)
                yield FewExamples(way, count, seed, (logits.argmax(1) == dataset.test.labels).float().mean().item())


@dataclass(frozen=True)
class FewExamples:
    """What one training reached: the way it began (a key of `WAYS`), its number of images, its seed, and the test accuracy."""

    way: str
    count: int
    seed: int
    accuracy: float


WAYS: dict[str, dict[str, Any]] = {
    "random weights": {"init_from": "", "freeze": False},
    "weights of the run, all layers learn": {"init_from": "RUN", "freeze": False},
    "weights of the run, only the last layer learns": {"init_from": "RUN", "freeze": True},
}


def repeat_plan(run: Run) -> Plan:
    """The training of a run once more: its config, its data, and its very first weights.

    Raises:
        ModelError, UsageError: no name leads back to its network or data.
    """
    # The file of a network of one's own was compared with what its user named when the network was made; no other file is taken along.
    names = ("frozen", "learned", "model_options", *(("model_file", "model_sha256") if ":" in run.config.model else ()))
    about = {name: getattr(run.about, name) for name in names}
    planned = assemble(run.config, run.model("start"), run.dataset(), about=about)
    if planned.about["data_fingerprint"] != run.about.data_fingerprint:
        added = run.config.with_data
        why = (
            "Your own digits have changed since."
            if added == MINE
            else f"It learned from '{added}' too, which is not here."
            if added
            else ""
        )
        raise UsageError(f"Run '{run.name}' cannot be repeated: its images are others now.", hint=f"{why} Train anew.".strip())
    return planned
