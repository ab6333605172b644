// The page Errors: a run on images that it has not learned from; which it gets wrong, how sure it was, why, and what makes it worse.

import { ask, fromAddress, setAddress } from "./api.js";
import { Changes } from "./changes.js";
import { panel, showAnew } from "./code.js";
import { Confusion } from "./confusion.js";
import { counted, el, fill, loadStyle } from "./dom.js";
import { told } from "./fetching.js";
import { Gallery } from "./gallery.js";
import { Layout } from "./layout.js";
import { reliability } from "./reliability.js";
import { score, table } from "./tables.js";

const ON = { test: "test images", val: "validation images", mine: "my own digits" };

/** @param {HTMLElement} main @param {{may_change: boolean}} lab */
export async function show(main, lab) {
  const [runs, known] = await Promise.all([ask("GET", "/api/runs"), ask("GET", "/api/errors"), loadStyle("analysis.css")]);
  const page = new ErrorsPage(runs, known, lab.may_change);
  main.append(...page.parts());
  await page.measure();
}

class ErrorsPage {
  /** @param {any} runs @param {any} known @param {boolean} mayChange */
  constructor(runs, known, mayChange) {
    const names = runs.runs.filter((/** @type {any} */ run) => run.epochs).map((/** @type {any} */ run) => run.name);
    this.names = [...names, "starter"];
    this.none = names.length ? "" : `${runs.empty ? `${runs.empty}.` : "No run has come to the end of an epoch yet."} Looked in ${runs.folder}. Until then this is the network that comes with handlens.`;
    this.run = fromAddress("run") || this.names[0];
    this.on = fromAddress("on") in ON ? fromAddress("on") : "test";
    this.known = known;
    this.body = el("div", { class: "stack", "aria-busy": "true" });
    this.said = el("p", { class: "caption", role: "status", id: "said" });
    const see = () => ({ run: this.run, on: this.on });
    this.gallery = new Gallery(see, known.methods, mayChange);
    this.confusion = new Confusion((true_, predicted) => this.gallery.showCell(true_, predicted));
    this.changes = new Changes(see, known.changes);
    this.layout = new Layout(see, (index) => this.gallery.explain(index));
  }

  parts() {
    const unknown = !this.names.includes(this.run);
    const runs = el("select", { id: "run" }, (unknown ? [this.run, ...this.names] : this.names).map((name) => el("option", { value: name, selected: name === this.run }, name)));
    const on = el("select", { id: "on" }, Object.entries(ON).map(([value, words]) => el("option", { value, selected: value === this.on, disabled: value === "mine" && !this.known.own_digits }, value === "mine" && !this.known.own_digits ? `${words} (none yet)` : words)));
    runs.addEventListener("change", () => this.choose(runs.value, this.on));
    on.addEventListener("change", () => this.choose(this.run, on.value));
    const choosers = el("div", { class: "row choosers" }, el("label", {}, "Run", runs), el("label", {}, "on", on));
    return [el("h1", {}, "Errors"), this.none && el("p", { class: "caption" }, this.none), choosers, this.said, this.body].filter(Boolean);
  }

  /** @param {string} run @param {string} on */
  choose(run, on) {
    [this.run, this.on] = [run, on];
    setAddress({ run, on, image: null, true: null, predicted: null, list: null });
    this.gallery.reset();
    showAnew();
    this.measure();
  }

  /** @param {boolean} on a measurement is under way; what is shown meanwhile is of the one before */
  wait(on) {
    this.body.setAttribute("aria-busy", String(on));
    this.body.classList.toggle("waits", on);
  }

  async measure() {
    const [run, on] = [this.run, this.on];
    const isStill = () => run === this.run && on === this.on; // else another one is asked for by now
    this.say(`Measuring ${run} on the ${ON[/** @type {keyof typeof ON} */ (on)]} …`);
    this.wait(true);
    try {
      const found = await ask("GET", `/api/runs/${encodeURIComponent(run)}/errors?on=${on}`);
      if (isStill()) this.show(found);
    } catch (trouble) {
      const { message, words = String(trouble), missing } = /** @type {any} */ (trouble);
      const part = missing?.length && el("section", { class: "card nothing" }, el("h2", {}, "Images that are missing"), await told(trouble, () => this.measure()));
      if (!isStill()) return;
      this.say(part ? message : words, !part);
      fill(this.body, part || []);
    }
    if (isStill()) this.wait(false);
  }

  /** @param {any} found */
  show(found) {
    const wrong = found.n - found.correct;
    const between = `of others like these probably ${score(found.interval[0])} to ${score(found.interval[1])}: the 95 % interval`;
    this.say(`${score(found.accuracy)} of ${found.n.toLocaleString("en")} ${ON[/** @type {keyof typeof ON} */ (this.on)]} are right (${between}); ${counted(wrong, "is", "are")} wrong.`);
    const run = () => this.run;
    const classes = found.per_class.map((/** @type {any} */ row) => [row.class, score(row.precision), score(row.recall), score(row.f1), row.support]);
    const perClass = el("details", {}, el("summary", {}, "Each class"), el("p", { class: "caption" }, "Precision: of the images taken for the class, the share that is of it. Recall: of the images of the class, the share taken for it. F1: between the two."), table("Each class", ["class", "precision", "recall", "F1", "images"], classes));
    this.body.replaceChildren(
      el("div", { class: "halves" }, panel("Confusion matrix", "Rows are what the images are, columns what they were taken for. Choose a cell to see its images.", el("div", {}, this.confusion.draw(found), perClass), { code: "confusion", run }), this.gallery.why),
      this.gallery.element,
      el("div", { class: "halves" }, panel("Can its probabilities be believed?", "Of the answers given with 80 % probability, 80 % should be right. Below the diagonal it is too sure of itself.", reliability(found), { code: "calibration", run }), this.layout.element),
      this.changes.element,
    );
    this.gallery.begin(found);
    this.changes.begin(found);
    this.layout.begin();
  }

  /** @param {string} sentence @param {boolean} [bad] */
  say(sentence, bad = false) {
    this.said.textContent = sentence;
    this.said.className = bad ? "trouble" : "lead";
  }
}
