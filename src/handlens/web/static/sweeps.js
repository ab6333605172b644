// Sweeps: which there are, and of one its findings, its table, heat maps and lines through the knobs.

import { ask, fromAddress, setAddress } from "./api.js";
import { panel, showAnew } from "./code.js";
import { counted, el, svg } from "./dom.js";
import { colour } from "./paint.js";
import { busy, copied, score, scrolling } from "./tables.js";

const [WIDTH, HEIGHT, TOP, BOTTOM, LEFT, RIGHT] = [760, 300, 14, 34, 20, 84];

export class Sweeps {
  constructor() {
    this.name = fromAddress("sweep");
    this.choice = el("select", { id: "sweep" });
    this.choice.addEventListener("change", () => this.choose(this.choice.value));
    this.place = el("div", { class: "stack" });
    this.chooser = el("div", { class: "row choosers", hidden: true }, el("label", {}, "Sweep", this.choice));
    this.ruins = el("div", {});
    const content = el("div", {}, this.chooser, this.ruins, this.place);
    this.element = panel("Sweeps", "Many trainings that differ in a few knobs (settings), to find out which matter. The best of many owes something to luck: look at its neighbours too.", content, { code: "sweep", run: () => this.name });
  }

  async load() {
    const { sweeps, folder } = await ask("GET", "/api/sweeps");
    const whole = sweeps.filter((/** @type {any} */ sweep) => !sweep.reason);
    const broken = sweeps.filter((/** @type {any} */ sweep) => sweep.reason);
    this.chooser.hidden = !whole.length;
    const words = (/** @type {any} */ sweep) => `${sweep.name}: ${sweep.axes.join(" × ")}, ${sweep.done} of ${counted(sweep.points, "point")}`;
    this.choice.replaceChildren(...whole.map((/** @type {any} */ sweep) => el("option", { value: sweep.name }, words(sweep))));
    const ruins = broken.map((/** @type {any} */ sweep) => el("p", { class: "caption" }, `✗ ${sweep.name} cannot be read: ${sweep.reason}`));
    this.ruins.replaceChildren(...ruins);
    if (!whole.length) return this.place.replaceChildren(el("p", {}, "No sweeps yet. This folder was looked at: ", el("code", {}, folder)), copied("handlens sweep lr=0.1,0.01,0.001 width=32,64 --epochs 1"));
    const known = whole.some((/** @type {any} */ sweep) => sweep.name === this.name);
    this.choice.value = this.name = known ? this.name : whole[whole.length - 1].name;
    this.show();
  }

  /** @param {string} name */
  choose(name) {
    this.name = name;
    setAddress({ sweep: name });
    showAnew();
    this.show();
  }

  show() {
    const path = `/api/sweeps/${encodeURIComponent(this.name)}`;
    busy(this.place, "Reading …", () => ask("GET", path), (sweep) => {
      const findings = el("div", {});
      busy(findings, "Finding out what can be said …", () => ask("GET", `${path}/findings`), ({ sentences }) => said(sentences));
      return [findings, ...heat(sweep.heat), ...new Drawn(sweep).parts(), ...sweep.commands.map(copied)];
    });
  }
}

/** @param {string[]} sentences */
const said = (sentences) => el("ul", { class: "findings" }, sentences.map((sentence) => el("li", {}, sentence)));

/** Accuracy by two knobs: tables whose cells are coloured. @param {any} found */
function heat({ row, column, after, maps }) {
  if (!maps.length) return [];
  const all = maps.flatMap((/** @type {any} */ map) => map.values.flat()).filter((/** @type {any} */ value) => value !== null);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const scale = el("p", { class: "caption scale" }, score(low), el("span", { class: "bar", "aria-hidden": "true" }, [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => painted(el("i", {}), share))), score(high));
  return [el("h3", {}, `Validation accuracy${after ? ` after epoch ${after}` : ""} by ${row} (down) and ${column} (across)`), el("div", { class: "heats" }, maps.map((/** @type {any} */ map) => heatMap(map, row, column, low, high))), scale];
}

/** @param {any} map @param {string} row @param {string} column @param {number} low @param {number} high */
function heatMap(map, row, column, low, high) {
  const cell = (/** @type {number | null} */ value) => (value === null ? el("td", {}, "none") : painted(el("td", {}, `${(value * 100).toFixed(1)} %`), (value - low) / Math.max(high - low, 1e-9)));
  const head = el("tr", {}, el("th", { scope: "col" }, el("span", { class: "spoken" }, `${row}, by ${column}`)), map.columns.map((/** @type {string} */ name) => el("th", { scope: "col" }, name)));
  const body = map.rows.map((/** @type {string} */ name, /** @type {number} */ place) => el("tr", {}, el("th", { scope: "row" }, name), map.values[place].map(cell)));
  return scrolling(`Heat map: ${map.title}`, el("table", { class: "heat" }, el("caption", {}, map.title), el("thead", {}, head), el("tbody", {}, body)));
}

/** @param {any} element @param {number} share */
function painted(element, share) {
  element.style.background = colour(share);
  element.style.color = share > 0.44 ? "#000" : "#fff";
  return element;
}

/** The lines through the knobs and the table; a point that is pointed at in one is marked in both. */
class Drawn {
  /** @param {any} sweep */
  constructor(sweep) {
    this.sweep = sweep;
    /** @type {Map<number, Element[]>} */
    this.parts_ = new Map();
  }

  parts() {
    const lines = this.sweep.parallel.points.length > 1 ? [el("h3", {}, "Every point as a line through its knobs; the better, the thicker"), scrolling("Lines through the knobs", this.parallel())] : [];
    return [...lines, this.table()];
  }

  /** @param {number} point @param {Element} element */
  tie(point, element) {
    this.parts_.set(point, [...(this.parts_.get(point) ?? []), element]);
    const onFocus = element instanceof HTMLElement; // Chromium lets Tab stop at a line that listens for it
    for (const kind of ["mouseenter", ...(onFocus ? ["focusin"] : [])]) element.addEventListener(kind, () => this.mark(point, true));
    for (const kind of ["mouseleave", ...(onFocus ? ["focusout"] : [])]) element.addEventListener(kind, () => this.mark(point, false));
    return element;
  }

  /** @param {number} point @param {boolean} on */
  mark(point, on) {
    for (const element of this.parts_.get(point) ?? []) element.classList.toggle("marked", on);
  }

  parallel() {
    const { points, places, ticks, scores } = this.sweep.parallel;
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    const shares = scores.map((/** @type {number} */ score) => (score - low) / Math.max(high - low, 1e-9));
    const axes = [...Object.keys(places), "accuracy"];
    const x = (/** @type {number} */ place) => LEFT + (place * (WIDTH - LEFT - RIGHT)) / (axes.length - 1);
    const y = (/** @type {number} */ share) => HEIGHT - BOTTOM - (share * 0.92 + 0.04) * (HEIGHT - TOP - BOTTOM);
    const marks = { ...ticks, accuracy: [0, 0.5, 1].map((share) => [share, `${((low + share * (high - low)) * 100).toFixed(1)} %`]) };
    const order = points.map((_, /** @type {number} */ place) => place).sort((/** @type {number} */ one, /** @type {number} */ other) => shares[one] - shares[other]);
    const lines = order.map((/** @type {number} */ place) => {
      const heights = [...Object.values(places).map((/** @type {any} */ column) => column[place]), shares[place]];
      const line = svg("polyline", { class: "line", points: heights.map((share, axis) => `${x(axis)},${y(share)}`).join(" "), "stroke-width": 1.2 + 3 * shares[place] }, svg("title", {}, `point ${points[place]}: ${score(scores[place])}`));
      line.style.stroke = colour(0.3 + 0.45 * shares[place]);
      return this.tie(points[place], line);
    });
    const best = Math.max(...scores);
    const summary = `Parallel coordinates: ${points.length} points, from ${score(low)} to ${score(best)}; the table below has the same numbers.`;
    return svg("svg", { class: "chart parallel", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": summary }, lines, axes.map((name, place) => axis(name, x(place), y, marks[name])));
  }

  table() {
    const heads = this.sweep.columns.map((/** @type {string} */ name) => el("th", { scope: "col" }, name.replaceAll("_", " ")));
    const rows = this.sweep.rows.map((/** @type {any} */ row) => {
      const best = row.point === this.sweep.best;
      return this.tie(row.point, el("tr", { tabindex: 0, class: best && "best" }, row.cells.map((/** @type {string} */ cell, /** @type {number} */ place) => (place ? el("td", {}, cell) : el("th", { scope: "row" }, best && "★ ", cell)))));
    });
    return scrolling("Points of the sweep, the best first", el("table", { class: "points" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows)));
  }
}

/** @param {string} name @param {number} x @param {(share: number) => number} y @param {[number, string][]} marks */
const axis = (name, x, y, marks) => [
  svg("line", { class: "axis", x1: x, x2: x, y1: y(-0.04), y2: y(1.04) }),
  svg("text", { class: "tick", x, y: HEIGHT - 8, "text-anchor": x < 60 ? "start" : "middle" }, name),
  marks.map(([share, text]) => svg("text", { class: "tick over", x: x + 5, y: y(share) + 4 }, text)),
];
