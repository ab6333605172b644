"""Numbers in, figures out: one function a figure. The only user of matplotlib, without its global state."""

from __future__ import annotations

from handlens.plots.ablation import plot_ablation
from handlens.plots.attributions import heat, plot_attributions
from handlens.plots.curves import plot_compare, plot_curves
from handlens.plots.embedding import plot_embedding, positions
from handlens.plots.form import plot_form
from handlens.plots.graph import plot_graph
from handlens.plots.hand import Share, plot_hand
from handlens.plots.health import plot_health
from handlens.plots.inspection import plot_inspection
from handlens.plots.lines import plot_few_examples, plot_learning_rates, plot_line_fit, plot_line_losses
from handlens.plots.maps import plot_activations, plot_features, plot_filters
from handlens.plots.matrix import plot_confusion_matrix
from handlens.plots.pairs import Pairs, plot_pairs
from handlens.plots.panels import Panel, plot_panels
from handlens.plots.pixels import image_png, weights_png
from handlens.plots.prediction import plot_prediction, plot_sheet
from handlens.plots.reliability import plot_calibration
from handlens.plots.rows import ImageRow, plot_rows
from handlens.plots.style import DARK, LIGHT, Picture, Theme, img_tag, pdf, png
from handlens.plots.suspects import plot_suspects
from handlens.plots.sweeps import Cloud, HeatMap, Level, plot_effects, plot_heat_maps, plot_many_curves, plot_parallel, plot_ranges
from handlens.plots.temperature import plot_temperature
from handlens.plots.tiles import plot_mistakes, plot_predictions, plot_samples, plot_weights, signed_limit

__all__ = [
    "DARK",
    "LIGHT",
    "PLOTS",
    "Cloud",
    "HeatMap",
    "ImageRow",
    "Level",
    "Pairs",
    "Panel",
    "Picture",
    "Share",
    "Theme",
    "heat",
    "image_png",
    "img_tag",
    "pdf",
    "plot_ablation",
    "plot_activations",
    "plot_attributions",
    "plot_calibration",
    "plot_compare",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_effects",
    "plot_embedding",
    "plot_features",
    "plot_few_examples",
    "plot_filters",
    "plot_form",
    "plot_graph",
    "plot_hand",
    "plot_health",
    "plot_heat_maps",
    "plot_inspection",
    "plot_learning_rates",
    "plot_line_fit",
    "plot_line_losses",
    "plot_many_curves",
    "plot_mistakes",
    "plot_pairs",
    "plot_panels",
    "plot_parallel",
    "plot_prediction",
    "plot_predictions",
    "plot_ranges",
    "plot_rows",
    "plot_samples",
    "plot_sheet",
    "plot_suspects",
    "plot_temperature",
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
    "rows": plot_rows,
    "panels": plot_panels,
    "temperature": plot_temperature,
    "suspects": plot_suspects,
    "learning_rates": plot_learning_rates,
    "few_examples": plot_few_examples,
    "line_fit": plot_line_fit,
    "line_losses": plot_line_losses,
    "inspection": plot_inspection,
    "prediction": plot_prediction,
    "sheet": plot_sheet,
    "form": plot_form,
    "pairs": plot_pairs,
    "hand": plot_hand,
    "graph": plot_graph,
    "filters": plot_filters,
    "activations": plot_activations,
    "features": plot_features,
    "attributions": plot_attributions,
    "embedding": plot_embedding,
    "health": plot_health,
    "heat_maps": plot_heat_maps,
    "effects": plot_effects,
    "parallel": plot_parallel,
    "ranges": plot_ranges,
    "many_curves": plot_many_curves,
    "ablation": plot_ablation,
}
