// Curves as SVG: a few hundred points at most, the product's colours, a dash and a marker for each series, never colour alone.

import { svg } from "./dom.js";
import { marker } from "./markers.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [400, 220, 46, 12, 12, 36];

/** @typedef {{name: string, points: [number, number][], look: "line" | "marks"}} Series */

/**
 * @param {{title: string, xLabel: string, xEnd: number, yEnd?: number, percent?: boolean, series: Series[]}} options
 * @returns {SVGElement}
 */
export function chart({ title, xLabel, xEnd, yEnd, percent = false, series }) {
  const values = series.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const low = (percent && [0.9, 0.8, 0.5].find((start) => start <= Math.min(...values, 1))) || 0;
  const high = yEnd ?? niceEnd(Math.max(...values, 0.1));
  const x = (/** @type {number} */ value) => LEFT + (value / xEnd) * (WIDTH - LEFT - RIGHT);
  const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - ((Math.min(value, high) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": summary(title, series, percent) },
    ticks(low, high, high === 3 ? 3 : low === 0.8 ? 4 : 5).map((value) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
      svg("text", { class: "tick", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, percent ? `${Math.round(value * 100)} %` : round(value)),
    ]),
    whole(xEnd).map((value) => svg("text", { class: "tick", x: x(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, value)),
    svg("text", { class: "tick", x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, xLabel),
    series.map(({ points, look }, number) => lines(points, look, number, x, y)),
  );
}

/** @param {[number, number][]} points @param {string} look @param {number} number @param {(v: number) => number} x @param {(v: number) => number} y */
function lines(points, look, number, x, y) {
  const places = points.filter(([, value]) => Number.isFinite(value)).map(([across, up]) => [x(across), y(up)]);
  const path = svg("polyline", { class: `series s${number + 1}`, points: places.map((place) => place.join()).join(" ") });
  const every = Math.ceil(places.length / 12);
  const marked = places.filter((_, place) => place % every === 0 || place === places.length - 1);
  const marks = look === "marks" ? marked.map(([across, up]) => marker(number, across, up, 4.5)) : [];
  return [path, marks];
}

/** The chart in one sentence. @param {string} title @param {Series[]} series @param {boolean} percent */
function summary(title, series, percent) {
  const show = (/** @type {number} */ value) => (percent ? `${(value * 100).toFixed(1)} %` : value.toFixed(3));
  const parts = series.filter(({ points }) => points.length).map(({ name, points }) => `${name} from ${show(points[0][1])} to ${show(points[points.length - 1][1])}`);
  return `${title}: ${parts.join("; ") || "nothing yet"}.`;
}

/** @param {number} low @param {number} high @param {number} count */
const ticks = (low, high, count) => Array.from({ length: count + 1 }, (_, place) => low + ((high - low) * place) / count);

/** @param {number} end whole numbers from 0 to the end, at most ten */
function whole(end) {
  const step = Math.max(1, Math.ceil(end / 10));
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, place) => place * step);
}

/** @param {number} value the next of 1, 2, 3, 5 times a power of ten */
function niceEnd(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 3, 5].find((factor) => factor * power >= value) ?? 10);
}

/** @param {number} value */
const round = (value) => String(Math.round(value * 1000) / 1000);
