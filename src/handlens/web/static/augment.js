// Augmentation: what each knob makes of some images, seen before anything is trained with it.

import { ask, fromAddress, newest, setAddress } from "./api.js";
import { panel } from "./code.js";
import { el } from "./dom.js";

/** @type {[string, string, number, number][]} knob, unit, its end, its step */
const SLIDERS = [
  ["angle", "turned by up to … degrees", 90, 1],
  ["shift", "moved by up to … of the size", 0.5, 0.01],
  ["scale", "larger and smaller by up to …", 0.6, 0.01],
  ["shear", "slanted by up to … degrees", 60, 1],
  ["bend", "bent by up to … of the size", 0.3, 0.005],
  ["tilt", "seen from the side: one rim nearer by up to …", 0.4, 0.01],
  ["thickness", "strokes thicker and thinner by up to … pixels", 3, 0.1],
  ["noise", "noise of up to …", 1, 0.01],
  ["coarse", "one in three made coarser: … of the pixels", 1, 0.05],
  ["blur", "one in three out of focus by up to … pixels", 3, 0.1],
  ["cut", "one side cut off by up to … of the size", 0.3, 0.01],
];
const SWITCHES = [["flip", "left and right exchanged (never for digits)"], ["centred", "centred again, as MNIST's digits are"]];

export class AugmentPanel {
  /** @param {{name: string, title: string}[]} here @param {Record<string, Record<string, any>>} named */
  constructor(here, named) {
    this.named = named;
    this.seed = 42;
    this.send = newest(() => this.preview());
    this.picture = el("img", { class: "pixels forms", alt: "" });
    this.rows = el("p", { class: "caption" });
    this.said = el("p", { class: "trouble", role: "status" });
    this.sets = el("select", { id: "augment-set", onchange: () => this.again() }, here.map(({ name, title }) => el("option", { value: name }, title)));
    this.presets = el("select", { id: "augment", onchange: () => this.use(this.presets.value) }, [...Object.keys(named), "own"].map((name) => el("option", { value: name }, name === "own" ? "your own" : name)));
    /** @type {Map<string, any>} */
    this.inputs = new Map();
    const knobs = el("div", { class: "sliders" }, SLIDERS.map((slider) => this.slider(...slider)), SWITCHES.map(([name, says]) => this.toggle(name, says)));
    const shuffle = el("button", { type: "button", onclick: () => this.shuffle() }, "New random forms");
    const content = el(
      "div",
      { class: "augmenting" },
      el("div", {}, el("div", { class: "row" }, el("label", {}, "Images of", this.sets), el("label", {}, "changed as", this.presets), shuffle), knobs),
      el("figure", {}, this.picture, this.rows, this.said),
    );
    this.element = panel("Augmentation", "Each time the network learns from an image it sees it a little changed, and so learns what does not matter. Too much of it, and a 6 is a 9.", content, { code: "augment" });
    this.fromAddress();
  }

  /** @param {string} name @param {string} says @param {number} end @param {number} step */
  slider(name, says, end, step) {
    const value = el("output", { for: `knob-${name}` });
    const input = el("input", { type: "range", id: `knob-${name}`, min: name === "coarse" ? 0.15 : 0, max: end, step, oninput: () => this.changed() });
    this.inputs.set(name, input);
    const [before, after] = says.split("…");
    return el("label", { class: "slider" }, el("span", {}, before, value, after), input);
  }

  /** @param {string} name @param {string} says */
  toggle(name, says) {
    const input = el("input", { type: "checkbox", id: `knob-${name}`, onchange: () => this.changed() });
    this.inputs.set(name, input);
    return el("label", { class: "check" }, input, says);
  }

  fromAddress() {
    if ([...this.sets.options].some(({ value }) => value === fromAddress("of"))) this.sets.value = fromAddress("of");
    else if ([...this.sets.options].some(({ value }) => value === "mnist")) this.sets.value = "mnist";
    const wanted = fromAddress("augment");
    this.set(this.named[wanted] ?? this.named.robust);
    this.presets.value = wanted in this.named ? wanted : "robust";
    const knobs = new URLSearchParams(fromAddress("knobs"));
    for (const [name, value] of knobs) if (this.inputs.has(name)) this.setOne(name, value === "true" ? true : value);
    if ([...knobs].length) this.presets.value = "own";
    this.say();
    this.send(null);
  }

  /** @param {Record<string, any>} values */
  set(values) {
    for (const [name, value] of Object.entries(values)) this.setOne(name, value);
  }

  /** @param {string} name @param {any} value */
  setOne(name, value) {
    const input = this.inputs.get(name);
    if (input?.type === "checkbox") input.checked = value === true;
    else if (input) input.value = value;
  }

  /** @param {string} name */
  use(name) {
    if (name in this.named) this.set(this.named[name]);
    this.again();
  }

  changed() {
    this.presets.value = "own";
    this.again();
  }

  shuffle() {
    this.seed += 1;
    this.send(null);
  }

  again() {
    const own = this.presets.value === "own";
    setAddress({ of: this.sets.value, augment: own ? null : this.presets.value, knobs: own ? new URLSearchParams(this.different()).toString() : null });
    this.say();
    this.send(null);
  }

  values() {
    return Object.fromEntries([...this.inputs].map(([name, input]) => [name, input.type === "checkbox" ? input.checked : Number(input.value)]));
  }

  /** The knobs that are not as with no augmentation. @returns {Record<string, string>} */
  different() {
    return Object.fromEntries(Object.entries(this.values()).filter(([name, value]) => value !== this.named.none[name]).map(([name, value]) => [name, String(value)]));
  }

  say() {
    for (const [name, input] of this.inputs) {
      const output = input.closest("label").querySelector("output");
      if (output) output.textContent = name in { angle: 1, shear: 1 } ? input.value : Number(input.value).toFixed(name === "bend" ? 3 : 2);
    }
  }

  async preview() {
    try {
      const found = await ask("POST", "/api/augmented", { name: this.sets.value, seed: this.seed, ...this.values() });
      this.picture.src = found.picture;
      this.picture.alt = `Images of ${found.classes.join(", ")}: each as it is, then in ${found.forms} forms`;
      this.rows.textContent = "Left: as it is. Then six of the forms that the network would see.";
      this.said.textContent = "";
    } catch (trouble) {
      this.said.textContent = /** @type {any} */ (trouble).words ?? String(trouble);
    }
  }
}
