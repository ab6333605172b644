// Grey pictures as rows of bytes, and making them larger or smaller just as Pillow does, bit for bit.

/** @typedef {{width: number, height: number, at: Uint8Array}} Grid one byte a pixel, row by row */

/** @param {number} width @param {number} height @returns {Grid} */
export const blank = (width, height) => ({ width, height, at: new Uint8Array(width * height) });

/** The nearest whole number; of two the even one, as Python does it. @param {number} value */
export function even(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2) ? low + 1 : low;
}

/** @param {Grid} grid @param {number} left @param {number} top @param {number} right @param {number} bottom @returns {Grid} */
export function cut(grid, left, top, right, bottom) {
  const part = blank(right - left, bottom - top);
  for (let row = top; row < bottom; row++) part.at.set(grid.at.subarray(row * grid.width + left, row * grid.width + right), (row - top) * part.width);
  return part;
}

/** Black pixels all around. @param {Grid} grid @param {number} margin @returns {Grid} */
export function padded(grid, margin) {
  const wide = blank(grid.width + 2 * margin, grid.height + 2 * margin);
  for (let row = 0; row < grid.height; row++) wide.at.set(grid.at.subarray(row * grid.width, (row + 1) * grid.width), (row + margin) * wide.width + margin);
  return wide;
}

/** The box of what is brighter than a level; all of it if nothing is. @param {Grid} grid @param {number} level @returns {Grid} */
export function cropped(grid, level) {
  let [left, top, right, bottom] = [grid.width, grid.height, 0, 0];
  grid.at.forEach((value, place) => {
    if (value <= level) return;
    const [x, y] = [place % grid.width, Math.floor(place / grid.width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  });
  return right ? cut(grid, left, top, right, bottom) : grid;
}

const FILTERS = {
  box: { support: 0.5, weigh: (/** @type {number} */ x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  linear: { support: 1, weigh: (/** @type {number} */ x) => Math.max(0, 1 - Math.abs(x)) },
  cubic: {
    support: 2,
    weigh: (/** @type {number} */ x) => {
      const far = Math.abs(x);
      if (far < 1) return (1.5 * far - 2.5) * far * far + 1;
      return far < 2 ? ((-0.5 * far + 2.5) * far - 4) * far + 2 : 0;
    },
  },
};
const ONE = 1 << 22; // Pillow weighs with whole numbers of so many parts

/** For each pixel of a line of `after` the first pixel before, and the weights. @param {number} before @param {number} after @param {keyof typeof FILTERS} filter */
function weights(before, after, filter) {
  const { support, weigh } = FILTERS[filter];
  const scale = before / after;
  const wide = Math.max(1, scale);
  return Array.from({ length: after }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support * wide + 0.5));
    const last = Math.min(before, Math.trunc(centre + support * wide + 0.5));
    const found = Array.from({ length: last - first }, (_, step) => weigh((first + step - centre + 0.5) / wide));
    const sum = found.reduce((one, other) => one + other, 0);
    return { first, shares: found.map((share) => Math.trunc((share / sum) * ONE + (share < 0 ? -0.5 : 0.5))) };
  });
}

/** @param {Grid} grid @param {number} width @param {keyof typeof FILTERS} filter @returns {Grid} */
function acrossTo(grid, width, filter) {
  const result = blank(width, grid.height);
  weights(grid.width, width, filter).forEach(({ first, shares }, x) => {
    for (let y = 0; y < grid.height; y++) {
      let sum = ONE / 2;
      shares.forEach((share, step) => (sum += share * grid.at[y * grid.width + first + step]));
      result.at[y * width + x] = Math.min(255, Math.max(0, Math.floor(sum / ONE)));
    }
  });
  return result;
}

/** @param {Grid} grid @returns {Grid} */
function turned(grid) {
  const result = blank(grid.height, grid.width);
  grid.at.forEach((value, place) => (result.at[(place % grid.width) * grid.height + Math.floor(place / grid.width)] = value));
  return result;
}

/** @param {Grid} grid @param {number} width @param {number} height @param {keyof typeof FILTERS} filter @returns {Grid} */
export function resized(grid, width, height, filter) {
  const upright = filter === "box" && grid.height > 2 * grid.width; // then Pillow begins with the columns, and rounds there first
  if (upright && grid.height !== height) return resized(turned(acrossTo(turned(grid), height, filter)), width, height, filter);
  const across = grid.width === width ? grid : acrossTo(grid, width, filter);
  return across.height === height ? across : turned(acrossTo(turned(across), height, filter));
}
