// The confusion matrix as a table of buttons; arrows move in it, Enter shows the images of a cell.

import { counted, el } from "./dom.js";
import { scrolling, table } from "./tables.js";

const MOST = 26;

export class Confusion {
  /** @param {(label: string, predicted: string) => void} chosen */
  constructor(chosen) {
    this.chosen = chosen;
    /** @type {any[][]} */
    this.cells = [];
  }

  /** @param {{classes: string[], confusion_matrix: number[][], most_confused: {true: string, predicted: string, count: number}[]}} found */
  draw(found) {
    return el("div", {}, found.classes.length > MOST ? this.pairs(found) : this.matrix(found), el("p", { class: "caption" }, summary(found)));
  }

  /** Of very many classes only the pairs that are confused most. */
  pairs({ most_confused: pairs }) {
    const look = (/** @type {any} */ pair) => el("button", { type: "button", class: "link", onclick: () => this.chosen(pair.true, pair.predicted) }, `${pair.true} as ${pair.predicted}`);
    return table("The classes that are confused most", ["taken for another", "images"], pairs.map((/** @type {any} */ pair) => [look(pair), pair.count]));
  }

  matrix({ classes, confusion_matrix: counts }) {
    const most = Math.max(1, ...counts.flatMap((/** @type {number[]} */ row, /** @type {number} */ place) => row.filter((_, /** @type {number} */ column) => column !== place)));
    this.cells = counts.map((/** @type {number[]} */ row, /** @type {number} */ down) => row.map((count, across) => this.cell(classes, down, across, count, most)));
    this.cells[0][0].tabIndex = 0;
    const axes = el("tr", { class: "axes" }, el("th", { scope: "col", rowspan: 2 }, "it is"), el("th", { colspan: classes.length, scope: "colgroup" }, "taken for"));
    const heads = el("tr", {}, classes.map((/** @type {string} */ name) => el("th", { scope: "col" }, name)));
    const rows = this.cells.map((row, place) => el("tr", {}, el("th", { scope: "row" }, classes[place]), row.map((cell) => el("td", {}, cell))));
    return scrolling("How often each class was taken for each", el("table", { class: classes.some((/** @type {string} */ name) => name.length > 3) ? "confusion named" : "confusion" }, el("thead", {}, axes, heads), el("tbody", {}, rows)));
  }

  /** @param {string[]} classes @param {number} down @param {number} across @param {number} count @param {number} most */
  cell(classes, down, across, count, most) {
    const right = down === across;
    const words = right ? `${count} of class ${classes[down]} seen rightly` : `${count} of class ${classes[down]} taken for ${classes[across]}`;
    const look = () => count && this.chosen(classes[down], classes[across]);
    const button = el("button", { type: "button", class: right ? "good" : "", tabindex: -1, "aria-label": words, title: words, onclick: look }, count || "");
    if (count && !right) button.style.background = `color-mix(in srgb, var(--wrong) ${Math.round(8 + 37 * Math.sqrt(count / most))}%, var(--card))`;
    button.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.move(event, down, across));
    return button;
  }

  /** @param {KeyboardEvent} event @param {number} down @param {number} across */
  move(event, down, across) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const next = step && this.cells[down + step[0]]?.[across + step[1]];
    if (!next) return;
    event.preventDefault();
    this.cells[down][across].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

/** @param {any} found */
function summary({ most_confused: pairs }) {
  if (!pairs.length) return "Nothing was confused.";
  const said = pairs.slice(0, 3).map((/** @type {any} */ pair) => `${pair.true} as ${pair.predicted} (${counted(pair.count, "time")})`);
  return `Confused most: ${said.join(", ")}. The more mistakes, the stronger the colour; what is right has none.`;
}
