// Strokes drawn with a round pen, white on black, as large as they need, and which of them belong to one digit:
// `handlens.data.drawing` in JavaScript, as far as it is about strokes.

import { blank } from "./grid.js";

/** @typedef {import("./grid.js").Grid} Grid */
/** @typedef {{number: number, area: number, weight: number, sharpness: number, top: number, bottom: number, left: number, right: number}} Piece */

const DRAWN = 84;
const PEN = DRAWN / 8;
const CONTRAST = 223; // of ink to paper
const [SPECK, SOFT, NEAR, SIMILAR, AT_RIM] = [0.03, 0.3, 0.3, 0.3, 0.3];

/** How large a pixel is, in the unit of the points, is `scale`. @param {[number, number][][]} strokes @returns {{grid: Grid, scale: number}} */
export function drawn(strokes) {
  const points = strokes.flat();
  if (!points.length) return { grid: blank(DRAWN, DRAWN), scale: 1 };
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [wide, high] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const size = Math.max(wide, high, 1e-9);
  const grid = blank(Math.ceil((wide * DRAWN) / size + 3 * PEN), Math.ceil((high * DRAWN) / size + 3 * PEN));
  for (const stroke of strokes) {
    const line = stroke.map(([x, y]) => [(x - left) * (DRAWN / size) + 1.5 * PEN, (y - top) * (DRAWN / size) + 1.5 * PEN]);
    line.slice(1).forEach((point, place) => thick(grid, line[place], point));
    line.forEach((point) => dot(grid, point));
  }
  return { grid, scale: size / DRAWN };
}

/** @param {Grid} grid @param {number} y @param {number} from @param {number} to */
function row(grid, y, from, to) {
  if (y < 0 || y >= grid.height) return;
  for (let x = Math.max(0, from); x <= Math.min(grid.width - 1, to); x++) grid.at[y * grid.width + x] = 255;
}

const away = (/** @type {number} */ value) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5); // halves away from zero
const towards = (/** @type {number} */ value) => Math.sign(value) * Math.ceil(Math.abs(value) - 0.5);

/** A line with straight ends, with the corners that Pillow gives it. @param {Grid} grid @param {number[]} from @param {number[]} to */
function thick(grid, from, to) {
  const [x0, y0, x1, y1] = [...from, ...to].map(Math.trunc);
  const [dx, dy] = [x1 - x0, y1 - y0];
  if (!dx && !dy) return row(grid, y0, x0, x0);
  const half = (2 * Math.floor(PEN / 2) - 1) / 2;
  const [most, least] = [away(half) / Math.hypot(dx, dy), towards(half) / Math.hypot(dx, dy)];
  const [xLeast, xMost, yLeast, yMost] = [towards(least * dy), towards(most * dy), away(least * dx), away(most * dx)];
  fill(grid, [[x0 - xLeast, y0 + yMost], [x1 - xLeast, y1 + yMost], [x1 + xMost, y1 - yLeast], [x0 + xMost, y0 - yLeast]]);
}

/** A convex shape, its corners in whole numbers. @param {Grid} grid @param {number[][]} corners */
function fill(grid, corners) {
  const heights = corners.map(([, y]) => y);
  for (let y = Math.min(...heights); y <= Math.max(...heights); y++) {
    const cuts = corners.flatMap(([x0, y0], place) => crossing(y, x0, y0, corners[(place + 1) % corners.length]));
    row(grid, y, away(Math.min(...cuts)), towards(Math.max(...cuts)));
  }
}

/** Where an edge is at a height. @param {number} y @param {number} x0 @param {number} y0 @param {number[]} end @returns {number[]} */
function crossing(y, x0, y0, [x1, y1]) {
  if (y < Math.min(y0, y1) || y > Math.max(y0, y1)) return [];
  return y0 === y1 ? [x0, x1] : [Math.fround(x0 + (y - y0) * Math.fround((x1 - x0) / (y1 - y0)))];
}

/** The round end of a pen. @param {Grid} grid @param {number[]} place */
function dot(grid, [x, y]) {
  const [left, top, right, bottom] = [x - PEN / 2, y - PEN / 2, x + PEN / 2, y + PEN / 2].map(Math.trunc);
  for (const { line, half } of ellipse(right - left, bottom - top)) row(grid, top + (bottom - top + line) / 2, left + (right - left - half) / 2, left + (right - left + half) / 2);
}

/** How wide each line of an ellipse is: steps along the curve, each to the place nearest to it. @param {number} a @param {number} b */
function ellipse(a, b) {
  const far = (/** @type {number} */ x, /** @type {number} */ y) => Math.abs(a * a * y * y + b * b * x * x - a * a * b * b);
  const lines = new Map();
  for (let x = a, y = b % 2; ; ) {
    if (!lines.has(y)) lines.set(y, x);
    if (x === a % 2 && y === b) break;
    const next = [[x, y + 2], ...(x > 1 ? [[x - 2, y + 2], [x - 2, y]] : [])];
    [x, y] = next.reduce((best, other) => (far(other[0], other[1]) < far(best[0], best[1]) ? other : best));
  }
  return [...lines].flatMap(([line, half]) => (line ? [{ line, half }, { line: -line, half }] : [{ line, half }]));
}

/** The pieces of ink that hang together, and the grid in which each has its number. @param {Grid} grid */
export function pieces(grid) {
  const numbers = new Int32Array(grid.at.length);
  /** @type {Piece[]} */
  const found = [];
  grid.at.forEach((ink, place) => {
    if (ink && !numbers[place]) found.push(measured(grid, spread(grid, numbers, place, found.length + 1), found.length + 1));
  });
  return { numbers, found };
}

/** All places that hang together with one. @param {Grid} grid @param {Int32Array} numbers @param {number} start @param {number} number */
function spread(grid, numbers, start, number) {
  const places = [start];
  numbers[start] = number;
  for (const place of places) {
    const [x, y] = [place % grid.width, Math.floor(place / grid.width)];
    for (let near = Math.max(0, y - 1); near <= Math.min(grid.height - 1, y + 1); near++) {
      for (let beside = Math.max(0, x - 1); beside <= Math.min(grid.width - 1, x + 1); beside++) {
        const next = near * grid.width + beside;
        if (!grid.at[next] || numbers[next]) continue;
        numbers[next] = number;
        places.push(next);
      }
    }
  }
  return places;
}

/** @param {Grid} grid @param {number[]} places @param {number} number @returns {Piece} */
function measured(grid, places, number) {
  const [xs, ys] = [places.map((place) => place % grid.width), places.map((place) => Math.floor(place / grid.width))];
  const steps = places.map((place, each) => Number(xs[each] > 0 && !grid.at[place - 1]) + Number(ys[each] > 0 && !grid.at[place - grid.width]));
  const [sum, squares] = [steps.reduce((one, other) => one + other, 0), steps.reduce((one, other) => one + other * other, 0)];
  const sharpness = Math.max((CONTRAST * squares) / Math.max(sum, 1) - 2, 1);
  const box = { top: Math.min(...ys), bottom: Math.max(...ys) + 1, left: Math.min(...xs), right: Math.max(...xs) + 1 };
  const cutOff = !box.top || !box.left || box.bottom === grid.height || box.right === grid.width;
  return { number, area: places.length, weight: places.length * sharpness * (cutOff ? AT_RIM : 1), sharpness, ...box };
}

/** The groups that may be a digit each, the one with the most ink first. @param {Piece[]} found @returns {Piece[][]} */
export function groups(found) {
  const heaviest = found.reduce((best, piece) => (piece.weight > best.weight ? piece : best), found[0]);
  const rest = found.filter((piece) => piece.area > SPECK * heaviest.area && piece.sharpness > SOFT * heaviest.sharpness);
  rest.sort((one, other) => other.weight - one.weight);
  const all = [];
  while (rest.length) {
    const group = [/** @type {Piece} */ (rest.shift())];
    const near = NEAR * Math.max(group[0].bottom - group[0].top, group[0].right - group[0].left);
    for (let next = 0; next >= 0; ) {
      next = rest.findIndex((piece) => group.some((member) => gap(piece, member) <= near) && joins(group, piece));
      if (next >= 0) group.push(...rest.splice(next, 1));
    }
    all.push(group);
  }
  return all.sort((one, other) => weight(other) - weight(one));
}

/** The box of all of it. @param {Piece[]} group */
export function bounds(group) {
  const [low, high] = [(/** @type {"top" | "left"} */ side) => Math.min(...group.map((each) => each[side])), (/** @type {"bottom" | "right"} */ side) => Math.max(...group.map((each) => each[side]))];
  return { top: low("top"), bottom: high("bottom"), left: low("left"), right: high("right") };
}

const weight = (/** @type {Piece[]} */ group) => group.reduce((sum, piece) => sum + piece.weight, 0);

/** Whether the second group may be another digit. @param {Piece[]} first @param {Piece[]} second */
export const isRival = (first, second) => weight(second) > SIMILAR * weight(first);

/** @param {Piece} one @param {Piece} other */
function gap(one, other) {
  return Math.max(0, Math.max(one.left, other.left) - Math.min(one.right, other.right), Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom));
}

/** Two that are as tall and stand side by side are two digits. @param {Piece[]} group @param {Piece} piece */
function joins(group, piece) {
  const { top, bottom, left, right } = bounds(group);
  const height = piece.bottom - piece.top;
  const beside = piece.left >= right || piece.right <= left;
  const overlap = Math.min(bottom, piece.bottom) - Math.max(top, piece.top);
  return !(beside && height > 0.6 * (bottom - top) && overlap > 0.5 * height);
}
