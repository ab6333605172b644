"""When the device's memory does not suffice: what would."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from handlens import models
from handlens.errors import TrainingError
from handlens.train import Loader
from handlens.words import counted


def ran_out(error: BaseException) -> bool:
    """Whether the error says that the card's or the processor's memory is used up."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in ("can't allocate memory", "out of memory"))


def explain(model: nn.Module, loader: Loader) -> TrainingError:
    """One sentence with the largest batch that fits, found by trying."""
    images, labels = next(iter(loader))
    largest = largest_batch(model, images, labels)
    place = models.device_of(model)
    what = f"A batch of {counted(len(labels), 'image')} does not fit into the memory of {place}; the largest that does has {largest}."
    if largest == 0:
        return TrainingError(f"Not even one image fits into the memory of {place}.", hint="Make the network smaller.")
    return TrainingError(what, hint=f"Use --batch-size {largest}")


def largest_batch(model: nn.Module, images: Tensor, labels: Tensor) -> int:
    """The largest part of a batch with which one step forward and back works; 0 if none. Found by halving, to 1 in 16.

    There is then room left for what Adam remembers, two numbers for each weight, as if nothing of it were there yet: with SGD, or after the
    first step, somewhat more may fit.
    """
    fits, fails = 0, len(labels)
    while fails - fits > max(1, fits // 16):
        tried = (fits + fails) // 2
        if _step_fits(model, images[:tried], labels[:tried]):
            fits = tried
        else:
            fails = tried
    return fits


def _step_fits(model: nn.Module, images: Tensor, labels: Tensor) -> bool:
    place = models.device_of(model)
    try:
        history = [torch.empty_like(weights) for weights in model.parameters() if weights.requires_grad for _ in range(2)]
        cross_entropy(model(images.to(place)), labels.to(place)).backward()
        del history
    except RuntimeError as error:
        if ran_out(error):
            return False
        raise
    except ValueError:  # batch norm, of one image
        return True
    finally:
        model.zero_grad(set_to_none=True)
        if place.type == "cuda":
            torch.cuda.empty_cache()
    return True
