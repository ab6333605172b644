// A phone as a drawing pad: what is drawn on it shows up on the computer, and the network's answer here.

import { ask, newest, Trouble } from "./api.js";
import { spoken } from "./bars.js";
import { byId, el, notice, percent, speak } from "./dom.js";
import { DrawPad } from "./drawpad.js";

const AGAIN_MS = 2000;

const canvas = el("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": "Drawing pad. Arrow keys move the pen, Space puts it down and lifts it." });
const digit = el("span", { class: "digit" }, "–");
const said = el("span", { class: "said" }, "Draw a digit.");
const pad = new DrawPad(canvas, { changed: () => send(null) });

const send = newest(async () => {
  try {
    const { strokes, pen } = pad;
    const answer = await ask("POST", "/api/phone/drawing", { strokes, pen });
    if (answer.kept && strokes === pad.strokes) pad.dropFirst(answer.kept);
    digit.textContent = answer.label || "–";
    said.textContent = answer.label ? percent(answer.probabilities[answer.label]) : "Too little ink yet.";
    notice("");
    if (!pad.isDrawing) speak(spoken(answer));
  } catch (trouble) {
    notice(trouble instanceof Trouble && !trouble.status ? "The computer does not answer. What you draw stays here, and is sent when it is back." : (/** @type {any} */ (trouble).words ?? String(trouble)));
    if (trouble instanceof Trouble && !trouble.status) setTimeout(() => send(null), AGAIN_MS);
  }
});

byId("main").append(
  el("h1", {}, "Draw"),
  canvas,
  el("div", { class: "row" }, el("p", { class: "headline" }, digit, said), el("button", { type: "button", onclick: () => pad.undo() }, "Undo"), el("button", { type: "button", onclick: () => pad.clear() }, "Clear")),
  el("p", { class: "hint" }, "It shows up on the computer as you draw; there you say what it is, and keep it."),
);
