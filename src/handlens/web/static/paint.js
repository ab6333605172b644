// Numbers as colours on a canvas: grey for ink, viridis for magnitudes, blue-white-orange for signed weights.

/** @typedef {{width: number, height: number, bytes: string}} Pixels one byte a pixel, in base64 */

const STOPS = {
  grey: ["#000000", "#ffffff"],
  viridis: ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"],
  signed: ["#00263f", "#0072b2", "#ffffff", "#f08a45", "#c85a12"],
};

/** @param {string[]} stops @returns {number[][]} 256 colours */
function between(stops) {
  const points = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, level) => {
    const place = (level / 255) * (points.length - 1);
    const low = Math.min(Math.floor(place), points.length - 2);
    return [0, 1, 2].map((part) => Math.round(points[low][part] + (points[low + 1][part] - points[low][part]) * (place - low)));
  });
}

const COLOURS = Object.fromEntries(Object.entries(STOPS).map(([name, stops]) => [name, between(stops)]));

/** The colour of a share from 0 to 1, as CSS has it. @param {number} share @param {string} [map] */
export const colour = (share, map = "viridis") => `rgb(${COLOURS[map][Math.round(Math.min(Math.max(share, 0), 1) * 255)].join()})`;

/** The colour of a signed number from -1 to 1, and whether light letters are read on it. @param {number} value @returns {[string, boolean]} */
export function diverging(value) {
  const [red, green, blue] = COLOURS.signed[Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5)];
  const [r, g, b] = [red, green, blue].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return [`rgb(${red}, ${green}, ${blue})`, 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179]; // there black and white are read equally well
}

/** Which tile is at a place of a canvas that `paintTiles` has filled. @param {HTMLCanvasElement} canvas @param {Pixels[]} tiles @param {number} x @param {number} y both from 0 to 1 @returns {{tile: number, row: number, column: number} | null} */
export function tileAt(canvas, tiles, x, y) {
  const { width, height } = tiles[0];
  const [across, down] = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
  if (height === 1) return down * canvas.width + across < width ? { tile: down * canvas.width + across, row: 0, column: 0 } : null;
  const columns = Math.ceil(canvas.width / (width + 1));
  const tile = Math.floor(down / (height + 1)) * columns + Math.floor(across / (width + 1));
  return tile < tiles.length ? { tile, row: Math.min(down % (height + 1), height - 1), column: Math.min(across % (width + 1), width - 1) } : null;
}

/** @param {Pixels} picture @returns {Uint8Array} */
export const unpack = (picture) => Uint8Array.from(atob(picture.bytes), (letter) => letter.charCodeAt(0));

/** A tile as an image that a canvas takes. @param {Pixels} picture @param {string} map */
function coloured(picture, map) {
  const image = new ImageData(picture.width, picture.height);
  unpack(picture).forEach((level, place) => image.data.set([...COLOURS[map][level], 255], place * 4));
  return image;
}

/**
 * One picture, pixel for pixel; CSS makes it large.
 * @param {HTMLCanvasElement} canvas
 * @param {Pixels} picture
 * @param {string} [map]
 */
export function paint(canvas, picture, map = "grey") {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d")?.putImageData(coloured(picture, map), 0, 0);
}

/**
 * Many pictures of one size in rows, with a pixel between them.
 * @param {HTMLCanvasElement} canvas
 * @param {Pixels[]} tiles
 * @param {string} [map]
 * @param {number} [wide] pixels of a row at most
 */
export function paintTiles(canvas, tiles, map = "viridis", wide = 250) {
  const { width, height } = tiles[0];
  if (height === 1) return paint(canvas, folded(tiles[0]), map);
  const columns = Math.max(1, Math.min(tiles.length, Math.floor(wide / (width + 1))));
  canvas.width = columns * (width + 1) - 1;
  canvas.height = Math.ceil(tiles.length / columns) * (height + 1) - 1;
  const context = canvas.getContext("2d");
  tiles.forEach((tile, place) => context?.putImageData(coloured(tile, map), (place % columns) * (width + 1), Math.floor(place / columns) * (height + 1)));
}

/** A long row of units as several rows of 64. @param {Pixels} row @returns {Pixels} */
function folded(row) {
  if (row.width <= 64) return row;
  const height = Math.ceil(row.width / 64);
  const bytes = new Uint8Array(64 * height);
  bytes.set(unpack(row));
  return { width: 64, height, bytes: btoa(String.fromCharCode(...bytes)) };
}

/**
 * A heat map with the ink on it: the warmer, the more the answer hangs on it.
 * @param {HTMLCanvasElement} canvas
 * @param {Pixels} map
 * @param {Pixels} ink
 * @param {string} [colours] viridis, or signed where zero is in the middle
 */
export function paintHeat(canvas, map, ink, colours = "viridis") {
  const heat = unpack(map);
  const drawn = unpack(ink);
  const image = new ImageData(map.width, map.height);
  heat.forEach((level, place) => {
    const ink = (0.45 * drawn[place]) / 255;
    image.data.set([...COLOURS[colours][level].map((part) => part + (255 - part) * ink), 255], place * 4);
  });
  canvas.width = map.width;
  canvas.height = map.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
