// The page Draw: a pad, the answer while one draws, what goes on inside, and the drawing kept with its label.

import { ask, fromAddress, newest, setAddress, Trouble } from "./api.js";
import { ArithmeticView } from "./arithmetic.js";
import { Bars, spoken } from "./bars.js";
import { panel, showAnew } from "./code.js";
import { el, percent, speak } from "./dom.js";
import { DrawPad } from "./drawpad.js";
import { Inside } from "./inside.js";
import { inviteButton, watchPhone } from "./invite.js";
import { Kept } from "./kept.js";
import { alsoKeys, ARROWS, onKey } from "./keys.js";
import { fromText, toText } from "./strokes.js";

const PENS = { thin: 14, usual: 22, thick: 32 };
const GHOST = [[[78, 66], [110, 60], [150, 58], [200, 62], [186, 96], [164, 136], [146, 176], [136, 224]]];
const MOST_BYTES = 20 << 20;
const AGAIN_MS = 2000;
const NO_STROKES = { label: "", second: "", probabilities: {}, doubt: "too little ink to judge", several: false };

/** @param {HTMLElement} main @param {{may_change: boolean, phone: boolean}} lab */
export async function show(main, lab) {
  const { runs, chosen } = await ask("GET", "/api/models");
  const usable = runs.filter((/** @type {any} */ run) => !run.problem);
  if (!usable.length) return showEmpty(main, runs);
  const wanted = fromAddress("run") || chosen || usable[0].name;
  const named = (/** @type {any} */ run) => run.name === wanted;
  const page = new DrawPage(usable, usable.find(named)?.name ?? usable[0].name, lab);
  if (!usable.some(named)) main.append(el("p", { class: "trouble", role: "alert" }, `${runs.find(named)?.problem ?? `There is no run ${wanted} here.`} ${page.asked[0]} answers instead.`));
  main.append(...page.parts());
  page.begin();
}

/** @param {HTMLElement} main @param {any[]} runs */
function showEmpty(main, runs) {
  main.append(
    el("h1", {}, "Draw"),
    el("p", { class: "lead" }, "There is no network here yet that reads drawings. Train a small one; it takes about half a minute:"),
    el("ul", { class: "commands" }, el("li", {}, el("code", {}, "handlens train cnn-small"))),
    el("p", {}, "Then reload this page."),
    runs.length > 0 && el("ul", {}, runs.map((run) => el("li", {}, run.problem))),
  );
}

class DrawPage {
  /** @param {any[]} runs @param {string} chosen @param {{may_change: boolean, phone: boolean}} lab */
  constructor(runs, chosen, lab) {
    this.runs = runs;
    this.mayKeep = lab.may_change;
    this.phone = lab.phone;
    this.asked = [chosen, ...(runs.some(({ name }) => name === fromAddress("beside")) ? [fromAddress("beside")] : [])];
    this.centre = fromAddress("centre") !== "off";
    /** @type {Blob | null} */
    this.photo = null;
    /** @type {string} what the first network has read on the pad as it is now; empty until it has */
    this.answered = "";
    this.changes = 0;
    this.canvas = el("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": "Drawing pad. Arrow keys move the pen, Space puts it down and lifts it." });
    this.pad = new DrawPad(this.canvas, { changed: (at, done) => this.changed(at, done) });
    this.pad.pen = new Map(Object.entries(PENS)).get(fromAddress("pen")) ?? PENS.usual;
    this.numbers = new ArithmeticView(() => (this.photo ? null : this.drawing(0)), () => this.switched());
    this.numbers.read(fromAddress("off"));
    this.inside = new Inside(() => this.asked[0], (on) => this.setCentre(on), this.numbers);
    this.inside.box.checked = this.centre;
    this.bars = el("div", { class: "answers" });
    /** on a phone the bars are below the pad, and the hand draws here */
    this.brief = el("p", { class: "brief narrow-only", "aria-hidden": "true" });
    this.kept = new Kept(this.pad, () => this.photo);
    this.times = /** @type {number[]} */ ([]);
    this.debug = fromAddress("debug") ? el("p", { class: "debug", id: "debug" }, "no stroke yet") : null;
    this.askAll = newest((at) => this.answer(at));
    this.askInside = newest(() => this.lookInside());
    /** whose arithmetic the address asks for */
    this.wanted = fromAddress("unit");
  }

  parts() {
    return [
      el("h1", { class: "spoken" }, "Draw"),
      el("div", { class: "drawing" }, this.padPanel(), this.answerPanel()),
      this.inside.element,
      this.debug,
    ].filter(Boolean);
  }

  padPanel() {
    const pens = Object.entries(PENS).map(([name, width]) => {
      const input = el("input", { type: "radio", name: "pen", value: width, checked: width === this.pad.pen, "aria-label": `${name} pen` });
      input.addEventListener("change", () => this.setPen(name, width));
      return el("label", { class: `pen ${name}`, title: `${name} pen` }, input, el("span", { "aria-hidden": "true" }));
    });
    const file = el("input", { type: "file", accept: "image/*", id: "photo", class: "spoken" });
    file.addEventListener("change", () => {
      const [chosen] = file.files;
      file.value = ""; // the same one may be chosen again
      if (chosen) this.takePhoto(chosen);
    });
    this.canvas.addEventListener("dragover", (/** @type {Event} */ event) => event.preventDefault());
    this.canvas.addEventListener("drop", (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      if (event.dataTransfer?.files[0]) this.takePhoto(event.dataTransfer.files[0]);
    });
    return el(
      "section",
      { class: "card pad-card", "aria-label": "Drawing pad" },
      el("div", { class: "pad-head" }, el("p", { class: "hint" }, "Draw a digit here"), this.brief),
      this.canvas,
      el(
        "div",
        { class: "row" },
        el("span", { class: "pens", role: "radiogroup", "aria-label": "Pen" }, pens),
        el("button", { type: "button", onclick: () => this.undo() }, "Undo"),
        el("button", { type: "button", onclick: () => this.clear() }, "Clear"),
      ),
      el(
        "div",
        { class: "row" },
        el("span", { class: "file" }, file, el("label", { for: "photo", class: "button" }, "Use a photo")),
        this.phone && this.mayKeep && inviteButton(() => this.asked[0], this.kept.element),
      ),
    );
  }

  answerPanel() {
    const first = this.chooser("Network", "run", 0, this.runs);
    const second = this.chooser("Compare with", "beside", 1, [{ name: "", model: "no other" }, ...this.runs]);
    const content = el(
      "div",
      {},
      el("div", { class: "row choosers" }, first, this.runs.length > 1 && second),
      this.bars,
      this.mayKeep && el("div", { class: "label-row", role: "group", "aria-label": "What it is, to keep it" }, el("span", {}, "This is a"), [..."0123456789"].map((label) => el("button", { type: "button", class: "label", onclick: () => this.keep(Number(label)) }, label))),
      this.kept.element,
    );
    this.showBars();
    const wrong = this.mayKeep ? "If it is wrong, say what it is: the drawing is kept, for networks to learn from or to be tested with." : "It can be wrong and sure of it: draw something that is no digit.";
    return panel("It says", `A network is a program that has learned from examples; the bars show how sure it is of each digit, from 0 to 100 %. ${wrong}`, content, { code: "answer", run: () => this.asked[0] });
  }

  /** @param {string} title @param {string} name @param {number} place @param {any[]} runs */
  chooser(title, name, place, runs) {
    const option = (/** @type {any} */ run) => {
      const about = run.val_accuracy ? ` · ${run.data} · ${(run.val_accuracy * 100).toFixed(1)} % right` : "";
      return el("option", { value: run.name, selected: run.name === (this.asked[place] ?? "") }, run.name ? `${run.name} · ${run.model}${about}` : run.model);
    };
    const select = el("select", { id: name }, runs.map(option));
    select.addEventListener("change", () => {
      this.asked[place] = select.value;
      this.asked = this.asked.filter(Boolean);
      if (place === 0) this.numbers.read("");
      setAddress({ [name]: select.value, off: this.numbers.address || null });
      this.showBars();
      showAnew();
      this.again();
    });
    return el("label", {}, title, select);
  }

  showBars() {
    this.answers = this.asked.map((name) => new Bars(name));
    this.bars.replaceChildren(...this.answers.map(({ element }) => element));
    this.bars.classList.toggle("two", this.answers.length > 1);
    this.answers[0].title.hidden = this.answers.length === 1;
  }

  begin() {
    if (this.mayKeep) {
      onKey([..."0123456789"], "this digit it is: keep the drawing", (label) => this.keep(Number(label)));
      onKey(["Enter"], "keep the drawing as what it was read as", () => this.answered && !this.pad.over && this.keep(Number(this.answered)));
    }
    onKey(["Backspace"], "undo the last stroke", () => this.undo());
    onKey(["x"], "clear the pad", () => this.clear());
    alsoKeys(ARROWS, "on the pad: move the pen; Space puts it down and lifts it");
    const drawn = fromText(fromAddress("strokes"));
    if (drawn.length) this.pad.setStrokes(drawn);
    else this.pad.showGhost(/** @type {any} */ (GHOST));
    if (this.phone) watchPhone((strokes) => this.pad.isBusy || this.pad.setStrokes(strokes));
    this.again();
  }

  get strokes() {
    return this.pad.strokes.length ? this.pad.strokes : this.pad.ghost;
  }

  /** @param {number} at @param {boolean} done */
  changed(at, done) {
    if (!this.pad.photo) this.photo = null;
    if (!this.pad.over) this.kept.begin();
    this.changes += 1;
    if (!this.photo) this.answered = "";
    this.askAll(at);
    if (!done) return;
    this.askInside(0);
    setAddress({ strokes: toText(this.pad.strokes) });
  }

  /** @param {number} label */
  async keep(label) {
    await this.kept.keep(label);
    if (this.pad.over) setAddress({ strokes: null }); // so that a page that is loaded anew begins with an empty pad
  }

  again() {
    this.answered = "";
    if (this.photo) return void this.askOfPhoto().catch((trouble) => this.kept.say(trouble.words ?? String(trouble)));
    this.askAll(0);
    this.askInside(0);
  }

  /** @param {string} name @param {number} width */
  setPen(name, width) {
    this.pad.setPen(width);
    setAddress({ pen: width === PENS.usual ? null : name });
    this.again();
  }

  undo() {
    this.pad.undo();
  }

  clear() {
    this.pad.clear();
  }

  /** @param {boolean} on */
  setCentre(on) {
    this.centre = on;
    setAddress({ centre: on ? null : "off" });
    this.again();
  }

  switched() {
    setAddress({ off: this.numbers.address || null });
    this.again();
  }

  /** @param {number} place of the network; units are switched off in the first one @returns {any} */
  drawing(place) {
    const off = place === 0 ? this.numbers.off : {};
    return { run: this.asked[place], strokes: this.strokes, pen: this.pad.pen, centre: this.centre, off };
  }

  /** Ask each network; `at` is when the pen moved, 0 if nobody waits for the time. @param {number} at */
  async answer(at) {
    if (this.photo) return;
    const [shown, changes] = [this.answers ?? [], this.changes];
    if (!this.strokes.length) {
      this.answered = this.brief.textContent = "";
      this.inside.fade(true);
      return shown.forEach((bars) => bars.show(NO_STROKES));
    }
    const still = !this.pad.isDrawing;
    await Promise.all(
      shown.map(async (bars, place) => {
        try {
          const answer = await ask("POST", "/api/answer", this.drawing(place));
          if (this.photo || this.answers !== shown) return; // a photo is on the pad by now, or others are asked
          bars.show(answer);
          if (place === 0) this.showFirst(answer, still, changes === this.changes);
        } catch (trouble) {
          if (this.photo || this.answers !== shown) return;
          if (place === 0) this.answered = "";
          bars.fail(/** @type {any} */ (trouble).words ?? String(trouble));
          if (trouble instanceof Trouble && !trouble.status) this.askLater();
        }
      }),
    );
    if (at) this.showTime(performance.now() - at);
  }

  /** Nobody answers: ask again until somebody does. */
  askLater() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.again(), AGAIN_MS);
  }

  /** @param {any} answer @param {boolean} still nobody is drawing just now @param {boolean} same it is of what is on the pad now */
  showFirst(answer, still, same) {
    this.answered = same ? answer.label : "";
    this.brief.textContent = answer.label && `${answer.label} · ${percent(answer.probabilities[answer.label])}`;
    this.inside.showInput(answer.image);
    if (still) speak(spoken(answer));
  }

  async lookInside() {
    if (this.photo || !this.strokes.length) return;
    try {
      const found = await ask("POST", "/api/inside", this.drawing(0));
      if (this.photo || !this.strokes.length) return; // there is a photo by now, or nothing
      this.inside.show(found);
      if (this.wanted) this.numbers.openAt(this.wanted, found.layers);
      this.wanted = "";
    } catch {
      // the answer's own request says what is wrong
    }
  }

  /** From the movement of the pen to bars that are in the page. @param {number} ms */
  showTime(ms) {
    this.times.push(ms);
    if (!this.debug) return;
    const sorted = [...this.times].sort((one, other) => one - other);
    const at = (/** @type {number} */ share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);
    this.debug.textContent = `stroke to answer: ${ms.toFixed(0)} ms; median ${at(0.5)}, p95 ${at(0.95)} of ${sorted.length}`;
    this.debug.dataset.times = JSON.stringify(this.times.map((time) => Math.round(time * 10) / 10));
  }

  /** @param {File} file */
  async takePhoto(file) {
    if (file.size > MOST_BYTES) return this.kept.say("The photo has more than 20 MiB. Save it smaller.");
    this.kept.begin();
    this.photo = file;
    this.answered = "";
    try {
      await this.askOfPhoto();
      const bitmap = await createImageBitmap(file);
      if (this.photo === file) this.pad.showPhoto(bitmap); // unless somebody draws by now
    } catch (trouble) {
      this.kept.say(/** @type {any} */ (trouble).words ?? "This browser cannot show the photo.");
      if (this.photo !== file) return;
      this.photo = null;
      this.again();
    }
  }

  /** Ask each network of the photo that is on the pad. */
  async askOfPhoto() {
    const [file, shown] = [this.photo, this.answers ?? []];
    const found = await Promise.all(this.asked.map((run) => ask("POST", `/api/photo?run=${encodeURIComponent(run)}`, file)));
    if (this.photo !== file || this.answers !== shown) return; // somebody draws by now, or asks others
    found.forEach((answer, place) => shown[place].show(answer));
    this.showFirst(found[0], true, true);
    this.inside.show(found[0].inside);
  }
}
