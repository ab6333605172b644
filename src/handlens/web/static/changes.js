// All images turned, moved, blurred ... by sliders, and how many of 1,000 are right then.

import { ask, fromAddress, newest, setAddress } from "./api.js";
import { panel } from "./code.js";
import { counted, el, speak } from "./dom.js";
import { score } from "./tables.js";

const STEPS = 50;

/** @typedef {{name: string, unit: string, none: number, most: number}} Change */

export class Changes {
  /** @param {() => {run: string, on: string}} see @param {Change[]} changes */
  constructor(see, changes) {
    this.see = see;
    this.changes = changes;
    /** @type {Map<string, any>} */
    this.sliders = new Map();
    /** @type {any} */
    this.clean = null;
    this.accuracy = el("output", { class: "digit", id: "accuracy" }, "–");
    this.said = el("p", { class: "caption" });
    this.samples = el("ol", { class: "gallery" });
    this.measure = newest(() => this.asked());
    const reset = el("button", { type: "button", onclick: () => this.reset() }, "As they were");
    const sliders = el("div", { class: "sliders" }, changes.map((change) => this.slider(change)), reset);
    const shown = el("div", {}, el("p", { class: "headline" }, this.accuracy, this.said), this.samples);
    this.element = panel("When the images change", "Move a slider: the same images, turned, moved, blurred. A network knows only what it was shown; augmentation, training with images that are changed like that, helps.", el("div", { class: "changes" }, sliders, shown), { code: "changed", run: () => see().run });
  }

  /** @param {Change} change */
  slider({ name, unit, none, most }) {
    const given = (Number(fromAddress(name) || none) - none) / (most - none);
    const input = el("input", { type: "range", id: `change-${name}`, min: 0, max: STEPS, value: Math.round(given * STEPS) });
    const output = el("output", { for: `change-${name}` });
    const tell = () => {
      output.textContent = this.strength({ name, none, most });
      input.setAttribute("aria-valuetext", `${output.textContent} ${unit}`);
    };
    input.addEventListener("input", () => {
      tell();
      setAddress({ [name]: Number(input.value) ? this.strength({ name, none, most }) : null });
      this.measure(null);
    });
    this.sliders.set(name, input);
    tell();
    return el("div", { class: "slider" }, el("label", { for: `change-${name}` }, el("strong", {}, name), ` ${unit}`), input, output);
  }

  /** How much of a change its slider says: to the right is always more. @param {{name: string, none: number, most: number}} change */
  strength({ name, none, most }) {
    return String(Number((none + ((most - none) * Number(this.sliders.get(name).value)) / STEPS).toFixed(3)));
  }

  /** @param {{ink: boolean}} found */
  begin(found) {
    this.clean = null;
    const thick = this.sliders.get("thickness");
    if (thick) thick.disabled = !found.ink;
    this.measure(null);
  }

  reset() {
    for (const slider of this.sliders.values()) {
      slider.value = "0";
      slider.dispatchEvent(new Event("input"));
    }
  }

  async asked() {
    const { run, on } = this.see();
    const made = this.changes.filter(({ name }) => !this.sliders.get(name).disabled && Number(this.sliders.get(name).value));
    const ask_ = (/** @type {Record<string, string>} */ query) => ask("GET", `/api/runs/${encodeURIComponent(run)}/changed?${new URLSearchParams({ on, ...query })}`);
    const isOld = () => run !== this.see().run || on !== this.see().on;
    try {
      const clean = this.clean ?? (await ask_({}));
      if (isOld()) return;
      this.clean = clean;
      const found = made.length ? await ask_(Object.fromEntries(made.map((change) => [change.name, this.strength(change)]))) : clean;
      if (!isOld()) this.show(found, made.length > 0);
    } catch (trouble) {
      if (isOld()) return;
      this.said.textContent = /** @type {any} */ (trouble).words ?? String(trouble);
      clearTimeout(this.speaking);
      speak(this.said.textContent ?? "");
    }
  }

  /** @param {any} found @param {boolean} isChanged */
  show(found, isChanged) {
    this.accuracy.textContent = score(found.accuracy);
    const unchanged = isChanged ? `; unchanged: ${score(this.clean.accuracy)}` : "";
    this.said.textContent = `of ${counted(found.n, "image is", "images are")} right (95 % interval ${score(found.interval[0])} to ${score(found.interval[1])})${unchanged}`;
    this.samples.replaceChildren(...found.samples.map(sample));
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => speak(`${score(found.accuracy)} right${unchanged}`), 600);
  }
}

/** @param {{picture: string, true: string, said: string}} image */
const sample = ({ picture, true: label, said }) => el("li", {}, el("img", { class: "pixels", src: picture, alt: `An image of class ${label}` }), el("span", { class: label === said ? "right" : "wrong" }, `${label === said ? "✓" : "✗"} ${said}`));
