"""The sections of a report that look into the network: its graph, what its answers hang on, and how it lays the images out."""

from __future__ import annotations

import numpy as np

from handlens import plots
from handlens.explain import Attribution, Embedding
from handlens.plots.attributions import METHODS
from handlens.report.facts import Facts
from handlens.report.markup import Chart, Section, Spot, Tile, chart, paragraph, section, table, tiles
from handlens.words import counted

_TILE = 112
"""Pixels of a heat map: several for each of a small image's, so that the page shows it as it is."""


def graph_section(facts: Facts, charts: dict[str, Chart]) -> Section | None:
    """The network as boxes and arrows."""
    if facts.graph is None:
        return None
    boxes = facts.graph.boxes
    joins = sum(len(box.inputs) > 1 for box in boxes)
    words = "The same from image to scores, as boxes; what comes right behind a layer, such as its activation, stands in its box."
    if joins:
        words += " A box with a plus adds what comes along the branch at its left: the block need only learn what is to be changed."
    if any(block.times > 1 for block in facts.graph.blocks):
        words += " Equal blocks that follow each other are drawn once."
    titles = ", ".join(" and ".join([box.title, *box.more]) for box in boxes[:12])
    alt = f"Graph of the network in {len(boxes)} boxes: {titles}{', ...' if len(boxes) > 12 else ''}."
    return section("graph", "The network as a graph", paragraph(words), chart(charts["graph"], "Graph of the network", alt))


def looks_section(facts: Facts, _charts: dict[str, Chart]) -> Section | None:
    """Which pixels some answers hang on."""
    found, names = facts.looks, facts.look_names
    if found is None:
        return None
    words = (
        "Some images that it got right and its worst mistakes, each beside a map for the class that it answered. "
        f"{METHODS[found.method][0]}: {METHODS[found.method][1]}. "
        "Each map has a scale of its own, so compare places, not strengths. Does it look where you would?"
    )
    if any(not image.any() for image in found.maps):
        words += " A map that is dark all over has nothing that speaks for the class: the answer was built of what speaks against others."
    shown = [
        Tile(_pair(found, place), f"Test image and {METHODS[found.method][0]} map", lines, right)
        for place, (lines, right) in enumerate(names)
    ]
    return section("looks", "What it looks at", paragraph(words), tiles(shown, "pairs"))


def _pair(found: Attribution, place: int) -> bytes:
    """An image beside its map, as a PNG file."""
    image = np.rint(found.images[place] * 255).astype(np.uint8)
    grey = np.broadcast_to(image if len(image) == 3 else image[:1], (3, *image.shape[1:])).transpose(1, 2, 0)
    heat = np.rint(plots.heat(found.maps[place], found.method) * 255).astype(np.uint8)
    side = max(1, round(_TILE / image.shape[1]))
    gap = np.full((image.shape[1] * side, side, 3), 127, np.uint8)
    large = [np.kron(some, np.ones((side, side, 1), np.uint8)) for some in (grey, heat)]
    return plots.image_png(np.ascontiguousarray(np.hstack([large[0], gap, large[1]])))


def embedding_section(facts: Facts, charts: dict[str, Chart]) -> Section | None:
    """The images on a plane."""
    found = facts.embedding
    if found is None:
        return None
    words = (
        f"{counted(len(found.points), 'test image')} as the last layer sees them (what goes into {found.layer}), laid out by the two "
        "directions in which they differ most (PCA), so that images which are alike to the network lie near each other; the others are not "
        f"seen; t-SNE shows more: handlens explain {facts.run.name} --what embedding. With a mouse, point at an image to see it. "
        "Look at the rings, which are its mistakes: do they lie between two groups, or deep in the wrong one?"
    )
    alt = (
        f"Map of {counted(len(found.points), 'test image')} by PCA, of which {counted(len(found.mistakes), 'is', 'are')} predicted wrongly."
    )
    picture = chart(charts["embedding"], "Embedding map", alt, _spots(found, facts.embedding_places))
    rows = [
        (name, f"{int((found.labels == number).sum())}", f"{int(((found.labels == number) & (found.labels != found.predictions)).sum())}")
        for number, name in enumerate(found.classes)
    ]
    counts = table("Images on the map", ("class", "images", "predicted wrongly"), rows, numbers=(1, 2))
    return section("embedding", "The images as the network sees them", paragraph(words), picture, counts)


def _spots(found: Embedding, places: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[Spot]:
    spots = []
    for place, (label, answer) in enumerate(zip(found.labels.tolist(), found.predictions.tolist(), strict=True)):
        image = found.images[place]
        png = plots.image_png(np.ascontiguousarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)))
        words = found.classes[label] if label == answer else f"{found.classes[label]}, taken for {found.classes[answer]}"
        spots.append(Spot((float(places[place, 0]), float(places[place, 1])), png, image.shape[2], f"Test image {place}: {words}"))
    return spots
