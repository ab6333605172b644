// The exported page: draw, and see what the network in it says, what it sees, and what each of its layers makes of it.

import { byId, counted, el, speak } from "./dom.js";
import { DrawPad } from "./drawpad.js";
import { paint, paintTiles } from "./paint.js";
import { Bars, spoken } from "./bars.js";
import { resized } from "./grid.js";
import { normalize, TOO_LITTLE, TOO_MANY } from "./normalize.js";
import { Network, probabilities } from "./forward.js";

const PENS = { thin: 14, usual: 22, thick: 32 };
/** @type {[number, number][][]} */
const GHOST = [[[78, 66], [110, 60], [150, 58], [200, 62], [186, 96], [164, 136], [146, 176], [136, 224]]];
const MOST_TILES = 64;
const HIDDEN = ["reshape", "pad", "expand"];

/** A picture as `paint` takes it. @param {number} width @param {number} height @param {Uint8Array} bytes */
const picture = (width, height, bytes) => ({ width, height, bytes: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) });

class Page {
  /** @param {any} described */
  constructor(described) {
    this.described = described;
    this.network = new Network(described);
    this.canvas = el("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": "Drawing pad. Arrow keys move the pen, Space puts it down and lifts it." });
    this.pad = new DrawPad(this.canvas, { changed: (_at, done) => this.later(done) });
    this.bars = new Bars(described.name);
    this.bars.setClasses(described.classes);
    this.input = el("canvas", { class: "pixels input", role: "img", "aria-label": "The pixels that the network gets" });
    this.layers = el("div", { class: "layers" });
    this.waiting = 0;
    this.done = false;
  }

  show() {
    const sees = el("section", { class: "card" }, el("h2", {}, "What it sees"), el("p", { class: "says" }, "Your drawing, scaled and centred as the images that it learned from."), this.input);
    const tiles = el("section", { class: "card", id: "layers" }, el("h2", {}, "Layer by layer"), el("p", { class: "says" }, "Each tile is one filter's answer: bright where it found what it looks for."), this.layers);
    const says = el("section", { class: "card" }, el("h2", {}, "It says"), el("p", { class: "says" }, "Bars show how sure the network is of each class."), this.bars.element);
    this.bars.title.hidden = true;
    byId("main").append(el("h1", { class: "spoken" }, `Draw: ${this.described.name}`), el("div", { class: "drawing" }, this.padPanel(), says), el("div", { class: "inside" }, sees, tiles));
    this.pad.showGhost(GHOST);
    this.answer(true);
  }

  padPanel() {
    const pens = Object.entries(PENS).map(([name, width]) => {
      const input = el("input", { type: "radio", name: "pen", value: width, checked: width === this.pad.pen, "aria-label": `${name} pen` });
      input.addEventListener("change", () => this.pad.setPen(width));
      return el("label", { class: `pen ${name}`, title: `${name} pen` }, input, el("span", { "aria-hidden": "true" }));
    });
    const undo = el("button", { type: "button", onclick: () => this.pad.undo() }, "Undo");
    const clear = el("button", { type: "button", onclick: () => this.pad.clear() }, "Clear");
    const row = el("div", { class: "row" }, el("span", { class: "pens", role: "radiogroup", "aria-label": "Pen" }, pens), undo, clear);
    return el("section", { class: "card pad-card", "aria-label": "Drawing pad" }, el("p", { class: "hint" }, "Draw here"), this.canvas, row);
  }

  /** Answer with the next frame; of many movements in one frame only once. @param {boolean} done */
  later(done) {
    this.done ||= done;
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.answer(this.done);
      this.done = false;
    });
  }

  /** @param {boolean} done nobody is drawing just now */
  answer(done) {
    const { image, doubt } = normalize(this.pad.strokes.length ? this.pad.strokes : this.pad.ghost);
    const [channels, height, width] = this.described.shape;
    const fitted = image.width === width && image.height === height ? image : resized(image, width, height, "cubic");
    const pixels = new Uint8Array(channels * height * width).map((_, place) => fitted.at[place % fitted.at.length]);
    paint(this.input, picture(width, height, fitted.at));
    const found = this.network.run(pixels);
    const said = this.said(found[found.length - 1].values, doubt);
    this.bars.show(said);
    if (done) speak(spoken(said));
    this.layers.replaceChildren(...found.slice(1).flatMap(({ values, shape }, place) => layerRow(this.described.steps[place], values, shape)));
  }

  /** @param {ArrayLike<number>} logits @param {string} doubt */
  said(logits, doubt) {
    const classes = this.described.classes;
    const shares = doubt === TOO_LITTLE ? [] : probabilities(logits);
    const order = [...shares.keys()].sort((one, other) => shares[other] - shares[one]);
    const named = Object.fromEntries(shares.map((share, place) => [classes[place], share]));
    return { label: classes[order[0]] ?? "", second: classes[order[1]] ?? "", probabilities: named, doubt, several: doubt === TOO_MANY };
  }
}

/** @param {any} step @param {ArrayLike<number>} values @param {number[]} shape @returns {any[]} nothing for a step that only moves numbers */
function layerRow(step, values, shape) {
  if (HIDDEN.includes(step.op)) return [];
  const numbers = Array.from(values);
  const low = numbers.reduce((least, value) => Math.min(least, value), Infinity);
  const high = numbers.reduce((most, value) => Math.max(most, value), -Infinity);
  const bytes = Uint8Array.from(numbers, (value) => Math.round((value - low) * (255 / Math.max(high - low, 1e-9))));
  const [count, height, width] = shape.length === 3 ? shape : [1, 1, shape[0]];
  const shown = Math.min(count, MOST_TILES);
  const tiles = Array.from({ length: shown }, (_, place) => picture(width, height, bytes.subarray(place * width * height, (place + 1) * width * height)));
  const said = shape.length === 3 ? `${counted(count, "tile")} of ${height}×${width}${shown < count ? `, the first ${shown} are shown` : ""}` : counted(width, "unit");
  const range = `${low.toFixed(2)} to ${high.toFixed(2)}`;
  const canvas = el("canvas", { class: "pixels", role: "img", "aria-label": `Layer ${step.name}: ${said}, values ${range}` });
  paintTiles(canvas, height * width === 1 ? [picture(count, 1, bytes)] : tiles, "viridis", innerWidth < 640 ? 120 : 250);
  const zoom = height === 1 ? 8 : Math.max(1, Math.min(6, Math.floor(56 / width)));
  canvas.style.width = `${canvas.width * zoom}px`;
  return [el("figure", {}, el("figcaption", {}, el("strong", {}, step.name), ` ${step.kind} · ${said} · ${range}`), canvas)];
}

/** Whoever made the page asks it what it says of many images, and reads the logits from the page. @param {any} described @param {{images: string, count: number}} asked */
function answerAll(described, asked) {
  const network = new Network(described);
  const bytes = Uint8Array.from(atob(asked.images), (letter) => letter.charCodeAt(0));
  const one = bytes.length / asked.count;
  const start = performance.now();
  const logits = Array.from({ length: asked.count }, (_, place) => Array.from(network.logits(bytes.subarray(place * one, (place + 1) * one))));
  document.body.dataset.ms = String((performance.now() - start) / asked.count);
  const letters = Array.from(new Uint8Array(Float32Array.from(logits.flat()).buffer), (byte) => String.fromCharCode(byte));
  document.body.dataset.logits = btoa(letters.join(""));
}

const described = JSON.parse(byId("network").textContent);
const asked = byId("asked");
if (asked) answerAll(described, JSON.parse(asked.textContent));
else new Page(described).show();
