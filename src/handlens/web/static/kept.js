// A drawing, or a photo, kept as the digit that it is; and taken back.

import { ask } from "./api.js";
import { el } from "./dom.js";
import { keep } from "./outbox.js";

/** @typedef {import("./drawpad.js").DrawPad} DrawPad */

export class Kept {
  /** @param {DrawPad} pad @param {() => Blob | null} photo that is on the pad in place of a drawing */
  constructor(pad, photo) {
    this.pad = pad;
    this.photo = photo;
    this.element = el("p", { class: "kept", role: "status" });
  }

  /** @param {...any} words none: nothing is to be said any more */
  say(...words) {
    this.element.replaceChildren(...words);
  }

  /** @param {number} label @param {boolean} [anyway] @param {Blob | null} [photo] @param {any[]} [strokes] */
  async keep(label, anyway = false, photo = this.photo(), strokes = this.pad.strokes) {
    if (!photo && !strokes.length) return this.say("Draw something first; then say what it is.");
    this.pad.over = true; // who draws on while it is being kept begins another one
    try {
      const digit = photo ? await ask("POST", `/api/digits/photo/${label}${anyway ? "?anyway=1" : ""}`, photo) : await keep({ strokes, label, anyway });
      if (!digit) return this.say(`Your ${label} waits in this browser.`);
      const back = el("button", { type: "button", class: "link", onclick: () => this.takeBack(digit.id) }, "Take back");
      this.say(`✓ Kept as a ${label}. You have ${digit.counts[label]} of it, ${digit.all} digits in all. `, back);
    } catch (trouble) {
      this.pad.over = false;
      const several = /** @type {Error} */ (trouble).message.startsWith("More than one digit");
      const insist = el("button", { type: "button", class: "link", onclick: () => this.keep(label, true, photo, strokes) }, "Keep it anyway");
      this.say(several ? "More than one digit? " : (/** @type {any} */ (trouble).words ?? String(trouble)), several ? insist : "");
    }
  }

  /** @param {string} id */
  async takeBack(id) {
    try {
      await ask("DELETE", `/api/digits/${id}`);
      this.pad.over = false;
      this.say("Taken back.");
    } catch (trouble) {
      this.say(/** @type {any} */ (trouble).words ?? String(trouble));
    }
  }
}
