"""Numbers in, figures out: one function a figure. The only user of matplotlib, without its global state."""

from __future__ import annotations

from handlens.plots.curves import plot_compare, plot_curves
from handlens.plots.inspection import plot_inspection
from handlens.plots.lines import plot_few_examples, plot_learning_rates, plot_line_fit, plot_line_losses
from handlens.plots.matrix import plot_confusion_matrix
from handlens.plots.pixels import image_png, weights_png
from handlens.plots.reliability import plot_calibration
from handlens.plots.style import DARK, LIGHT, Picture, Theme, img_tag, png
from handlens.plots.tiles import plot_mistakes, plot_predictions, plot_samples, plot_weights, signed_limit

__all__ = [
    "DARK",
    "LIGHT",
    "PLOTS",
    "Picture",
    "Theme",
    "image_png",
    "img_tag",
    "plot_calibration",
    "plot_compare",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_few_examples",
    "plot_inspection",
    "plot_learning_rates",
    "plot_line_fit",
    "plot_line_losses",
    "plot_mistakes",
    "plot_predictions",
    "plot_samples",
    "plot_weights",
    "png",
    "signed_limit",
    "weights_png",
]

PLOTS = {
    "samples": plot_samples,
    "curves": plot_curves,
    "confusion_matrix": plot_confusion_matrix,
    "predictions": plot_predictions,
    "mistakes": plot_mistakes,
    "weights": plot_weights,
    "calibration": plot_calibration,
    "compare": plot_compare,
    "learning_rates": plot_learning_rates,
    "few_examples": plot_few_examples,
    "line_fit": plot_line_fit,
    "line_losses": plot_line_losses,
    "inspection": plot_inspection,
}
