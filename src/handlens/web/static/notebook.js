// The pad in a notebook: what is drawn goes to Python with each stroke, and Python's answer comes back. Python puts it behind drawpad.js.

import { DrawPad } from "./drawpad.js";

/** @typedef {{get: (name: string) => any, set: (name: string, value: any) => void, save_changes: () => void, on: (event: string, does: () => void) => void}} Model */

/** @param {{model: Model, el: HTMLElement}} options */
function render({ model, el }) {
  const canvas = document.createElement("canvas");
  canvas.className = "handlens-pad";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Drawing pad. Arrow keys move the pen, Space puts it down and lifts it.");
  const said = document.createElement("p");
  said.className = "handlens-said";
  said.setAttribute("aria-live", "polite");
  const pad = new DrawPad(canvas, { changed: () => send() });
  let sends = false;
  const send = () => {
    sends = true;
    model.set("strokes", pad.strokes.map((stroke) => [...stroke]));
    sends = false;
    model.save_changes();
  };
  const take = () => {
    if (sends || pad.isBusy) return; // it comes from this pad
    pad.forget();
    pad.strokes = model.get("strokes").filter(isStroke).map((/** @type {[number, number][]} */ stroke) => [...stroke]);
    pad.draw();
  };
  const show = () => (said.textContent = model.get("said"));
  model.on("change:said", show);
  model.on("change:strokes", take);
  take();
  show();
  el.append(canvas, button("Undo", () => pad.undo()), button("Clear", () => pad.clear()), said);
}

/** From Python anything may come. @param {any} stroke */
const isStroke = (stroke) => stroke?.length > 0 && [...stroke].every((point) => point?.length === 2 && [...point].every(Number.isFinite));

/** @param {string} name @param {() => void} does */
function button(name, does) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = name;
  made.addEventListener("click", does);
  return made;
}

export default { render };
