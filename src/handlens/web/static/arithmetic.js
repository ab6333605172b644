// One number inside the network, taken apart: what goes in, what it is multiplied with, what comes out; and units switched off.

import { ask, newest, setAddress } from "./api.js";
import { counted, el, refill, speak } from "./dom.js";
import { diverging } from "./paint.js";

/** @typedef {import("./inside.js").Layer} Layer */
/** @typedef {{layer: string, kind: string, place: number[], value: number, bias: number, said: string, sums: number[], inputs: (number | null)[][][], weights: number[][][] | null}} Found */

const MOST_NUMBERS = 15; // wide: larger pictures are shown as colours only

export class ArithmeticView {
  /** @param {() => object | null} drawing what is on the pad, as the server takes it; null for a photo @param {(off: Record<string, number[]>) => void} switched */
  constructor(drawing, switched) {
    this.drawing = drawing;
    this.switched = switched;
    /** @type {Record<string, number[]>} */
    this.off = {};
    /** @type {Layer | null} */
    this.layer = null;
    this.place = [0, 0, 0];
    this.channel = 0;
    this.askNumbers = newest(() => this.asked());
    this.opener = ""; // the layer whose button has opened this, and has the focus again when it is closed
    this.wasMoved = false; // by hand: a new drawing has its answer to tell
    this.title = el("h3", { id: "arithmetic-title", tabindex: -1 });
    this.places = el("div", { class: "row places" });
    this.box = el("input", { type: "checkbox", id: "unit-off", onchange: () => this.turn(this.box.checked) });
    this.numbers = el("div", { class: "numbers" });
    this.chips = el("p", { class: "row off-units" });
    const label = el("label", { class: "check" }, this.box, "Switch this one off, and watch the answer");
    const close = el("button", { type: "button", onclick: () => this.close() }, "Close");
    this.section = el("section", { class: "arithmetic", "aria-labelledby": "arithmetic-title", hidden: true }, this.title, this.places, label, this.numbers, close);
    this.element = el("div", {}, this.chips, this.section);
  }

  /** @param {string} address `layers.0:3,layers.3:5` */
  read(address) {
    this.off = {};
    for (const part of address.split(",")) {
      const [, layer, unit] = part.match(/^([\w.]+):(\d+)$/) ?? [];
      if (layer) this.off[layer] = [...(this.off[layer] ?? []), Number(unit)];
    }
    this.showOff();
  }

  get address() {
    return Object.entries(this.off).flatMap(([layer, units]) => units.map((unit) => `${layer}:${unit}`)).join(",");
  }

  /** Look where an address says, as `layers.0:3:10:12`, once the layers are known. @param {string} address @param {Layer[]} layers */
  openAt(address, layers) {
    const [name, ...place] = address.split(":");
    const layer = layers.find((one) => one.name === name);
    const numbers = place.map(Number);
    if (layer && numbers.length && numbers.every((number) => Number.isInteger(number) && number >= 0) && numbers[0] < layer.count) this.open(layer, numbers[0], numbers.length === 3 ? numbers.slice(1) : undefined);
  }

  /** Look into a unit of a layer, where it answers most, or at a place. @param {Layer} layer @param {number} unit @param {number[]} [at] row, column */
  open(layer, unit, at) {
    this.layer = layer;
    this.opener = ""; // `openByButton` says it afterwards
    this.place = layer.maps[0].height === 1 ? [unit] : [unit, ...(at ?? strongest(layer, unit))];
    this.channel = -1;
    this.section.hidden = false;
    this.showPlaces();
    this.load();
    this.section.scrollIntoView({ block: "nearest" });
  }

  /** The same, by the layer's button: the focus goes to what was opened, and back again. @param {Layer} layer */
  openByButton(layer) {
    this.open(layer, 0);
    this.opener = layer.name;
    this.title.focus({ preventScroll: true });
  }

  close() {
    this.section.hidden = true;
    this.layer = null;
    setAddress({ unit: null });
    if (this.opener) /** @type {HTMLElement | null} */ (document.querySelector(`[data-layer="${CSS.escape(this.opener)}"]`))?.focus();
    this.opener = "";
  }

  /** The layers of a new drawing. @param {Layer[]} layers */
  update(layers) {
    if (!this.layer) return;
    this.layer = layers.find(({ name }) => name === this.layer?.name) ?? null;
    if (this.layer) this.load();
    else this.close();
  }

  showPlaces() {
    const layer = /** @type {Layer} */ (this.layer);
    const { width, height } = layer.maps[0];
    const ends = height === 1 ? [layer.count] : [layer.count, height, width];
    const names = height === 1 ? ["unit"] : ["tile", "row", "column"];
    this.places.replaceChildren(...names.map((name, axis) => {
      const input = el("input", { type: "number", min: 0, max: ends[axis] - 1, value: this.place[axis], id: `place-${name}`, oninput: () => this.move(axis, input) });
      return el("label", {}, name, input);
    }));
  }

  /** @param {number} axis @param {HTMLInputElement} input */
  move(axis, input) {
    if (!input.checkValidity() || input.value === "") return;
    this.place[axis] = Number(input.value);
    this.wasMoved = true;
    this.load();
  }

  load() {
    const layer = /** @type {Layer} */ (this.layer);
    const [unit, ...at] = this.place;
    setAddress({ unit: [layer.name, ...this.place].join(":") });
    this.title.textContent = `${layer.name} (${layer.kind}), ${at.length ? `tile ${unit}, row ${at[0]}, column ${at[1]}` : `unit ${unit}`}`;
    this.box.checked = Boolean(this.off[layer.name]?.includes(unit));
    this.askNumbers(null);
  }

  async asked() {
    const { layer } = this;
    if (!layer) return; // closed by now
    const drawing = this.drawing();
    if (!drawing) return this.numbers.replaceChildren("Of a photo there are no numbers here; draw the digit.");
    const asked = String([layer.name, ...this.place]);
    const isStill = () => String([this.layer?.name, ...this.place]) === asked;
    try {
      const found = await ask("POST", "/api/unit", { ...drawing, layer: layer.name, place: this.place });
      if (isStill()) this.show(found);
    } catch (trouble) {
      if (isStill()) this.numbers.replaceChildren(el("p", { role: "alert" }, /** @type {any} */ (trouble).words ?? String(trouble)));
    }
  }

  /** @param {Found} found */
  show(found) {
    const { sums, inputs, weights } = found;
    if (!(this.channel in inputs)) this.channel = sums.length ? sums.reduce((best, sum, at) => (Math.abs(sum) > Math.abs(sums[best]) ? at : best), 0) : 0;
    const channel = this.channel;
    const name = inputs.length > 1 ? `tile ${channel} of the layer before` : "goes in";
    const parts = [grid(name, inputs[channel])];
    if (weights) {
      const products = weights[channel].map((row, y) => row.map((weight, x) => weight * (inputs[channel][y][x] ?? 0)));
      parts.push(el("span", { class: "sign" }, "×"), grid("weights", weights[channel]), el("span", { class: "sign" }, "="), grid("products", products));
    }
    refill(this.numbers, el("p", {}, found.said), el("div", { class: "grids" }, parts), weights ? this.adding(found) : el("p", { class: "sum" }, `→ ${short(found.value)}`));
    if (this.wasMoved) speak(`${found.said} ${short(found.value)}`);
    this.wasMoved = false;
  }

  /** @param {Found} found */
  adding({ sums, bias, value }) {
    const most = Math.max(...sums.map(Math.abs), 1e-9);
    const several = sums.length > 1;
    const bars = sums.map((sum, at) => {
      const fill = el("span", { class: sum < 0 ? "minus" : "plus" });
      fill.style.height = `${Math.max(2, (Math.abs(sum) / most) * 40)}px`;
      return el("button", { type: "button", class: "part", "aria-pressed": String(at === this.channel), "aria-label": `tile ${at}: ${short(sum)}`, title: `tile ${at}: ${short(sum)}`, onclick: () => this.choose(at) }, fill);
    });
    const total = sums.reduce((one, other) => one + other, 0);
    return el(
      "div",
      {},
      several && el("p", { class: "caption" }, `So for each of the ${sums.length} tiles that go in; this one adds ${short(sums[this.channel])}:`),
      several && el("div", { class: "parts" }, bars),
      el("p", { class: "sum" }, `${several ? "all sums" : "sum"} ${short(total)} ${bias < 0 ? "−" : "+"} ${short(Math.abs(bias))} bias = `, el("strong", {}, short(total + bias)), Math.abs(total + bias - value) > 0.01 * Math.max(1, Math.abs(value)) && ", but it is switched off: 0"),
    );
  }

  /** @param {number} channel */
  choose(channel) {
    this.channel = channel;
    this.load();
  }

  /** @param {boolean} on */
  turn(on) {
    const name = /** @type {Layer} */ (this.layer).name;
    const others = (this.off[name] ?? []).filter((unit) => unit !== this.place[0]);
    this.setOff(name, on ? [...others, this.place[0]] : others);
  }

  /** @param {string} layer @param {number[]} units */
  setOff(layer, units) {
    const { [layer]: _, ...rest } = this.off;
    this.off = units.length ? { ...rest, [layer]: units } : rest;
    this.showOff();
    this.switched(this.off);
  }

  showOff() {
    const chips = Object.entries(this.off).flatMap(([layer, units]) => units.map((unit) => el("button", { type: "button", class: "chip", "aria-label": `Switch ${layer} ${unit} on again`, onclick: () => this.setOff(layer, units.filter((each) => each !== unit)) }, `${layer} · ${unit} ✕`)));
    this.chips.replaceChildren(...(chips.length ? ["Switched off: ", ...chips] : []));
    if (this.layer) this.box.checked = Boolean(this.off[this.layer.name]?.includes(this.place[0]));
  }
}

/** The row and column where a tile is brightest. @param {Layer} layer @param {number} unit */
function strongest(layer, unit) {
  const tile = layer.maps[unit];
  if (!tile) return [0, 0];
  const bytes = atob(tile.bytes);
  const levels = Array.from(bytes, (letter) => letter.charCodeAt(0));
  const place = levels.indexOf(Math.max(...levels));
  return [Math.floor(place / tile.width), place % tile.width];
}

/** Numbers with their colours; many of them as colours only. @param {string} name @param {(number | null)[][]} rows */
function grid(name, rows) {
  const most = Math.max(...rows.flat().map((value) => Math.abs(value ?? 0)), 1e-9);
  const small = Math.max(rows.length, rows[0].length) > MOST_NUMBERS;
  if (small) return el("figure", {}, el("figcaption", {}, name), picture(name, rows, most));
  const cell = (/** @type {number | null} */ value) => {
    const [colour, dark] = diverging((value ?? 0) / most);
    const td = el("td", {}, value === null ? "" : shorter(value));
    td.style.background = colour;
    td.style.color = dark ? "#ffffff" : "#000000";
    return td;
  };
  return el("figure", {}, el("figcaption", {}, name), el("table", { class: "grid-numbers" }, rows.map((row) => el("tr", {}, row.map(cell)))));
}

/** @param {string} name @param {(number | null)[][]} rows @param {number} most */
function picture(name, rows, most) {
  const folded = rows.length > 1 ? rows : Array.from({ length: Math.ceil(rows[0].length / 32) }, (_, start) => rows[0].slice(start * 32, start * 32 + 32));
  const canvas = el("canvas", { class: "pixels", width: folded[0].length, height: folded.length, role: "img", "aria-label": `${name}: ${counted(rows.flat().length, "number")} between ${short(-most)} and ${short(most)}` });
  const context = canvas.getContext("2d");
  folded.forEach((row, y) => row.forEach((value, x) => {
    context.fillStyle = diverging((value ?? 0) / most)[0];
    context.fillRect(x, y, 1, 1);
  }));
  canvas.style.width = `${folded[0].length * Math.max(2, Math.min(6, Math.floor(170 / folded[0].length)))}px`;
  return canvas;
}

/** @param {number} value a number of which the first three digits count */
const short = (value) => String(Number(Math.abs(value) < 1e-4 ? 0 : value.toPrecision(3))).replace("-", "−");

/** @param {number} value with two digits behind the point, for a cell */
const shorter = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) < 0.005 ? "0" : value.toFixed(2)).replace("-", "−");
