// My digits: how many there are of each, each of them to be looked at, its label mended, or deleted and brought back.

import { ask, fromAddress, setAddress, unlessBusy } from "./api.js";
import { panel } from "./code.js";
import { counted, el, refill } from "./dom.js";
import { exporting, Importing } from "./files.js";
import { alsoKeys, ARROWS, onKey } from "./keys.js";
import { GOAL, Wizard } from "./wizard.js";

const PIECE = 4 << 20; // characters of pictures and strokes

export class OwnDigits {
  /** @param {any} counts @param {boolean} mayChange */
  constructor(counts, mayChange) {
    this.mayChange = mayChange;
    this.counts = counts;
    this.label = "";
    /** @type {Set<string>} the ids that are chosen */
    this.chosen = new Set();
    /** @type {any[]} */
    this.digits = [];
    this.summary = el("p", { class: "summary" });
    this.cards = el("ol", { class: "class-cards" });
    this.said = el("p", { class: "kept", role: "status" });
    /** @type {(string | HTMLElement)[]} what was done last, and the button that undoes it */
    this.offered = [];
    this.list = el("div", { class: "own-list" });
    this.place = el("div", {});
    this.imported = el("div", {});
    /** @type {(does: () => Promise<any>, says: () => string, undo: () => Promise<any>) => Promise<void>} */
    this.change = unlessBusy((does, says, undo) => this.changing(does, says, undo));
    this.exports = el("div", { class: "exports" });
    const changed = (/** @type {any} */ found) => this.update(found);
    this.wizard = new Wizard(this.place, changed);
    const ways = mayChange && [
      el("button", { type: "button", class: "primary", id: "draw-ten", onclick: () => this.wizard.open(this.counts.counts) }, "Draw ten of each"),
      new Importing(this.imported, changed).buttons,
    ];
    const content = el("div", {}, this.summary, el("div", { class: "row ways" }, ways), this.place, this.imported, this.cards, this.said, this.list, this.exports);
    this.element = panel("My digits", "MNIST, the digits from which networks here learn, was written by others. Keep your own digits, see how a network reads them, and let it learn from them.", content, { code: "own" });
    this.showCounts();
  }

  begin() {
    onKey([..."0123456789"], "my digits: the chosen ones are really this digit", (label) => this.relabel(Number(label)));
    onKey(["Delete"], "my digits: delete the chosen ones", () => this.remove());
    alsoKeys(ARROWS, "on the pad of “Draw ten of each”: move the pen; Space puts it down and lifts it, Enter keeps the digit");
    if (/^[0-9]$/.test(fromAddress("label"))) this.open(fromAddress("label"));
    if (fromAddress("draw") && this.mayChange) this.wizard.open(this.counts.counts);
  }

  /** @param {any} counts */
  update(counts) {
    this.counts = counts;
    this.showCounts();
    if (this.label) this.load();
  }

  showCounts() {
    const { counts, all, tests, folder } = this.counts;
    this.summary.replaceChildren(
      all ? `${counted(all, "digit")} of your own: ${(all - tests).toLocaleString("en")} to learn from, ${tests.toLocaleString("en")} for the test. In ` : "You have no digits of your own yet. They would be kept in ",
      el("code", {}, folder),
      ".",
    );
    refill(this.cards, counts.map((/** @type {number} */ count, /** @type {number} */ label) => this.card(count, String(label))));
    this.exports.replaceChildren(...(all ? exporting() : []));
  }

  /** @param {number} count @param {string} label */
  card(count, label) {
    const fill = el("span", { class: "fill" });
    fill.style.transform = `scaleX(${Math.min(1, count / GOAL)})`;
    const says = `${counted(count, "of your own digits is", "of your own digits are")} a ${label}${count ? ". Show them." : ""}`;
    return el("li", {}, el("button", { type: "button", "aria-label": says, "aria-pressed": String(label === this.label), disabled: !count, onclick: () => this.open(label === this.label ? "" : label) }, el("strong", {}, label), el("span", { class: "track" }, fill), el("span", {}, count)));
  }

  /** @param {string} label of which all are shown; empty for none */
  async open(label) {
    this.label = label;
    this.chosen.clear();
    this.said.replaceChildren(...this.offered);
    setAddress({ label: label || null });
    this.showCounts();
    await this.load();
  }

  async load() {
    if (!this.label || !this.counts.counts[Number(this.label)]) {
      this.digits = [];
      return this.list.replaceChildren();
    }
    await this.more(0);
  }

  /** @param {number} from */
  async more(from) {
    const { label } = this;
    try {
      const found = await ask("GET", `/api/digits/of/${label}?from=${from}`);
      if (label !== this.label || (from && from !== this.digits.length)) return; // another class is open by now, or these are there already
      this.digits = from ? [...this.digits, ...found.digits] : found.digits;
      this.showList(found.all);
    } catch (trouble) {
      this.tell(trouble);
    }
  }

  /** @param {number} all */
  showList(all) {
    const ids = new Set(this.digits.map(({ id }) => id));
    this.chosen = new Set([...this.chosen].filter((id) => ids.has(id)));
    const more = this.digits.length < all && el("button", { type: "button", onclick: () => this.more(this.digits.length) }, `Show more (${all - this.digits.length})`);
    this.list.replaceChildren(
      ...[
        this.mayChange && this.bar(),
        el("ul", { class: "tiles", "aria-label": `Your digits that are a ${this.label}` }, this.digits.map((digit) => this.tile(digit))),
        more,
      ].filter(Boolean),
    );
    this.showChosen();
  }

  bar() {
    const labels = [..."0123456789"].map((label) => el("button", { type: "button", class: "label", "data-needs": true, onclick: () => this.relabel(Number(label)) }, label));
    this.count = el("span", { class: "caption" });
    return el(
      "div",
      { class: "row bar" },
      this.count,
      el("span", { class: "row", role: "group", "aria-label": "What the chosen ones really are" }, el("span", {}, "really a"), labels),
      el("button", { type: "button", "data-needs": true, onclick: () => this.remove() }, "Delete"),
      el("button", { type: "button", onclick: () => this.chooseAll() }, "Choose all"),
    );
  }

  /** @param {any} digit */
  tile(digit) {
    const says = `${digit.label}, ${digit.part === "test" ? "for the test" : "to learn from"}, ${digit.source}, ${digit.added}`;
    const inner = digit.picture ? el("img", { src: digit.picture, alt: "" }) : el("span", { class: "damaged" }, "damaged");
    const button = el("button", { type: "button", "data-id": digit.id, "aria-label": digit.damage || says, title: digit.damage || says, disabled: !this.mayChange, onclick: () => this.choose(digit.id) }, inner, digit.part === "test" && el("span", { class: "mark", "aria-hidden": "true" }, "test"));
    return el("li", {}, button);
  }

  /** @param {string} id */
  choose(id) {
    if (!this.chosen.delete(id)) this.chosen.add(id);
    this.showChosen();
  }

  chooseAll() {
    const all = this.chosen.size === this.digits.length;
    this.chosen = new Set(all ? [] : this.digits.map(({ id }) => id));
    this.showChosen();
  }

  showChosen() {
    for (const button of this.list.querySelectorAll("[data-id]")) button.setAttribute("aria-pressed", String(this.chosen.has(button.dataset.id)));
    for (const button of this.list.querySelectorAll("[data-needs]")) button.disabled = !this.chosen.size;
    if (this.count) this.count.textContent = this.chosen.size ? `${this.chosen.size} chosen:` : "Choose the ones that are wrong:";
  }

  /** @param {number} label */
  async relabel(label) {
    const ids = [...this.chosen];
    const before = Number(this.label);
    if (!ids.length || label === before) return;
    await this.change(() => this.setLabels(ids, label, before), () => `${counted(ids.length, "digit is", "digits are")} a ${label} now.`, () => this.setLabels(ids, before, label));
  }

  /** @param {string[]} ids @param {number} label @param {number} before what they are up to now */
  async setLabels(ids, label, before) {
    let counts = this.counts;
    try {
      for (const id of ids) counts = await ask("POST", `/api/digits/${id}/label`, { label, before });
    } catch (trouble) {
      if (counts !== this.counts) this.update(counts); // some have their new label
      throw trouble;
    }
    return counts;
  }

  async remove() {
    const ids = [...this.chosen];
    if (!ids.length) return;
    /** @type {any[]} */
    let removed = [];
    const take = async () => {
      const found = await ask("POST", "/api/own/delete", { digits: ids });
      removed = found.removed;
      return found;
    };
    await this.change(take, () => `${counted(removed.length, "digit is", "digits are")} deleted.`, () => this.restore(removed));
  }

  /** Put digits back, in pieces that the lab takes; what is back is taken out of the list, so that what failed can be tried again. @param {any[]} removed */
  async restore(removed) {
    let counts = this.counts;
    try {
      while (removed.length) {
        const piece = firstOf(removed);
        counts = await ask("POST", "/api/own/restore", { removed: piece });
        removed.splice(0, piece.length);
      }
    } catch (trouble) {
      if (counts !== this.counts) this.update(counts); // some are back
      throw trouble;
    }
    return counts;
  }

  /** Do something, say what was done, and offer to undo it. What fails may be tried again: the choice and the offer stay. @param {() => Promise<any>} does @param {() => string} says @param {() => Promise<any>} undo */
  async changing(does, says, undo) {
    try {
      const counts = await does();
      this.chosen.clear();
      this.update(counts);
    } catch (trouble) {
      return this.tell(trouble);
    }
    const back = el("button", { type: "button", class: "link", onclick: () => this.change(undo, () => "Undone.", does) }, "Undo");
    this.offered = [`${says()} `, back];
    this.said.replaceChildren(...this.offered);
    back.focus();
  }

  /** @param {any} trouble */
  tell(trouble) {
    this.said.replaceChildren(`${trouble.words ?? trouble} `, ...this.offered);
  }
}

/** As many of the first digits as make up a piece; one at least. @param {any[]} removed */
function firstOf(removed) {
  let size = 0;
  const end = removed.findIndex(({ png, strokes }, place) => (size += png.length + strokes.length) > PIECE && place > 0);
  return end < 0 ? [...removed] : removed.slice(0, end);
}
