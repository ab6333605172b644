// "Draw ten of each": one digit after the other is asked for, drawn and kept, until there are ten of each.

import { ask, setAddress } from "./api.js";
import { el, speak } from "./dom.js";
import { DrawPad } from "./drawpad.js";
import { keep } from "./outbox.js";

export const GOAL = 10;

export class Wizard {
  /** @param {HTMLElement} place @param {(counts: any) => void} changed */
  constructor(place, changed) {
    this.place = place;
    this.changed = changed;
    /** @type {number[]} */
    this.counts = [];
    this.label = 0;
    this.last = "";
    this.title = el("h3", { id: "wizard-title" });
    this.progress = el("progress", { max: 10 * GOAL, "aria-label": "digits drawn" });
    this.said = el("p", { class: "kept", role: "status" });
    this.canvas = el("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": "Drawing pad. Arrow keys move the pen, Space puts it down and lifts it, Enter keeps the digit." });
    this.canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    this.pad = new DrawPad(this.canvas);
    this.keepButton = el("button", { type: "button", class: "primary", onclick: () => this.keep() }, "Keep, next");
    this.backButton = el("button", { type: "button", onclick: () => this.back() }, "Take the last one back");
  }

  /** @param {number[]} counts how many there are of each */
  open(counts) {
    this.counts = [...counts];
    setAddress({ draw: "ten" });
    this.keepButton.disabled = false;
    this.said.replaceChildren();
    const buttons = [this.keepButton, el("button", { type: "button", onclick: () => this.pad.undo() }, "Undo stroke"), el("button", { type: "button", onclick: () => this.skip() }, "Skip this one"), this.backButton, el("button", { type: "button", onclick: () => this.close() }, "Enough")];
    this.place.replaceChildren(el("section", { class: "wizard", "aria-labelledby": "wizard-title" }, this.title, this.progress, el("div", { class: "wizard-row" }, this.canvas, el("div", {}, el("p", {}, "Write it as you usually do, on the pad, and press Enter. Vary it a little from one to the next."), el("div", { class: "row" }, buttons), this.said))));
    this.next(-1);
    this.canvas.focus();
  }

  /** The next digit of which there are not ten, after this one. @param {number} after @param {boolean} [begun] it is being drawn already */
  next(after, begun = false) {
    const order = Array.from({ length: 10 }, (_, step) => (after + 1 + step) % 10);
    const missing = order.filter((label) => this.counts[label] < GOAL);
    const done = this.counts.reduce((sum, count) => sum + Math.min(GOAL, count), 0);
    this.progress.value = done;
    this.backButton.disabled = !this.last;
    if (!missing.length) return this.finish();
    this.label = missing[0];
    this.title.textContent = `Draw a ${this.label}  (${this.counts[this.label] + 1} of ${GOAL}; ${done} of ${10 * GOAL} in all)`;
    if (!begun) this.pad.clear();
    speak(`Draw a ${this.label}`);
  }

  finish() {
    this.title.textContent = "There are ten of each.";
    this.keepButton.disabled = true;
    this.said.replaceChildren("How does a network read them? ", el("code", {}, "handlens mine compare RUN"), " Let one learn from them: ", el("code", {}, "handlens train --with mine"));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== "Enter" && event.key !== "Backspace") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") this.keep();
    else this.pad.undo();
  }

  /** @param {boolean} [anyway] @param {any[]} [strokes] */
  async keep(anyway = false, strokes = this.pad.strokes) {
    if (this.keepButton.disabled) return;
    if (!strokes.length) return this.said.replaceChildren("Draw it first.");
    this.keepButton.disabled = true;
    this.pad.over = true; // who draws on while it is being kept begins the next one
    const label = this.label;
    try {
      const digit = await keep({ strokes, label, anyway });
      this.last = digit?.id ?? "";
      this.counts = digit ? [...digit.counts] : this.counts.map((count, each) => count + Number(each === label));
      this.said.replaceChildren(digit ? `✓ Kept as a ${label}.` : `Your ${label} waits in this browser.`);
      this.keepButton.disabled = false;
      if (digit) this.changed(digit);
      this.next(label, !this.pad.over);
    } catch (trouble) {
      this.keepButton.disabled = this.pad.over = false;
      const { doubtful, words } = /** @type {any} */ (trouble);
      const insist = el("button", { type: "button", class: "link", onclick: () => this.keep(true, strokes) }, "Keep it anyway");
      this.said.replaceChildren(doubtful ? "More than one digit? " : (words ?? String(trouble)), doubtful ? insist : "");
    }
  }

  skip() {
    this.said.replaceChildren();
    this.next(this.label);
  }

  async back() {
    if (!this.last) return;
    const id = this.last;
    this.last = "";
    try {
      const found = await ask("DELETE", `/api/digits/${id}`);
      this.counts = [...found.counts];
      this.keepButton.disabled = false;
      this.said.replaceChildren("Taken back.");
      this.changed(found);
      this.next(found.label - 1);
    } catch (trouble) {
      this.last ||= id; // it can be tried again
      this.said.replaceChildren(/** @type {any} */ (trouble).words ?? String(trouble));
    }
  }

  close() {
    setAddress({ draw: null });
    this.place.replaceChildren();
    document.getElementById("draw-ten")?.focus();
  }
}
