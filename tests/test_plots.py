"""Figures say what they show, in text that can be read, whatever the classes are called; looked at by content, not by pixel."""

from __future__ import annotations

import html.parser
import io
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from gallery import DIGITS, FASHION, FIGURES, RNG, calibration, confusion, contrast, images, pairs_that_overlap, rows, texts, words
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from handlens import plots
from handlens.errors import UsageError

INSIDE = [
    "filters (32, 1, 3, 3)",
    "features (128,)",
    "activations",
    "attributions 10 gradcam",
    "embedding 10",
    "health 3",
    "graph resnet 8",
]


@pytest.mark.parametrize("name", FIGURES)
def test_text_is_large_enough_in_a_figure_no_wider_than_the_page_and_never_on_other_text(name: str) -> None:
    figure = FIGURES[name](plots.LIGHT)
    assert figure.get_size_inches()[0] <= 9.61
    seen = texts(figure)
    assert seen
    assert min(float(text.get_fontsize()) for text in seen) >= 8
    assert list(pairs_that_overlap(figure)) == []
    for text in seen:
        box = text.get_window_extent()
        assert min(box.x0, box.y0) >= -0.5, text
        assert max(box.x1 - figure.bbox.x1, box.y1 - figure.bbox.y1) <= 0.5, text


@pytest.mark.parametrize("theme", [plots.LIGHT, plots.DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "name",
    [
        "samples 8 digits",
        "predictions 8 digits",
        "mistakes 8 fashion",
        "curves 5",
        "compare 8",
        "calibration",
        "rows 10 T-shirt/top",
        "panels 7",
        "temperature",
        *INSIDE,
    ],
)
def test_text_and_lines_have_contrast_in_both_themes(name: str, theme: plots.Theme) -> None:
    figure = FIGURES[name](theme)
    assert to_hex(figure.get_facecolor()).upper() == theme.background
    for text in texts(figure):
        assert contrast(text.get_color(), theme.background) >= 4.5, text
    for axes in figure.axes:
        for line in axes.get_lines():
            assert contrast(line.get_color(), theme.background) >= 3, line.get_label()


@pytest.mark.parametrize("theme", [plots.LIGHT, plots.DARK], ids=["light", "dark"])
def test_counts_in_a_confusion_matrix_can_be_read_on_their_cell(theme: plots.Theme) -> None:
    figure = plots.plot_confusion_matrix(confusion(10), DIGITS, theme=theme)
    axes = figure.axes[0]
    image = axes.images[0]
    shares = image.get_array()
    assert shares is not None
    for text in axes.texts:
        column, row = (round(place) for place in text.get_position())
        cell = theme.faint if row == column else image.cmap(image.norm(shares[row, column]))[:3]
        assert contrast(text.get_color(), cell) >= 4.5, text


def test_right_and_wrong_differ_by_mark_and_by_colour_and_by_thickness() -> None:
    figure = plots.plot_predictions(images(2), ["7", "9"], ["7", "4"], [0.999, 0.5])
    assert words(figure)[0] == "1 of 2 predictions right"
    right, wrong = (next(text for text in texts(figure) if text.get_text().startswith(mark)) for mark in "✓✗")
    assert right.get_text() == "✓ 7 (99.9 %)"
    assert wrong.get_text() == "✗ 4 (50 %)"
    assert {"true: 7", "true: 9"} < set(words(figure))
    assert right.get_color() == plots.LIGHT.right == "#0072B2"
    assert wrong.get_color() == plots.LIGHT.wrong == "#B84A00"
    thin, thick = figure.axes[0].patches
    assert thick.get_linewidth() > thin.get_linewidth()
    assert to_hex(thick.get_edgecolor()).upper() == plots.LIGHT.wrong


def test_a_certainty_is_never_shown_that_the_network_does_not_have() -> None:
    shown = [
        words(plots.plot_predictions(images(1), ["a"], ["a"], [share]))[-2] for share in (1.0, 0.99999, 0.9999, 0.9996, 0.995, 0.4, 0.004)
    ]
    assert shown == ["✓ a (100 %)", "✓ a (99.99 %)", "✓ a (99.99 %)", "✓ a (99.96 %)", "✓ a (99.5 %)", "✓ a (40 %)", "✓ a (< 1 %)"]


@pytest.mark.parametrize("count", [1, 8, 16, 100])
def test_every_image_gets_a_tile_with_its_own_pixels(count: int) -> None:
    pictures = images(count)
    figure = plots.plot_samples(pictures, [str(number) for number in range(count)])
    tiles = figure.axes[0].images
    assert len(tiles) == count
    assert [text for text in words(figure) if text.isdigit()] == [str(number) for number in range(count)]
    last = tiles[-1].get_array()
    np.testing.assert_allclose(np.asarray(last), pictures[-1, 0] / 255)
    assert (tiles[-1].norm.vmin, tiles[-1].norm.vmax) == (0, 1)


def test_images_may_be_colour_or_floats_and_nothing_else() -> None:
    colour = images(2, channels=3)
    shown = plots.plot_samples(colour, ["a", "b"]).axes[0].images[1].get_array()
    np.testing.assert_allclose(np.asarray(shown), colour[1].transpose(1, 2, 0) / 255)
    odd = plots.plot_samples(np.array([[[[np.nan, -3.0], [0.5, 7.0]]]]), ["a"]).axes[0].images[0].get_array()
    assert np.asarray(odd).tolist() == [[0, 0], [0.5, 1]]
    for bad in (np.zeros((2, 2, 8, 8)), np.zeros((8, 8))):
        with pytest.raises(UsageError, match="cannot be shown"):
            plots.plot_samples(bad, ["a", "b"])
    with pytest.raises(UsageError, match="cannot be shown"):
        plots.plot_weights(np.zeros((10, 784)))


def test_mistakes_stand_most_wrong_first_by_loss_or_else_by_certainty() -> None:
    three = (images(3), ["a", "b", "c"], ["b", "c", "a"], [0.5, 0.9, 0.7])
    by_loss = [text for text in words(plots.plot_mistakes(*three, [3.0, 1.0, 2000.0])) if text.startswith(("true", "loss"))]
    assert by_loss == ["true: c", "loss 2e+03", "true: a", "loss 3.00", "true: b", "loss 1.00"]
    assert [text for text in words(plots.plot_mistakes(*three)) if text.startswith("true")] == ["true: b", "true: c", "true: a"]
    assert words(plots.plot_mistakes(images(0), [], [], [])) == ["No mistakes to show"]


def test_curves_are_labelled_and_hold_the_numbers() -> None:
    figure = plots.plot_curves(rows(4), best_epoch=3)
    loss, accuracy = figure.axes
    assert (loss.get_xlabel(), loss.get_ylabel(), accuracy.get_ylabel()) == ("epoch", "loss (cross-entropy)", "accuracy")
    train, val, best = loss.get_lines()
    assert [line.get_label() for line in (train, val, best)] == ["train", "val", "best epoch: 3"]
    assert np.asarray(train.get_ydata()).tolist() == [2, 1, 2 / 3, 0.5]
    assert np.asarray(best.get_xdata()).tolist() == [3, 3]
    assert not {train.get_linestyle(), train.get_marker(), train.get_color()} & {val.get_linestyle(), val.get_marker(), val.get_color()}
    percents = [float(word.split()[0]) for word in words(figure) if word.endswith("%")]
    assert 50 in percents
    assert max(percents) == 100


def test_curves_leave_out_rows_inside_an_epoch_and_a_split_that_is_missing() -> None:
    inside = {"epoch": 1, "step": 50, "train_loss": 9.0, "train_accuracy": 0.1}
    lines = plots.plot_curves([inside, *rows(2, val=False)]).axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["train"]
    assert np.asarray(lines[0].get_ydata()).tolist() == [2, 1]


@pytest.mark.parametrize("bad", [math.nan, math.inf, None])
def test_curves_say_where_the_numbers_stop(bad: float | None) -> None:
    figure = plots.plot_curves([*rows(3), {"epoch": 4, "train_loss": bad, "train_accuracy": 0.1}])
    assert "no number from epoch 4 on" in words(figure)
    assert np.isnan(np.asarray(figure.axes[0].get_lines()[0].get_ydata(), dtype=float)).tolist() == [False, False, False, True]


def test_one_epoch_and_none_are_drawn_with_whole_epochs() -> None:
    assert [word for word in words(plots.plot_curves(rows(1))) if word == "1"] == ["1", "1"]
    assert words(plots.plot_curves([])).count("no epoch is done yet") == 2


def test_confusion_matrix_says_which_way_round_it_is() -> None:
    matrix = np.array([[90, 10, 0], [0, 50, 0], [1, 0, 0]])
    axes = plots.plot_confusion_matrix(matrix, ["cat", "dog", "owl"]).axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class (rows)", "predicted class (columns)")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog", "owl"]
    cells = {tuple(round(place) for place in text.get_position()): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "90", (1, 0): "10", (1, 1): "50", (0, 2): "1"}  # x is the column; nothing is written for 0
    assert axes.get_title(loc="left") == "11 of 151 wrong"


def test_confusion_matrix_colours_mistakes_by_their_share_and_not_the_diagonal() -> None:
    shares = plots.plot_confusion_matrix(np.array([[90, 10, 0], [0, 50, 0], [1, 0, 0]]), ["a", "b", "c"]).axes[0].images[0]
    mask = np.ma.getmaskarray(np.ma.asarray(shares.get_array()))
    assert np.argwhere(~mask).tolist() == [[0, 1], [2, 0]]
    assert shares.norm.vmax == 1.0  # the only owl is taken for a cat: all of its row
    assert contrast(shares.cmap(0.0)[:3], plots.LIGHT.background) < 1.2
    assert contrast(shares.cmap(1.0)[:3], plots.LIGHT.background) > 10


@pytest.mark.parametrize("classes, named", [(26, 26), (100, 50)])
def test_confusion_matrix_of_many_classes_says_how_many_are_named(classes: int, named: int) -> None:
    figure = plots.plot_confusion_matrix(confusion(classes), [f"class {number}" for number in range(classes)])
    assert len(figure.axes[0].get_yticklabels()) == named
    assert ("every 2nd named" in figure.axes[0].get_ylabel()) == (named < classes)


def test_weights_share_one_scale_with_white_at_zero_and_a_colour_bar() -> None:
    weights = RNG.normal(size=(12, 1, 6, 6))
    figure = plots.plot_weights(weights)
    tiles = figure.axes[0].images
    assert len(tiles) == 12
    ((low, high),) = {tile.get_clim() for tile in tiles}
    assert (high or 0) == -(low or 0) > 0
    assert to_hex(tiles[0].cmap(0.5)).upper() == "#FFFFFF"
    assert to_rgb(tiles[0].cmap(0.05))[2] > to_rgb(tiles[0].cmap(0.05))[0]  # below zero blue, above orange
    assert to_rgb(tiles[0].cmap(0.95))[0] > to_rgb(tiles[0].cmap(0.95))[2]
    assert {"0", f"+{high:.2g}", f"−{high:.2g}"} <= set(words(figure))


def test_one_odd_weight_does_not_bleach_the_others() -> None:
    weights = RNG.normal(size=(10, 1, 28, 28))
    weights[3, 0, 5, 5] = 1e6
    assert plots.signed_limit(weights) < 5
    assert plots.signed_limit(np.zeros((1, 1, 2, 2))) == 1.0


def test_calibration_shows_bins_their_sizes_and_the_error() -> None:
    result = calibration()
    figure = plots.plot_calibration(result)
    above, below = figure.axes
    assert above.get_title(loc="left") == f"Calibration error (ECE) {result.ece * 100:.1f} %"
    assert "right" in above.get_ylabel()
    assert "sure" in below.get_xlabel()
    assert [text.get_text() for text in below.texts] == [str(count) for count in result.count if count]
    drawn = sum(len(np.asarray(line.get_xdata())) for line in above.get_lines()[1:])
    assert drawn == (result.count > 0).sum()
    assert "fewer than 30 images" in words(figure)


def test_compare_tells_runs_apart_without_colour() -> None:
    figure = plots.plot_compare({f"run-{number}": rows(3) for number in range(12)}, "val_loss")
    lines = figure.axes[0].get_lines()
    assert [str(line.get_label()).strip() for line in lines] == [f"run-{number}" for number in range(12)]
    styles = {(str(line.get_linestyle()), str(line.get_marker()), str(getattr(line, "_unscaled_dash_pattern", ""))) for line in lines}
    assert len(styles) == 12
    assert figure.axes[0].get_ylabel() == "loss (val)"


def test_effects_at_the_ends_of_the_scale_do_not_leave_it() -> None:
    figure = plots.plot_effects({"lr": [plots.Level("1", 0.0, 0.0, 0.0), plots.Level("2", 1.0, 1.0, 1.0)]})
    bars: Any = figure.axes[0].collections
    first, second = (bar.get_segments()[0] for bar in bars)
    assert (first[:, 1].tolist(), second[:, 1].tolist()) == ([0.0, 0.0], [1.0, 1.0])
    assert "100 %" in words(figure)
    assert not [word for word in words(figure) if word.startswith("1.")]


NAMES = st.text(st.characters(codec=None), max_size=40)


@settings(max_examples=15, deadline=None)
@given(st.lists(NAMES, min_size=3, max_size=3))
def test_class_names_of_any_letters_are_drawn_and_never_taken_for_formulas(names: list[str]) -> None:
    names[0] = "$\\frac{1}{$"
    for figure in (
        plots.plot_samples(images(3), names),
        plots.plot_confusion_matrix(confusion(3), names),
        plots.plot_compare({names[1]: rows(2)}),
        plots.plot_prediction([("what came in", "", images(1)[0])], dict(zip(names, (0.5, 0.3, 0.2), strict=True))),
        plots.plot_sheet(np.zeros((40, 60), np.uint8), [((5, 5, 20, 30), name, 0.9) for name in names]),
    ):
        assert plots.png(figure, dpi=20).startswith(b"\x89PNG")
    assert "$\\frac{1}{$" in words(plots.plot_samples(images(3), names))


def test_figures_do_not_depend_on_the_users_settings_and_leave_them_alone() -> None:
    before = dict(mpl.rcParams)
    usual = plots.png(plots.plot_curves(rows(5)), dpi=50)
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 30, "font.family": "serif", "axes.facecolor": "red", "text.color": "green", "savefig.bbox": "tight"}):
        assert min(float(text.get_fontsize()) for text in texts(plots.plot_curves(rows(5)))) < 12
        assert plots.png(plots.plot_curves(rows(5)), dpi=50) == usual


def test_drawing_never_imports_pyplot() -> None:
    code = "import sys, numpy; from handlens import plots; plots.png(plots.plot_weights(numpy.ones((4, 1, 3, 3))))"
    code += "; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_a_figure_is_an_image_tag_with_its_size_and_an_escaped_alternative() -> None:
    found: list[dict[str, str | None]] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append({"tag": tag, **dict(attrs)})

    Reader().feed(plots.img_tag(plots.plot_curves(rows(2)), alt='"><script>alert(1)</script>', width=480))
    assert [(tag["tag"], tag["alt"], tag["width"], tag["height"]) for tag in found] == [
        ("img", '"><script>alert(1)</script>', "480", "220")
    ]
    assert str(found[0]["src"]).startswith("data:image/png;base64,")


def test_a_figure_shows_itself_in_a_notebook_at_its_size() -> None:
    data, size = plots.plot_curves(rows(2))._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size == {"width": 691, "height": 317}


def test_png_is_the_same_each_time_and_as_large_as_asked() -> None:
    first = plots.png(plots.plot_curves(rows(3)), dpi=50)
    assert first == plots.png(plots.plot_curves(rows(3)), dpi=50)
    assert Image.open(io.BytesIO(first)).size == (360, 165)


def test_figures_drawn_at_the_same_time_are_the_same() -> None:
    def draw(_: int) -> bytes:
        names = FASHION[:8]
        return plots.png(plots.plot_predictions(np.full((8, 1, 4, 4), 9, np.uint8), names, names, [0.5] * 8), dpi=30)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(draw, range(24))) == {draw(0)}


def test_small_pictures_are_stored_pixel_for_pixel() -> None:
    grey, colour = images(1)[0, 0], images(1, channels=3)[0].transpose(1, 2, 0)
    for picture in (grey, colour):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(plots.image_png(np.ascontiguousarray(picture))))), picture)
    weights = np.array([[[-9.0, -1.0], [0.0, 0.5]], [[1.0, 2.0], [np.nan, 0.0]]])
    shown = np.asarray(Image.open(io.BytesIO(plots.weights_png(weights, limit=1.0))).convert("RGB"))
    assert shown.shape == (2, 4, 3)
    assert shown[1, 0].tolist() == shown[1, 2].tolist() == shown[1, 3].tolist() == [255, 255, 255]
    assert shown[0, 0].tolist() == shown[0, 1].tolist()
    assert shown[0, 0, 2] > shown[0, 0, 0]
    assert shown[0, 2, 0] > shown[0, 2, 2]


def test_the_table_of_plots_names_every_plot() -> None:
    named = {name for name in plots.__all__ if name.startswith("plot_")}
    assert named == {f"plot_{name}" for name in plots.PLOTS} == {function.__name__ for function in plots.PLOTS.values()}


def test_one_epoch_of_a_line_is_one() -> None:
    for epochs, said in ((1, "After 1 epoch: y"), (100, "After 100 epochs: y")):
        (axes,) = FIGURES[f"line {epochs}"](plots.LIGHT).axes
        assert axes.get_title(loc="left").startswith(said)
