// A drawing, or a photo, kept as the digit that it is; mended while it is on the pad, and taken back.

import { ask, unlessBusy } from "./api.js";
import { counted, el } from "./dom.js";
import { keep } from "./outbox.js";

/** @typedef {import("./drawpad.js").DrawPad} DrawPad */
/** @typedef {{photo: Blob | null, strokes: any[], label: number}} Drawing */

export class Kept {
  /** @param {DrawPad} pad @param {() => Blob | null} photo that is on the pad in place of a drawing */
  constructor(pad, photo) {
    this.pad = pad;
    this.photo = photo;
    this.element = el("p", { class: "kept", role: "status" });
    /** @type {{id: string, label: number, of: any} | null} what was kept of that which is on the pad: of a photo, or of strokes */
    this.last = null;
    /** @type {Promise<void>} each key waits for the one before */
    this.turn = Promise.resolve();
  }

  /** Of what is on the pad now nothing was kept. */
  begin() {
    this.last = null;
    this.say();
  }

  /** @param {...any} words none: nothing is to be said any more */
  say(...words) {
    this.element.replaceChildren(...words);
  }

  /** Keep what is on the pad as this digit; if it was kept already, it is this digit from now on. @param {number} label */
  async keep(label) {
    const [photo, strokes] = [this.photo(), this.pad.strokes];
    if (!photo && !strokes.length) return this.say("Draw something first; then say what it is.");
    this.pad.over = true; // who draws on while it is being kept begins another one
    this.turn = this.turn.then(() => (this.last?.of === (photo ?? strokes) ? this.mend(label) : this.add({ photo, strokes, label })));
    await this.turn;
  }

  /** @param {Drawing} drawing @param {boolean} [anyway] */
  async add(drawing, anyway = false) {
    const { photo, strokes, label } = drawing;
    try {
      const digit = photo ? await ask("POST", `/api/digits/photo/${label}${anyway ? "?anyway=1" : ""}`, photo) : await keep({ strokes, label, anyway });
      if (!digit) return this.say(`Your ${label} waits in this browser.`);
      if (this.pad.over) this.last = { id: digit.id, label, of: photo ?? strokes };
      this.tell(`✓ Kept as a ${label}.`, digit);
    } catch (trouble) {
      this.pad.over = false;
      if (/** @type {any} */ (trouble).doubtful) this.say("More than one digit? ", this.insist(drawing));
      else this.fail(trouble);
    }
  }

  /** @param {Drawing} drawing */
  insist(drawing) {
    const anyway = unlessBusy(() => {
      this.pad.over = true;
      return this.add(drawing, true);
    });
    return el("button", { type: "button", class: "link", onclick: anyway }, "Keep it anyway");
  }

  /** @param {number} label */
  async mend(label) {
    const { last } = this;
    if (!last || last.label === label) return;
    try {
      const digit = await ask("POST", `/api/digits/${last.id}/label`, { label, before: last.label });
      if (this.last === last) this.last = { ...last, label };
      this.tell(`✓ It is a ${label} now.`, digit);
    } catch (trouble) {
      this.fail(trouble);
    }
  }

  /** @param {string} done @param {any} digit with how many there are of each */
  tell(done, { id, label, counts, all }) {
    const back = el("button", { type: "button", class: "link", onclick: unlessBusy(() => this.takeBack(id)) }, "Take back");
    this.say(`${done} You have ${counts[label]} of it, ${counted(all, "digit")} in all. `, back);
  }

  /** @param {any} trouble */
  fail(trouble) {
    this.say(trouble.words ?? String(trouble));
  }

  /** @param {string} id */
  async takeBack(id) {
    try {
      await ask("DELETE", `/api/digits/${id}`);
      if (this.last?.id === id) {
        this.pad.over = false;
        this.last = null;
      }
      this.say("Taken back.");
    } catch (trouble) {
      this.fail(trouble);
    }
  }
}
