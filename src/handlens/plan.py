"""A training that could begin: config, network and pictures looked at together, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from handlens import data as datasets
from handlens import device, loaders, models, named, seeds
from handlens.config import FIELDS, OWN, Config, make_config
from handlens.data import Dataset, Split, batches, make_change
from handlens.data.batches import Batches
from handlens.errors import DataError, ModelError, UsageError
from handlens.optim import make_optimizer
from handlens.schedules import SCHEDULES
from handlens.train import Average, Loader, State, make_loss

Model = nn.Module | Callable[[], nn.Module]
_MOST_THREADS = 4
_WORTH_SHARING = 1 << 25  # multiplications of a step, forward


@dataclass
class Plan:
    """A training that could begin: everything was looked at and fits, and nothing is written yet.

    Attributes:
        config: every knob, with the number of threads decided.
        model: the network with its first weights, on its device.
        loader: the batches to learn from.
        dataset: where they come from, whole; None if that is the user's own loader.
        val: images and labels to watch by.
        class_weights: what each class counts in the loss, K numbers; None if all count alike.
        about: how to make the network again.
        remark: what is odd about the network, in words; usually nothing.
        origin: where its first weights come from, in words; nothing if they are random.
    """

    config: Config
    model: nn.Module
    loader: Loader
    dataset: Dataset | None
    val: tuple[Tensor, Tensor] | None
    class_weights: Tensor | None = None
    about: dict[str, Any] = field(default_factory=dict)
    remark: str = ""
    origin: str = ""

    @property
    def place(self) -> str:
        """Where and how it is calculated, in words: what `auto` has chosen, and what differs from the plainest way."""
        memory = ("channels last",) if self.config.channels_last else ()
        return device.title(models.device_of(self.model), self.config.threads, self.config.precision, *memory)

    def state(self) -> State:
        """The training before its first step."""
        knobs = self.config
        own = {name: getattr(knobs, name) for name in ("lr", "momentum", "weight_decay", "beta2")}
        optimizer = make_optimizer(self.model, knobs.optimizer, **own)
        return State(
            self.model,
            optimizer,
            SCHEDULES[knobs.schedule],
            knobs.seed,
            loss=make_loss(knobs.label_smoothing, self.class_weights),
            accumulate=knobs.accumulate,
            clip=knobs.clip,
            amp=knobs.precision == "bfloat16",
            average=Average(self.model, knobs.ema) if knobs.ema else None,
        )


def plan(config: Config, model: Model | None = None, data: object = None, *, val: object = None) -> Plan:
    """Look at everything that a new training needs.

    Args:
        config: every knob.
        model: your own network, or a function that makes it; None makes the config's.
        data: anything `handlens.data.as_dataset` takes, or a `DataLoader`; None loads the config's.
        val: with a `DataLoader`: another one, or images and labels, to watch by.

    Raises:
        ModelError: the network does not fit the images or the classes.
        DataError: the images cannot be had, or are not what they should be.
    """
    dataset: Dataset | DataLoader[Any]
    if isinstance(data, DataLoader):
        dataset = data
        config = config.model_copy(update={"data": OWN + "loader", "batch_size": data.batch_size or config.batch_size})
    elif data is not None:
        dataset = datasets.as_dataset(data, val=config.val)
        known = datasets.is_known(dataset.name)
        knobs = {"data": dataset.name, "val": _share(dataset)} if known else {"data": OWN + dataset.name}
        config = config.model_copy(update=knobs)
    else:
        dataset = datasets.load(config.data, val=config.val)
        config = config.model_copy(update={"data": dataset.name})  # a folder that was imported has a name from now on
    if isinstance(dataset, Dataset):
        dataset = datasets.with_added(dataset, config.with_data)
    network, knobs, about = _make_network(config, model, dataset)
    return assemble(make_config({**config.model_dump(), **knobs}), network, dataset, about=about, val=val)


def _share(dataset: Dataset) -> float:
    """The share of the images for training that is kept apart."""
    return round(len(dataset.val) / max(1, len(dataset.val) + len(dataset.train) - dataset.added), 6)


def _threads(config: Config, model: nn.Module, image_shape: tuple[int, ...]) -> int:
    """One thread for small steps: sharing them gains little, and when another program wants a processor costs many times the step.

    Never more than four, so that the bits of a result depend on the machine as little as can be.
    """
    if config.threads:
        return config.threads
    small = config.batch_size * models.count_multiplications(model, image_shape) < _WORTH_SHARING
    return 1 if small else min(torch.get_num_threads(), _MOST_THREADS)


def assemble(
    config: Config, model: nn.Module, data: Dataset | DataLoader[Any], *, about: dict[str, Any] | None = None, val: object = None
) -> Plan:
    """Put a network and its pictures together; see `plan`.

    Raises:
        ModelError: they do not fit each other.
    """
    with seeds.seeded("weights", config.seed):  # a lazy layer makes its weights when it sees the first image
        planned = _with_loader(config, model, data, val) if isinstance(data, DataLoader) else _with_dataset(config, model, data, val)
    if config.patience and planned.val is None:
        raise UsageError("patience needs validation images, and there are none.", hint="Leave out --patience, or use --val 0.1.")
    learned = dict.fromkeys([*(about or {}).get("learned", ()), *planned.about.get("learned", ())])
    about = {**(about or {}), **planned.about, "learned": tuple(learned)}
    about["frozen"] = _freeze(model, config, about)
    settings = {
        "threads": _threads(config, model, about["image_shape"]),
        "precision": device.choose_precision(config.precision, models.device_of(model)),
    }
    planned = replace(planned, config=config.model_copy(update=settings), about=about)
    check_last_batch(planned)
    return planned


def _freeze(model: nn.Module, config: Config, about: dict[str, Any]) -> tuple[str, ...] | None:
    """Keep weights as they are: those of the run that is repeated, or all before the last layer; or those that its user has frozen."""
    frozen = about.get("frozen")
    if frozen is None and config.freeze:
        frozen = models.before_last(model, about["image_shape"])
    if frozen is None:
        frozen = tuple(name for name, weights in model.named_parameters() if not weights.requires_grad) or None
    models.set_learning(model, frozen or (), False)
    return frozen


def _with_loader(config: Config, model: nn.Module, loader: DataLoader[Any], val: object) -> Plan:
    """A loader of the user's own gives what it gives."""
    loaders.check_idle(config)
    shape, count, remark = loaders.check_loader(model, loader)
    watched = None if val is None else loaders.collect(val, shape, count)
    return Plan(config, _placed(model, config), loader, None, watched, about={"image_shape": shape}, remark=remark)


def _placed(model: nn.Module, config: Config) -> nn.Module:
    order = torch.channels_last if config.channels_last else torch.preserve_format
    return model.to(device.choose(config.device), memory_format=order)  # type: ignore[no-any-return,call-overload]


def _with_dataset(config: Config, model: nn.Module, data: Dataset, val: object) -> Plan:
    place, classes, train = device.choose(config.device), data.classes, data.few(config.examples).epoch
    if val is not None:
        raise UsageError("val goes with a DataLoader; with other data it is a share, such as val=0.1.")
    remark = _check_images(model, train)
    change = make_change(config.augment, len(classes), mixup=config.mixup, cutmix=config.cutmix)
    return Plan(
        config,
        _placed(model, config),
        replace(
            batches(train, config.batch_size, seed=config.seed, device=place, change=change), part=config.epoch_part, shift=config.shift
        ),
        data,
        (data.val.images.to(place), data.val.labels) if len(data.val) else None,
        _class_weights(train).to(place) if config.class_weights else None,
        {
            "classes": classes,
            "ink": data.ink,
            "data_fingerprint": data.fingerprint,
            "image_shape": data.image_shape,
            "learned": tuple(filter(None, (data.name, config.with_data))),
        },
        remark,
    )


def _class_weights(train: Split) -> Tensor:
    """The more images a class has, the less each of them counts: K numbers, 1 for all if there are equally many."""
    counts = torch.bincount(train.labels, minlength=len(train.classes))
    return counts.sum() / (len(counts) * counts.clamp_min(1))


def _check_images(model: nn.Module, train: Split) -> str:
    """Whether the network can learn from these images; gives a remark, usually none."""
    if len(train) == 0:
        raise DataError(f"There are no training images in {train.name}.", hint="A smaller --val leaves more of them to learn from.")
    return models.check_fits(model, train.images[: loaders.PREVIEW], train.classes)


def check_last_batch(planned: Plan) -> None:
    """Whether the network can learn from an image alone, if the last batch of an epoch is one.

    Raises:
        ModelError: it cannot.
    """
    if planned.dataset is None or not isinstance(planned.loader, Batches):
        return
    count, batch_size = planned.loader.size, planned.config.batch_size
    alone = count % batch_size == 1 or batch_size == 1
    if alone and models.needs_company(planned.model, planned.dataset.image_shape):
        raise ModelError(
            f"{count:,} images in batches of {batch_size} leave one image alone; batch norm needs at least two to compare.",
            hint=f"Use --batch-size {batch_size + 1}, or no batch norm.",
        )


def _make_network(config: Config, model: Model | None, data: Dataset | DataLoader[Any]) -> tuple[nn.Module, dict[str, Any], dict[str, Any]]:
    """The network, the knobs that name it, and what is needed to make it again."""
    if model is None and ":" in config.model:
        return _from_file(config)
    if model is None:
        if isinstance(data, DataLoader):
            raise UsageError("With a DataLoader of your own, give a network of your own too.", hint="hl.fit(model, loader, ...)")
        model = models.build(config.model, **_task(config, data))
    elif not isinstance(model, nn.Module):
        with seeds.seeded("weights", config.seed):
            model = models.call_maker(model, getattr(model, "__name__", "the function that makes the network"))
    for name, known in models.MODELS.items():
        if isinstance(model, models.Classifier) and type(model) is known:
            options = {key: value for key, value in model.options.items() if key in FIELDS}
            knobs = {"model": name, "normalize": model.normalized, **_idle(name), **options}
            return model, knobs, {"model_options": model.options}
    return model, {"model": OWN + type(model).__name__, **_idle(OWN)}, {}


def _idle(name: str) -> dict[str, Any]:
    """The knobs that a network of this name has not, as nobody gave them: a preset for another network may have."""
    return {knob: FIELDS[knob].default for knob in models.idle_knobs(name)}


def _task(config: Config, dataset: Dataset) -> dict[str, Any]:
    channels, height, _width = dataset.image_shape
    task = {**config.model_dump(), "in_channels": channels, "image_size": height, "num_classes": len(dataset.classes)}
    if config.normalize:
        mean, std = mean_and_std(dataset.few(config.examples).train.images)
        task |= {"mean": mean, "std": std}
    return task


def mean_and_std(images: Tensor) -> tuple[float, float]:
    """Mean and spread of all pixels of `uint8` images, in [0, 1], to four digits; from the counts of the 256 values, so exact."""
    counts = torch.bincount(images.flatten(), minlength=256).double()
    values = torch.arange(256, dtype=torch.float64) / 255
    mean = (counts * values).sum() / counts.sum()
    spread = ((counts * (values - mean) ** 2).sum() / counts.sum()).sqrt()
    return round(mean.item(), 4), round(spread.item(), 4)


def _from_file(config: Config) -> tuple[nn.Module, dict[str, Any], dict[str, Any]]:
    path = Path(config.model.rpartition(":")[0]).absolute()
    with seeds.seeded("weights", config.seed):
        model = models.from_file(config.model)
    return model, _idle(config.model), {"model_file": str(path), "model_sha256": named.remember(path)}
