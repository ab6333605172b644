"""Numbers in, figures out: one function a figure. The only user of matplotlib, without its global state."""

from __future__ import annotations

from handlens.plots.attributions import heat, plot_attributions
from handlens.plots.curves import plot_compare, plot_curves
from handlens.plots.embedding import plot_embedding, positions
from handlens.plots.graph import plot_graph
from handlens.plots.health import plot_health
from handlens.plots.maps import plot_activations, plot_features, plot_filters
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
    "heat",
    "image_png",
    "img_tag",
    "plot_activations",
    "plot_attributions",
    "plot_calibration",
    "plot_compare",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_embedding",
    "plot_features",
    "plot_filters",
    "plot_graph",
    "plot_health",
    "plot_mistakes",
    "plot_predictions",
    "plot_samples",
    "plot_weights",
    "png",
    "positions",
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
    "graph": plot_graph,
    "filters": plot_filters,
    "activations": plot_activations,
    "features": plot_features,
    "attributions": plot_attributions,
    "embedding": plot_embedding,
    "health": plot_health,
}
