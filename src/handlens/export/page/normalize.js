// From strokes to 28x28 pixels as MNIST has them: `handlens.data.drawing.normalize` in JavaScript.

import { blank, cropped, cut, even, padded, resized } from "./grid.js";
import { bounds, drawn, groups, isRival, pieces } from "./ink.js";

/** @typedef {import("./grid.js").Grid} Grid */

const [SIDE, LONGER, FINE] = [28, 20, 3];
const [THINNEST, THICKEST] = [2.2, 3.4];
const [LEAST_PIXELS, TINY, SMALL] = [6, 40, 40];
const WHITE = 254; // what full ink comes to in 32-bit floats
export const TOO_LITTLE = "too little ink to judge";
export const TOO_MANY = "more than one digit?";

/** @param {[number, number][][]} strokes lists of points (x, y), y downward @returns {{image: Grid, doubt: string}} */
export function normalize(strokes) {
  const { grid, scale } = drawn(strokes.filter((stroke) => stroke.length));
  const seen = look(grid);
  const longer = seen.box && Math.max(seen.box.right - seen.box.left, seen.box.bottom - seen.box.top);
  if (scale <= 1 || !seen.box || longer >= SMALL) return seen;
  const { left, top, right, bottom } = seen.box; // it is small beside the rest: looked at again, alone
  const start = (/** @type {number} */ edge) => Math.max(0, Math.trunc((edge * scale - longer * scale) / scale));
  const end = (/** @type {number} */ edge, /** @type {number} */ most) => Math.min(most, Math.trunc((edge * scale + longer * scale) / scale) + 1);
  return look(cut(grid, start(left), start(top), end(right, grid.width), end(bottom, grid.height)));
}

/** The digit in a drawing. @param {Grid} grid @returns {{image: Grid, doubt: string, box?: {left: number, top: number, right: number, bottom: number}}} */
function look(grid) {
  const { numbers, found } = pieces(grid);
  const all = found.length ? groups(found) : [];
  const group = all[0] ?? [];
  const inked = grid.at.reduce((count, value) => count + Number(value > 0), 0);
  const faint = Math.max(grid.width, grid.height) >= TINY && inked > grid.at.length / 2; // then the ink is what there is most of
  if (faint || group.reduce((sum, piece) => sum + piece.area, 0) < LEAST_PIXELS) return { image: blank(SIDE, SIDE), doubt: TOO_LITTLE };
  const chosen = new Set(group.map(({ number }) => number));
  const mask = { ...grid, at: Uint8Array.from(numbers, (number) => (chosen.has(number) ? WHITE : 0)) };
  return { image: shaped(cropped(mask, 40)), doubt: all.slice(1).some((other) => isRival(group, other)) ? TOO_MANY : "", box: bounds(group) };
}

/** MNIST's size, stroke and place. @param {Grid} ink @returns {Grid} */
function shaped(ink) {
  const large = Math.max(ink.width, ink.height) >= LONGER * FINE;
  const scaled = large ? fitted(steeper(ink), LONGER * FINE) : cropped(steeper(fitted(ink, LONGER * FINE)), 40);
  const stroked = restroked(padded(scaled, 2 * FINE), strokeWidth(scaled) / FINE);
  return centred(fitted(cropped(stroked, 40), LONGER));
}

/** Steeper edges. @param {Grid} grid @returns {Grid} */
function steeper(grid) {
  const at = grid.at.map((value) => Math.trunc(Math.min(255, Math.max(0, Math.fround((value - 51) / Math.fround(0.6))))));
  return { ...grid, at };
}

/** @param {Grid} grid @param {number} longer @returns {Grid} */
function fitted(grid, longer) {
  const scale = longer / Math.max(grid.width, grid.height);
  const size = [grid.width, grid.height].map((side) => Math.max(1, even(side * scale)));
  return resized(grid, size[0], size[1], scale > 1 ? "linear" : "box");
}

/** Twice the area over the length of the edge. @param {Grid} grid */
function strokeWidth(grid) {
  const { width, height, at } = padded(grid, 1);
  let [area, edge] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const slope = (/** @type {number} */ place, /** @type {number} */ step, /** @type {number} */ many, /** @type {number} */ here) => {
        const [before, after] = [place ? here - step : here, place < many - 1 ? here + step : here];
        return (at[after] - at[before]) / Math.max(1, (after - before) / step);
      };
      const here = y * width + x;
      area += at[here];
      edge += Math.hypot(slope(y, width, height, here), slope(x, 1, width, here));
    }
  }
  return (2 * area) / Math.max(edge, 1e-9);
}

const DISC = [[0, 0], [0, 1], [0, -1], [1, 0], [-1, 0]];
const SQUARE = [...DISC, [1, 1], [1, -1], [-1, 1], [-1, -1]];

/** Strokes as wide as MNIST's, by growing or shrinking. @param {Grid} grid @param {number} width @returns {Grid} */
function restroked(grid, width) {
  const change = ((Math.min(THICKEST, Math.max(THINNEST, width)) - width) / 2) * FINE;
  const choose = change > 0 ? Math.max : Math.min;
  let image = grid;
  for (let step = 0; step < Math.ceil(Math.abs(change)); step++) {
    const part = Math.min(1, Math.abs(change) - step);
    const grown = spreadBy(image, step % 2 ? SQUARE : DISC, choose);
    image = { ...image, at: image.at.map((value, place) => even(value + part * (grown[place] - value))) };
  }
  return image;
}

/** The brightest or darkest of each pixel's neighbours. @param {Grid} grid @param {number[][]} near @param {(...values: number[]) => number} choose */
function spreadBy({ width, height, at }, near, choose) {
  const inside = (/** @type {number} */ place, /** @type {number} */ many) => Math.min(many - 1, Math.max(0, place));
  return at.map((_, place) => {
    const [x, y] = [place % width, Math.floor(place / width)];
    return choose(...near.map(([right, down]) => at[inside(y + down, height) * width + inside(x + right, width)]));
  });
}

/** The centre of mass in the middle, as far as it stays inside. @param {Grid} grid @returns {Grid} */
function centred(grid) {
  let [mass, across, down] = [0, 0, 0];
  grid.at.forEach((value, place) => {
    mass += value;
    across += value * ((place % grid.width) + 0.5);
    down += value * (Math.floor(place / grid.width) + 0.5);
  });
  const start = (/** @type {number} */ middle, /** @type {number} */ size) => Math.min(SIDE - size, Math.max(0, even((SIDE + 1) / 2 - middle / Math.max(mass, 1))));
  const [left, top] = [start(across, grid.width), start(down, grid.height)];
  const canvas = blank(SIDE, SIDE);
  for (let row = 0; row < grid.height; row++) canvas.at.set(grid.at.subarray(row * grid.width, (row + 1) * grid.width), (top + row) * SIDE + left);
  return canvas;
}
