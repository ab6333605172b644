// A phone as a drawing pad: what is drawn on it shows up on the computer, and the network's answer here.

import { ask, newest, Trouble } from "./api.js";
import { spoken } from "./bars.js";
import { byId, el, notice, percent, speak } from "./dom.js";
import { DrawPad } from "./drawpad.js";

const AGAIN_MS = 2000;
const TOO_LONG = 413;
const TOO_OFTEN = 429;
/** @type {Record<number, string>} by the status of the answer; 0 where there is none */
const WORDS = {
  0: "The computer does not answer. What you draw stays here, and is sent when it is back.",
  [TOO_LONG]: "There is too much on the pad. Press Clear, and draw one digit.",
};
let later = 0;

const canvas = el("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": "Drawing pad. Arrow keys move the pen, Space puts it down and lifts it." });
const digit = el("span", { class: "digit" }, "–");
const said = el("span", { class: "said" }, "Draw a digit.");
const pad = new DrawPad(canvas, { changed: () => send(null) });

const send = newest(async () => {
  clearTimeout(later); // each movement while nobody answers would ask again for ever
  try {
    const { strokes, pen } = pad;
    const answer = await ask("POST", "/api/phone/drawing", { strokes, pen });
    if (answer.kept && strokes === pad.strokes) pad.dropFirst(answer.kept);
    digit.textContent = answer.label || "–";
    said.textContent = answer.label ? percent(answer.probabilities[answer.label]) : "Too little ink yet.";
    notice("");
    if (!pad.isDrawing) speak(spoken(answer));
  } catch (trouble) {
    const status = trouble instanceof Trouble ? trouble.status : -1;
    notice(WORDS[status] ?? /** @type {any} */ (trouble).words ?? String(trouble));
    if (status === 0 || status === TOO_OFTEN) later = setTimeout(() => send(null), AGAIN_MS);
  }
});

byId("main").append(
  el("h1", {}, "Draw"),
  canvas,
  el("div", { class: "row" }, el("p", { class: "headline" }, digit, said), el("button", { type: "button", onclick: () => pad.undo() }, "Undo"), el("button", { type: "button", onclick: () => pad.clear() }, "Clear")),
  el("p", { class: "hint" }, "It shows up on the computer as you draw; there you say what it is, and keep it."),
);
