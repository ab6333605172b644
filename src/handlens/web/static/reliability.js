// How often a network is right when it is so sure, as points beside the diagonal, and how often it is so sure.

import { counted, el, svg } from "./dom.js";
import { asTable, score } from "./tables.js";

const [SIZE, LEFT, BOTTOM, TOP] = [300, 46, 40, 32];
const FEW = 10;

/** @typedef {{sure: number | null, right: number | null, count: number}} Bin */

/** @param {{calibration: Bin[], ece: number, n: number}} found */
export function reliability({ calibration, ece, n }) {
  const bins = calibration.filter(({ count }) => count);
  const x = (/** @type {number | null} */ share) => LEFT + (share ?? 0) * (SIZE - LEFT - 10);
  const y = (/** @type {number | null} */ share) => SIZE - BOTTOM - (share ?? 0) * (SIZE - TOP - BOTTOM);
  const most = Math.max(...bins.map(({ count }) => count));
  const wide = (SIZE - LEFT - 10) / calibration.length;
  const bars = calibration.map(({ count }, place) => count && svg("rect", { class: "crowd", x: LEFT + place * wide, width: wide - 1, y: y(0.18 * (count / most)), height: y(0) - y(0.18 * (count / most)) }));
  const gaps = bins.map(({ sure, right }) => svg("line", { class: "gap", x1: x(sure), x2: x(sure), y1: y(sure), y2: y(right) }));
  const dots = bins.map(({ sure, right, count }) => svg("circle", { class: count < FEW ? "dot few" : "dot", cx: x(sure), cy: y(right), r: 4.5 }, svg("title", {}, `${counted(count, "image")}: ${score(sure)} sure, ${score(right)} right`)));
  const ticks = [0, 0.5, 1].map((share) => [
    svg("text", { class: "tick", x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, `${share * 100} %`),
    svg("text", { class: "tick", x: x(share), y: SIZE - BOTTOM + 16, "text-anchor": share === 1 ? "end" : "middle" }, `${share * 100} %`),
  ]);
  const words = [svg("text", { class: "tick", x: SIZE - 10, y: SIZE - 6, "text-anchor": "end" }, "how sure it is"), svg("text", { class: "tick", x: 2, y: 14 }, "how often it is right")];
  const summary = `Expected calibration error ${(ece * 100).toFixed(1)} points, how far its probabilities are off: ${verdict(bins)}`;
  const drawing = svg("svg", { class: "chart reliability", viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": summary }, svg("line", { class: "diagonal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }), bars, gaps, dots, ticks, words);
  const rows = bins.map(({ sure, right, count }) => [score(sure), score(right), `${count} (${score(count / n)})`]);
  return el("div", {}, drawing, el("p", { class: "caption" }, `${summary} Bars: how many images; hollow: fewer than ${FEW}.`), asTable("Calibration", ["how sure, on average", "right", "images"], rows));
}

/** @param {Bin[]} bins */
function verdict(bins) {
  const all = bins.reduce((sum, { count }) => sum + count, 0);
  const over = bins.reduce((sum, { sure, right, count }) => sum + ((sure ?? 0) - (right ?? 0)) * count, 0) / all;
  if (Math.abs(over) < 0.005) return "it is right about as often as it is sure.";
  return over > 0 ? `it is too sure by ${(over * 100).toFixed(1)} points on average.` : `it is less sure than it could be, by ${(-over * 100).toFixed(1)} points on average.`;
}
