// A drawing as text that fits into an address, and back: two letters for x and two for y, to the base 36; a dot between strokes.

/** @typedef {import("./drawpad.js").Stroke} Stroke */

import { SIDE } from "./drawpad.js";

const APART = 3; // points that lie nearer to the one before are left out: 28 pixels do not show them
const MOST_POINTS = 800; // an address has its limits too
const WRITTEN = /^([0-9a-z]{4})+(\.([0-9a-z]{4})+)*$/;

/** Empty without strokes, and of more than an address holds. @param {Stroke[]} strokes @returns {string} */
export function toText(strokes) {
  const thin = strokes.map(thinned);
  if (thin.flat().length > MOST_POINTS) return "";
  return thin.map((stroke) => stroke.flat().map(letters).join("")).join(".");
}

/** None of a text that is no drawing. @param {string} text @returns {Stroke[]} */
export function fromText(text) {
  if (!WRITTEN.test(text) || text.length > 5 * MOST_POINTS) return [];
  return text.split(".").map((stroke) => (stroke.match(/.{4}/g) ?? []).map(point));
}

/** @param {Stroke} stroke @returns {Stroke} */
function thinned(stroke) {
  let last = stroke[0];
  return stroke.filter((point, place) => {
    const kept = place === 0 || place === stroke.length - 1 || Math.hypot(point[0] - last[0], point[1] - last[1]) >= APART;
    if (kept) last = point;
    return kept;
  });
}

/** @param {number} value */
const inside = (value) => Math.min(SIDE, Math.max(0, Math.round(value)));

/** @param {number} value */
const letters = (value) => inside(value).toString(36).padStart(2, "0");

/** @param {string} four @returns {[number, number]} */
const point = (four) => [number(four.slice(0, 2)), number(four.slice(2))];

/** @param {string} two */
const number = (two) => inside(parseInt(two, 36));
