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

  /** @param {number} label @param {boolean} [anyway] */
  async keep(label, anyway = false) {
    const photo = this.photo();
    if (!photo && !this.pad.strokes.length) return this.say("Draw something first; then say what it is.");
    try {
      const digit = photo ? await ask("POST", `/api/digits/photo/${label}${anyway ? "?anyway=1" : ""}`, photo) : await keep({ strokes: this.pad.strokes, label, anyway });
      this.pad.over = true;
      if (!digit) return this.say(`Your ${label} waits in this browser.`);
      const back = el("button", { type: "button", class: "link", onclick: () => this.takeBack(digit.id) }, "Take back");
      this.say(`✓ Kept as a ${label}. You have ${digit.counts[label]} of it, ${digit.all} digits in all. `, back);
    } catch (trouble) {
      const several = /** @type {Error} */ (trouble).message.startsWith("More than one digit");
      const insist = el("button", { type: "button", class: "link", onclick: () => this.keep(label, true) }, "Keep it anyway");
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
