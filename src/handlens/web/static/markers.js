// Ten shapes for ten series or classes, so that nothing is told apart by its colour alone.

import { svg } from "./dom.js";

const SHAPES = [
  "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0z",
  "M-.9-.9H.9V.9H-.9z",
  "M0-1.15L1.1.85H-1.1z",
  "M0-1.2L1.2 0 0 1.2-1.2 0z",
  "M0 1.15L1.1-.85H-1.1z",
  "M-.35-1.1H.35V-.35H1.1V.35H.35V1.1H-.35V.35H-1.1V-.35H-.35z",
  "M-1.1-.6L-.6-1.1 0-.5.6-1.1 1.1-.6.5 0 1.1.6.6 1.1 0 .5-.6 1.1-1.1.6-.5 0z",
  "M-1.15 0L.85-1.1V1.1z",
  "M1.15 0L-.85-1.1V1.1z",
  "M0-1.25L.3-.4 1.2-.4.48.15.75 1 0 .48-.75 1-.48.15-1.2-.4-.3-.4z",
];

/** @param {number} number of the series, from 0 @param {number} x @param {number} y @param {number} size half of its width */
export const marker = (number, x, y, size) => svg("path", { class: `mark s${(number % 10) + 1}`, d: SHAPES[number % 10], transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${size})` });

/** A series' line and shape, for a legend. @param {number} number @param {boolean} [line] */
export const sample = (number, line = true) =>
  svg("svg", { class: "chart sample", viewBox: "0 0 34 14", width: 34, height: 14, "aria-hidden": "true" }, line && svg("polyline", { class: `series s${number + 1}`, points: "1,7 33,7" }), marker(number, 17, 7, 4.5));
