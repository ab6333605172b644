"""Which pixels an answer hangs on: four ways to ask, each with its own blind spots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handlens import metrics, models
from handlens.errors import UsageError
from handlens.explain.subject import Images, Subject, Targets, class_targets, find_layer, float_images, network
from handlens.explain.trace import trace
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.plots import Picture, Theme

_BATCH = 100


_POOLINGS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.AvgPool2d, nn.MaxPool2d)


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each pixel of each image has to do with the logit of one class.

    Attributes:
        method: `saliency`, `integrated-gradients`, `gradcam` or `occlusion`.
        images: `float32` N,C,H,W in [0, 1].
        maps: `float32` N,H,W.
        targets: `int64` N, the class whose logit was asked about.
        logits: `float32` N,K.
        layer: where Grad-CAM looked; else empty.
    """

    method: str
    images: NDArray[np.float32]
    maps: NDArray[np.float32]
    targets: NDArray[np.int64]
    logits: NDArray[np.float32]
    layer: str = ""

    @property
    def signed(self) -> bool:
        """Whether pixels can speak against the class too, with a value below zero."""
        return self.method in ("integrated-gradients", "occlusion")

    @property
    def predictions(self) -> NDArray[np.int64]:
        """N: the class with the highest logit."""
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """N: how sure the network is of what it predicts, 0 to 1."""
        return np.asarray(metrics.probabilities(self.logits).max(axis=1))

    def __repr__(self) -> str:
        where = f" of layer {self.layer}" if self.layer else ""
        return f"Attribution({self.method}{where}: {counted(len(self.images), 'image')} {'x'.join(map(str, self.images.shape[1:]))})"

    def lines(self, classes: Sequence[str], labels: Sequence[int] | None = None) -> list[tuple[str, ...]]:
        """What to write below each image: the answer, what it is (if `labels` are given), and the class asked about if that is another."""
        from handlens.plots.style import percent

        sure = self.probabilities.tolist()
        made = [[f"{classes[answer]} ({percent(sure[place])})"] for place, answer in enumerate(self.predictions.tolist())]
        for place, (target, answer) in enumerate(zip(self.targets.tolist(), self.predictions.tolist(), strict=True)):
            made[place] += [f"true: {classes[labels[place]]}"] if labels is not None else []
            made[place] += [f"asked: why {classes[target]}"] if target != answer else []
        return [tuple(lines) for lines in made]

    def show(self, classes: Sequence[str] | None = None, labels: Sequence[int] | None = None, theme: Theme | None = None) -> Picture:
        """Each image beside its map; with the names of the classes, and right or wrong if the labels are given."""
        from handlens import plots

        names = classes or [str(number) for number in range(self.logits.shape[1])]
        right = None if labels is None else [bool(one == other) for one, other in zip(self.predictions, labels, strict=True)]
        return plots.plot_attributions(self.images, self.maps, self.lines(names, labels), right, self.method, theme or plots.LIGHT)


def saliency(subject: Subject, images: Images, targets: Targets = None) -> Attribution:
    """How fast the logit changes with each pixel: the gradient's size, the largest of the channels (Simonyan et al. 2014, section 3).

    Args:
        subject: a run or any network.
        images: as for `float_images`.
        targets: the class asked about, for all images or for each; what is predicted if None.

    Raises:
        UsageError: images or targets that cannot be.
        ModelError: the network does not accept the images.
        TrainingError: a logit is infinite or not a number.
    """
    return _attribute("saliency", subject, (images, targets), lambda model, batch, chosen: _gradient(model, batch, chosen).abs().amax(1))


def integrated_gradients(subject: Subject, images: Images, targets: Targets = None, *, steps: int = 50) -> Attribution:
    """The gradient's mean on the straight way from black to the image, times the image (Sundararajan et al. 2017).

    A map sums to the image's logit less the logit of a black image (completeness), as exactly as `steps` points tell the mean.

    Args:
        subject: as for `saliency`, like the next two.
        images: of N,C,H,W or C,H,W.
        targets: the class asked about.
        steps: points on the way (Gauss-Legendre quadrature).

    Raises:
        HandlensError: as for `saliency`; or there is no step.
    """
    if steps < 1:
        raise UsageError(f"{steps} steps lead nowhere.", hint="50 are usual.")
    points, shares = np.polynomial.legendre.leggauss(steps)

    def integrate(model: nn.Module, batch: Tensor, chosen: Tensor) -> Tensor:
        way = zip(((points + 1) / 2).tolist(), (shares / 2).tolist(), strict=True)
        mean = sum((_gradient(model, batch * far, chosen) * share for far, share in way), torch.zeros_like(batch))
        return (batch * mean).sum(1)

    return _attribute("integrated-gradients", subject, (images, targets), integrate)


def gradcam(subject: Subject, images: Images, targets: Targets = None, *, layer: str | None = None) -> Attribution:
    """Where the maps of a convolution speak for the class: their sum, each weighted by its mean gradient (Selvaraju et al. 2017).

    Args:
        subject: as for `saliency`, like the next two.
        images: of N,C,H,W or C,H,W.
        targets: the class asked about.
        layer: the name of a layer that gives maps, and `NAME#2` for the second time that it is used; if None the last convolution with its
            activation, or the sum that it goes into.

    Raises:
        HandlensError: as for `saliency`; or there is no such layer, it gives no maps, or the network has no convolution.
    """
    model = network(subject)
    name = layer or last_maps(model, float_images(images))
    used, _, time = name.partition("#")
    chosen_layer = find_layer(model, used)

    def weigh(model: nn.Module, batch: Tensor, chosen: Tensor) -> Tensor:
        maps, gradients = _maps_and_gradients(model, (chosen_layer, int(time) if time.isdecimal() else 1), batch, chosen)
        if maps.ndim != 4:
            raise UsageError(f"Layer '{name}' gives no maps.", hint=f"Choose a convolution: {last_maps(model, batch)}")
        seen = (gradients.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True).relu()
        return torch.nn.functional.interpolate(seen, batch.shape[2:], mode="bilinear", align_corners=False)[:, 0]

    return _attribute("gradcam", model, (images, targets), weigh, name)


def occlusion(
    subject: Subject, images: Images, targets: Targets = None, *, window: int | None = None, stride: int | None = None
) -> Attribution:
    """How much of the logit is lost when a square of the image is black: the mean over all squares that cover a pixel (Zeiler 2014).

    Args:
        subject: as for `saliency`, like the next two.
        images: of N,C,H,W or C,H,W.
        targets: the class asked about.
        window: side of the square in pixels; a seventh of the image's height if None.
        stride: by how many pixels it moves; half the window if None.

    Raises:
        HandlensError: as for `saliency`; or a window or stride that cannot be.
    """
    height, width = float_images(images).shape[2:]
    side = max(1, round(height / 7)) if window is None else window
    step = max(1, side // 2) if stride is None else stride
    if not (1 <= step <= side <= min(height, width)):
        raise UsageError(
            f"A window of {side} pixels that moves by {step} does not cover an image of {height}x{width}.",
            hint="1 <= stride <= window <= the image.",
        )

    def hide(model: nn.Module, batch: Tensor, chosen: Tensor) -> Tensor:
        whole = _scores(model, batch, chosen)
        lost, covered = torch.zeros_like(batch[:, 0]), torch.zeros_like(batch[0, 0])
        for top in range(0, height - side + step, step):
            for left in range(0, width - side + step, step):
                square = (slice(top, top + side), slice(left, left + side))
                hidden = batch.clone()
                hidden[:, :, square[0], square[1]] = 0
                lost[:, square[0], square[1]] += (whole - _scores(model, hidden, chosen))[:, None, None]
                covered[square] += 1
        return lost / covered

    return _attribute("occlusion", subject, (images, targets), hide)


def last_maps(model: nn.Module, images: Tensor) -> str:
    """The name of the last layer that gives maps as large as those of the last convolution: it, or its batch norm or activation.

    Raises:
        UsageError: the network has no convolution.
    """
    steps = trace(model, images[:1])
    last = max((number for number, step in enumerate(steps) if isinstance(step.module, nn.Conv2d)), default=None)
    if last is None:
        raise UsageError(
            f"{type(model).__name__} has no convolution, and Grad-CAM weighs the maps of one.",
            hint="Ask by saliency, integrated-gradients or occlusion instead.",
        )
    as_large = [step for step in steps[last:] if step.module and step.output.shape == steps[last].output.shape]
    return [step.name for step in as_large if not isinstance(step.module, _POOLINGS)][-1]


def _attribute(
    method: str,
    subject: Subject,
    asked: tuple[Images, Targets],
    make: Callable[[nn.Module, Tensor, Tensor], Tensor],
    layer: str = "",
) -> Attribution:
    """Make the maps batch by batch, with the layers as in use."""
    model, images = network(subject), float_images(asked[0])
    logits = models.predict_logits(model, images)
    metrics.check_finite(logits.numpy())
    targets = class_targets(asked[1], logits)
    where = models.device_of(model)
    with models.evaluating(model):
        batches = zip(images.split(_BATCH), targets.split(_BATCH), strict=True)
        maps = torch.cat([make(model, some.to(where), chosen.to(where)).cpu() for some, chosen in batches])
    return Attribution(method, images.cpu().numpy(), maps.numpy(), targets.numpy(), logits.numpy(), layer)


def _scores(model: nn.Module, batch: Tensor, chosen: Tensor) -> Tensor:
    """N: the logit of each image's chosen class."""
    logits: Tensor = model(batch)
    return logits.gather(1, chosen[:, None])[:, 0]


def _gradient(model: nn.Module, batch: Tensor, chosen: Tensor) -> Tensor:
    """N,C,H,W: of the chosen logit by each pixel."""
    with torch.enable_grad():
        pixels = batch.detach().requires_grad_()
        return torch.autograd.grad(_scores(model, pixels, chosen).sum(), pixels)[0]


def _maps_and_gradients(model: nn.Module, used: tuple[nn.Module, int], batch: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """What a layer gives when it is used for the first, second, ... time, and the gradient of the chosen logit by it."""
    (layer, time), kept = used, list[Tensor]()

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        kept.append(output)
        return output.clone()  # what comes next may write into it

    hook = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            total = _scores(model, batch.detach().requires_grad_(), chosen).sum()
            if not 0 < time <= len(kept) or not isinstance(kept[time - 1], Tensor):
                often = f" {counted(time, 'time')}" if kept else ""
                raise UsageError(f"The network does not use this {type(layer).__name__} as a layer{often}.", hint="Choose a convolution.")
            return kept[time - 1].detach(), torch.autograd.grad(total, kept[time - 1])[0]
    finally:
        hook.remove()
