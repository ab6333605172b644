// The map of images as the last layer sees them: near is alike. Pointing, or the arrows, show an image; Enter or a click explains it.

import { ask, fromAddress, newest, setAddress } from "./api.js";
import { panel } from "./code.js";
import { counted, el, fill, percent, speak, svg } from "./dom.js";
import { marker, sample } from "./markers.js";
import { asTable, busy } from "./tables.js";

const [WIDTH, HEIGHT, EDGE] = [480, 360, 12];
const METHODS = { pca: "PCA, 1,000 images", tsne: "t-SNE, 500 images (some seconds)" };

export class Layout {
  /** @param {() => {run: string, on: string}} see @param {(index: number) => void} chosen */
  constructor(see, chosen) {
    this.see = see;
    this.chosen = chosen;
    this.at = -1;
    this.askPicture = newest(() => this.picture());
    this.method = el("select", { id: "map" }, Object.entries(METHODS).map(([value, words]) => el("option", { value, selected: value === fromAddress("map") }, words)));
    this.method.addEventListener("change", () => (setAddress({ map: this.method.value }), this.begin()));
    this.place = el("div", {});
    this.seen = el("div", { class: "seen" });
    const content = el("div", {}, el("label", {}, "Laid out by", this.method), this.place, this.seen);
    this.element = panel("Map of images", "Images near each other look alike to the network; PCA and t-SNE are two ways to lay its many numbers out flat. A mistake, with a ring, lies often where two classes meet.", content, { code: "map", run: () => see().run });
  }

  begin() {
    this.at = -1;
    this.found = null;
    this.seen.replaceChildren(el("span", { class: "caption" }, "Point at an image to see it."));
    const { run, on } = this.see();
    busy(this.place, "Laying images out …", () => ask("GET", `/api/runs/${encodeURIComponent(run)}/layout?on=${on}&method=${this.method.value}`), (found) => this.draw(found));
  }

  /** @param {any} found */
  draw(found) {
    this.found = found;
    this.spots = found.points.map(([x, y]) => [EDGE + x * (WIDTH - 2 * EDGE), HEIGHT - EDGE - y * (HEIGHT - 2 * EDGE)]);
    const wrong = found.labels.flatMap((/** @type {number} */ label, /** @type {number} */ place) => (label === found.predictions[place] ? [] : [place]));
    const dots = this.spots.map(([x, y], /** @type {number} */ place) => marker(found.labels[place], x, y, 3.2));
    const rings = wrong.map((/** @type {number} */ place) => svg("circle", { class: "ring", cx: this.spots[place][0], cy: this.spots[place][1], r: 6.5 }));
    this.cursor = svg("circle", { class: "cursor", r: 10, cx: -20, cy: -20 });
    const words = `${counted(found.points.length, "image")} in ${counted(found.classes.length, "class", "classes")}, ${wrong.length} mistaken, by what goes into layer ${found.layer}. Arrows go from image to image, Enter explains it.`;
    this.drawing = svg("svg", { class: "chart map", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "application", tabindex: 0, "aria-label": `Map of images: ${words}` }, dots, rings, this.cursor);
    this.drawing.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.point(event));
    this.drawing.addEventListener("click", (/** @type {PointerEvent} */ event) => (this.point(event), this.choose()));
    this.drawing.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    const legend = el("ul", { class: "legend" }, found.classes.slice(0, 20).map((/** @type {string} */ name, /** @type {number} */ number) => el("li", {}, sample(number % 10, false), name)));
    const rows = wrong.slice(0, 100).map((/** @type {number} */ place) => [this.link(place), found.classes[found.labels[place]], found.classes[found.predictions[place]]]);
    const table = rows.length && asTable("The mistakes on the map", ["image", "it is", "taken for"], rows);
    return [this.drawing, legend, el("p", { class: "caption" }, `${found.axes.join("; ")}. Mistaken: ${wrong.length} of ${found.points.length}.`), table];
  }

  /** @param {number} place */
  link(place) {
    return el("button", { type: "button", class: "link", onclick: () => (this.show(place), this.choose()) }, `image ${place}`);
  }

  /** @param {PointerEvent} event */
  point(event) {
    const box = this.drawing.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const y = ((event.clientY - box.top) / box.height) * HEIGHT;
    const near = this.nearest((place) => Math.hypot(this.spots[place][0] - x, this.spots[place][1] - y));
    if (near !== this.at) this.show(near);
  }

  /** @param {(place: number) => number} far */
  nearest(far) {
    let [best, least] = [-1, Infinity];
    for (let place = 0; place < this.spots.length; place++) {
      const distance = far(place);
      if (distance < least) [best, least] = [place, distance];
    }
    return best;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (!step && event.key !== "Enter") return;
    event.preventDefault();
    if (!step) return this.choose();
    const [x, y] = this.spots[this.at] ?? [WIDTH / 2, HEIGHT / 2];
    const next = this.nearest((place) => {
      const [across, down] = [this.spots[place][0] - x, this.spots[place][1] - y];
      const along = across * step[0] + down * step[1];
      return place === this.at || along <= 0.5 ? Infinity : along + 2 * Math.abs(across * step[1] + down * step[0]);
    });
    if (next >= 0) this.show(next);
  }

  /** @param {number} place */
  show(place) {
    this.at = place;
    this.cursor.setAttribute("cx", this.spots[place][0]);
    this.cursor.setAttribute("cy", this.spots[place][1]);
    this.askPicture(null); // a mouse on its way passes many
  }

  async picture() {
    const { run, on } = this.see();
    const { at, found } = this;
    const isStill = () => at >= 0 && at === this.at && found === this.found;
    if (!isStill()) return;
    try {
      const image = await ask("GET", `/api/runs/${encodeURIComponent(run)}/picture?on=${on}&index=${at}`);
      if (isStill()) this.showImage(image);
    } catch (trouble) {
      if (isStill()) fill(this.seen, el("span", { class: "wrong", role: "alert" }, /** @type {any} */ (trouble).words ?? String(trouble)));
    }
  }

  showImage({ index, picture, true: label, predicted, probability }) {
    const right = label === predicted;
    const words = `Image ${index} is ${label}, taken for ${predicted} (${percent(probability)})`;
    this.seen.replaceChildren(el("img", { class: "pixels", src: picture, alt: "" }), el("span", { class: right ? "right" : "wrong" }, `${right ? "✓" : "✗"} ${words}`), el("button", { type: "button", onclick: () => this.choose() }, "Why?"));
    speak(words);
  }

  choose() {
    if (this.at >= 0) this.chosen(this.at);
  }
}
