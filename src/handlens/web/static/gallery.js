// Images of an evaluation in an order that means something, and of the one that is chosen: why.

import { ask, fromAddress, setAddress } from "./api.js";
import { panel } from "./code.js";
import { counted, el, percent, refill, speak } from "./dom.js";
import { alsoKeys, ARROWS, onKey } from "./keys.js";
import { paintHeat } from "./paint.js";
import { busy } from "./tables.js";

const LISTS = { worst: "Worst first", uncertain: "Least certain", marked: "Marked", cell: "A cell" };
const METHODS = { gradcam: "Grad-CAM: where the last maps speak for it", saliency: "Saliency: which pixels move it", "integrated-gradients": "Integrated gradients: what each pixel adds", occlusion: "Occlusion: what is lost when it is covered" };

export class Gallery {
  /** @param {() => {run: string, on: string}} see @param {string[]} methods @param {boolean} mayMark */
  constructor(see, methods, mayMark) {
    this.see = see;
    this.mayMark = mayMark;
    this.list = fromAddress("list") || (fromAddress("true") ? "cell" : "worst");
    this.cell = [fromAddress("true"), fromAddress("predicted")];
    this.index = fromAddress("image") ? Number(fromAddress("image")) : null;
    /** @type {number[]} */
    this.doubted = [];
    /** @type {any[]} */
    this.shown = [];
    this.tabs = el("div", { class: "row", role: "group", "aria-label": "Which images" });
    this.said = el("p", { class: "caption", role: "status" });
    this.images = el("ul", { class: "gallery" });
    this.more = el("button", { type: "button", onclick: () => this.fetch(this.shown.length) }, "More");
    this.buildWhy(methods);
    const run = () => see().run;
    const content = el("div", {}, this.tabs, this.said, this.images, this.more);
    this.element = panel("Images", "Wrong with certainty comes first: images hide there whose label, the class that somebody gave them, is wrong. Choose an image to see on what its answer hangs.", content, { code: "mistakes", run });
    this.why = panel("Why this answer", "On which pixels the answer to one image hangs, asked in four ways; each has its blind spots. They tell what counts for the network, not what is true.", this.reason, { code: "explained", run });
    onKey(["m"], "the label of this image looks wrong", () => this.mark());
    alsoKeys(ARROWS, "in the matrix, the images and the map: go on; Enter chooses");
  }

  /** @param {string[]} methods */
  buildWhy(methods) {
    this.method = el("select", { id: "method" }, methods.map((name) => el("option", { value: name, selected: name === fromAddress("method") }, METHODS[/** @type {keyof typeof METHODS} */ (name)])));
    this.asked = Boolean(fromAddress("method"));
    this.method.addEventListener("change", () => {
      this.asked = true;
      setAddress({ method: this.method.value });
      this.showWhy();
    });
    this.answer = el("div", {});
    this.doubt = el("button", { type: "button", id: "doubt", "aria-keyshortcuts": "M", onclick: () => this.mark() });
    this.reason = el("div", {}, el("label", { class: "wide" }, "Asked by", this.method), this.answer, this.mayMark && this.doubt);
  }

  reset() {
    [this.list, this.cell, this.index] = ["worst", ["", ""], null];
  }

  /** @param {{doubted: number[]}} found */
  begin(found) {
    this.doubted = found.doubted;
    this.showTabs();
    this.fetch(0);
    if (this.index === null) {
      this.doubt.hidden = true;
      this.answer.replaceChildren(el("p", { class: "caption" }, "No image is chosen yet. Choose one among the images below."));
    } else this.showWhy();
  }

  showTabs() {
    const lists = Object.entries(LISTS).filter(([name]) => name !== "cell" || this.list === "cell");
    const words = (/** @type {string} */ name, /** @type {string} */ said) => (name === "cell" ? `${this.cell[0]} → ${this.cell[1]}` : name === "marked" ? `${said} (${this.doubted.length})` : said);
    refill(this.tabs, lists.map(([name, said]) => el("button", { type: "button", "aria-pressed": String(name === this.list), onclick: () => this.choose(name) }, words(name, said))));
  }

  /** @param {string} list */
  choose(list) {
    this.list = list;
    setAddress({ list: list === "worst" ? null : list, true: list === "cell" ? this.cell[0] : null, predicted: list === "cell" ? this.cell[1] : null });
    this.showTabs();
    this.fetch(0);
  }

  /** @param {string} label @param {string} predicted */
  showCell(label, predicted) {
    this.cell = [label, predicted];
    this.choose("cell");
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} name @param {Record<string, any>} [query] */
  address(name, query = {}) {
    const { run, on } = this.see();
    return `/api/runs/${encodeURIComponent(run)}/${name}?${new URLSearchParams({ on, ...query })}`;
  }

  /** @param {number} from */
  async fetch(from) {
    const query = { list: this.list, from, ...(this.list === "cell" ? { true: this.cell[0], predicted: this.cell[1] } : {}) };
    const asked = (this.wanted = this.address("images", query));
    try {
      const found = await ask("GET", asked);
      if (asked !== this.wanted || (from && from !== this.shown.length)) return; // others are asked for by now, or these are there already
      this.shown = from ? [...this.shown, ...found.images] : found.images;
      this.show(found.all);
    } catch (trouble) {
      if (asked === this.wanted) this.said.textContent = /** @type {any} */ (trouble).words ?? String(trouble);
    }
  }

  /** @param {number} all */
  show(all) {
    const none = { marked: "No label is marked. Choose an image, and press M if its label looks wrong.", worst: "It makes no mistake here." };
    this.said.textContent = all ? `${counted(all, "image")}${this.shown.length < all ? `, ${counted(this.shown.length, "is", "are")} shown` : ""}` : (none[/** @type {"marked" | "worst"} */ (this.list)] ?? "No such image.");
    this.showImages();
    this.more.hidden = this.shown.length >= all;
  }

  showImages() {
    refill(this.images, this.shown.map((image) => this.item(image)));
  }

  item({ index, picture, true: label, predicted, probability }) {
    const right = label === predicted;
    const said = `${predicted}, ${percent(probability)}`;
    const button = el("button", { type: "button", class: "image", "aria-pressed": String(index === this.index), "aria-label": `Image ${index}: it is ${label}, the run says ${said}`, onclick: () => this.explain(index) }, el("img", { class: "pixels", src: picture, alt: "" }));
    button.addEventListener("keydown", move);
    return el("li", {}, button, el("span", {}, `is ${label}`, this.doubted.includes(index) && " ⚑"), el("span", { class: right ? "right" : "wrong" }, `${right ? "✓" : "✗"} ${said}`));
  }

  /** @param {number} index */
  explain(index) {
    this.index = index;
    setAddress({ image: String(index) });
    for (const [place, { index: other }] of this.shown.entries()) this.images.children[place]?.firstElementChild?.setAttribute("aria-pressed", String(other === index));
    this.showWhy();
    if (matchMedia("(max-width: 62rem)").matches) this.why.scrollIntoView({ block: "nearest" });
  }

  showWhy() {
    this.showDoubt(this.doubted.includes(/** @type {number} */ (this.index)));
    const query = { index: this.index, ...(this.asked ? { method: this.method.value } : {}) };
    return busy(this.answer, "Asking …", () => ask("GET", this.address("why", query)), (found) => this.explained(found));
  }

  explained(found) {
    this.method.value = found.method;
    this.doubt.hidden = false;
    this.showDoubt(this.doubted.includes(/** @type {number} */ (this.index))); // newer than the answer
    const heat = el("canvas", { class: "pixels input", role: "img", "aria-label": `${METHODS[/** @type {keyof typeof METHODS} */ (found.method)]} ${found.asked}` });
    paintHeat(heat, found.map, found.ink, found.signed ? "signed" : "viridis");
    const right = found.true === found.label;
    const colours = found.signed ? "Orange speaks for it, blue against it." : "The brighter, the more it hangs on it.";
    const words = `${this.see().on} image ${this.index}: it is ${found.true}, and is ${right ? "seen as that" : `taken for ${found.label}`}.`;
    speak(words);
    return [
      el("div", { class: "pair" }, el("img", { class: "pixels input", src: found.picture, alt: `The image: ${found.true}` }), heat),
      el("p", { class: right ? "right" : "wrong" }, `${right ? "✓" : "✗"} ${words}`),
      el("p", { class: "caption" }, `Asked why ${found.asked}${found.layer ? `, at layer ${found.layer}` : ""}. ${colours}`),
      el("ol", { class: "shares" }, found.shares.map((/** @type {[string, number]} */ [name, share]) => el("li", {}, el("span", {}, name), meter(share), el("span", {}, percent(share))))),
    ];
  }

  /** @param {boolean} on */
  showDoubt(on) {
    this.doubt.setAttribute("aria-pressed", String(on));
    this.doubt.textContent = on ? "⚑ Its label looks wrong (take it back)" : "Its label looks wrong";
  }

  async mark() {
    if (this.index === null || !this.mayMark) return;
    const { run, on } = this.see();
    const wrong = this.doubt.getAttribute("aria-pressed") !== "true";
    try {
      const found = await ask("POST", `/api/runs/${encodeURIComponent(run)}/doubts`, { on, index: this.index, wrong });
      const now = this.see();
      if (now.run !== run || now.on !== on) return; // other images are shown by now
      this.doubted = found.doubted;
      this.showDoubt(this.doubted.includes(this.index));
      speak(wrong ? "Marked, in the run's folder. The data stay as they are." : "Taken back.");
      this.showTabs();
      if (this.list === "marked") this.fetch(0);
      else this.showImages();
    } catch (trouble) {
      this.said.textContent = /** @type {any} */ (trouble).words ?? String(trouble);
    }
  }
}

/** @param {number} share */
function meter(share) {
  const fill = el("span", { class: "fill" });
  fill.style.transform = `scaleX(${share})`;
  return el("span", { class: "track" }, fill);
}

/** Arrows go from image to image. @param {KeyboardEvent} event */
function move(event) {
  const item = /** @type {Element} */ (event.target).closest("li");
  const next = event.key === "ArrowRight" ? item?.nextElementSibling : event.key === "ArrowLeft" ? item?.previousElementSibling : null;
  if (!next) return;
  event.preventDefault();
  next.querySelector("button")?.focus();
}
