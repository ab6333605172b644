// What goes on inside: what the network gets, each layer's tiles, the heat map of why, each step of the way.

import { counted, el } from "./dom.js";
import { paint, paintHeat, paintTiles, tileAt } from "./paint.js";
import { panel } from "./code.js";

/** @typedef {import("./arithmetic.js").ArithmeticView} ArithmeticView */
/** @typedef {import("./paint.js").Pixels} Pixels */
/** @typedef {{name: string, kind: string, count: number, low: number, high: number, maps: Pixels[]}} Layer */

export class Inside {
  /** @param {() => string} run the name of the run that is asked @param {(on: boolean) => void} centred called when centring is switched @param {ArithmeticView} numbers */
  constructor(run, centred, numbers) {
    this.numbers = numbers;
    this.input = el("canvas", { class: "pixels input", role: "img", "aria-label": "The 28 by 28 pixels that the network gets" });
    this.heat = el("canvas", { class: "pixels input", role: "img", "aria-label": "Heat map: the brighter, the more the answer hangs on it" });
    this.whySaid = el("p", { class: "caption" });
    this.layers = el("div", { class: "layers" });
    this.stages = el("ol", { class: "stages" });
    this.steps = el("details", {}, el("summary", {}, "Each step on the way"), this.stages);
    this.box = el("input", { type: "checkbox", checked: true, id: "centre" });
    this.box.addEventListener("change", () => centred(this.box.checked));
    const sees = el("div", {}, this.input, el("label", { class: "check" }, this.box, "Find the digit and centre it"), this.steps);
    this.element = el(
      "div",
      { class: "inside" },
      panel("What it sees", "Your drawing as 28 by 28 pixels, centred like those of MNIST, the 70,000 digits from which most networks here have learned. Switch the centring off, draw small in a corner, and watch it fail.", sees, { code: "sees", run }),
      panel("Why", "Bright places made it say what it says. Nobody told it what counts: it learned that from examples.", el("div", {}, this.heat, this.whySaid), { code: "why", run }),
      panel("Layer by layer", "A network calculates in layers, one after the other; each tile is the answer of one filter, bright where it found the small pattern that it looks for. Click one for its arithmetic.", el("div", {}, this.layers, numbers.element), { code: "layers", run, id: "layers" }),
    );
  }

  /** @param {Pixels} image what the network got; shown at once, the rest comes later */
  showInput(image) {
    paint(this.input, image);
    this.input.classList.add("fresh");
  }

  /** Nothing is drawn: what is still shown is of the last drawing. @param {boolean} on */
  fade(on) {
    this.element.classList.toggle("faded", on);
    if (on) this.input.classList.remove("fresh");
  }

  /** @param {{image: Pixels, layers: Layer[], why: {method: string, label: string, map: Pixels}, stages: {name: string, said: string, picture: string}[]}} found */
  show(found) {
    this.fade(false);
    paintHeat(this.heat, found.why.map, found.image);
    this.whySaid.textContent = found.why.method === "gradcam" ? `What speaks for ${found.why.label}, by a method called Grad-CAM` : `Which pixels move the answer ${found.why.label}, by a method called saliency`;
    const wide = this.layers.clientWidth || 640;
    this.layers.replaceChildren(...found.layers.map((layer) => layerRow(layer, this.numbers, wide)));
    this.numbers.update(found.layers);
    this.stages.replaceChildren(...found.stages.map(stage));
    this.steps.hidden = !found.stages.length;
  }
}

/** @param {Layer} layer @param {ArithmeticView} numbers @param {number} wide pixels that a row of tiles may take */
function layerRow(layer, numbers, wide) {
  const { width, height } = layer.maps[0];
  const shape = height === 1 ? counted(layer.count, "unit") : `${counted(layer.count, "tile")} of ${height}×${width}`;
  const few = layer.count > layer.maps.length && height > 1 ? `, the first ${layer.maps.length} are shown` : "";
  const range = `${layer.low.toFixed(2)} to ${layer.high.toFixed(2)}`;
  const canvas = el("canvas", { class: "pixels", role: "img", "aria-label": `Layer ${layer.name}: ${shape}, values ${range}` });
  const zoom = height === 1 ? 8 : Math.max(1, Math.min(6, Math.round((wide < 400 ? 28 : 42) / width)));
  paintTiles(canvas, layer.maps, "viridis", Math.max(width + 1, Math.floor(wide / zoom)));
  canvas.style.width = `${canvas.width * zoom}px`;
  canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    const found = tileAt(canvas, layer.maps, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    if (found) numbers.open(layer, found.tile, [found.row, found.column]);
  });
  const open = el("button", { type: "button", class: "link", "data-layer": layer.name, "aria-label": `The arithmetic of ${layer.name}`, onclick: () => numbers.openByButton(layer) }, "numbers");
  return el("figure", {}, el("figcaption", {}, el("strong", {}, layer.name), ` ${layer.kind} · ${shape}${few} · ${range} `, open), canvas);
}

/** @param {{name: string, said: string, picture: string}} step */
const stage = ({ name, said, picture }) => el("li", {}, el("img", { src: picture, alt: "" }), el("strong", {}, name), el("span", {}, said));
