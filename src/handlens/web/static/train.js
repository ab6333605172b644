// The page Train: choose, guess, start, and watch a real training; steer it while it goes on.

import { ask, fromAddress, setAddress, unlessBusy } from "./api.js";
import { panel, showAnew } from "./code.js";
import { counted, el, fill, percent, speak } from "./dom.js";
import { follow, packed, titles } from "./fetching.js";
import { onKey } from "./keys.js";
import { Live } from "./live.js";

const OPEN = "handlens-knobs-open"; // the groups that are

/** @param {HTMLElement} main @param {{may_change: boolean}} lab */
export async function show(main, lab) {
  const [known, { sets }] = await Promise.all([ask("GET", "/api/trainings"), ask("GET", "/api/data")]);
  const page = new TrainPage(known, sets, lab.may_change);
  main.append(...page.parts());
  page.begin();
}

class TrainPage {
  /** @param {any} known @param {import("./fetching.js").Set[]} sets @param {boolean} mayTrain */
  constructor(known, sets, mayTrain) {
    this.known = known;
    this.sets = sets;
    this.mayTrain = mayTrain;
    /** @type {Map<string, any>} */
    this.fields = new Map();
    /** @type {{names: string[], changed: HTMLElement, fold: HTMLDetailsElement}[]} */
    this.groups = [];
    this.startButton = el("button", { class: "primary", disabled: !mayTrain, "aria-keyshortcuts": "Space" });
    this.said = el("p", { class: "kept", role: "status" });
    this.guess = el("input", { type: "number", id: "guess", min: 0, max: 100, step: "any", inputmode: "decimal", placeholder: "0 – 100" });
    this.purpose = el("p", { class: "caption" });
    this.meaning = el("p", { class: "caption", id: "meaning" }, "Tap a name, or go into its field, to read here what it means.");
    this.time = el("p", { class: "caption", id: "time", role: "status" });
    this.absent = el("p", { class: "caption", id: "absent" });
    this.coming = el("p", { class: "caption", id: "coming" });
    this.start = unlessBusy((/** @type {boolean} */ fetch) => this.order(fetch));
    this.live = new Live(mayTrain, (lr) => this.tryAgain(lr));
  }

  parts() {
    return [el("h1", {}, "Train"), el("div", { class: "training" }, this.form(), this.live.element)];
  }

  form() {
    const presets = el("select", { id: "preset" }, this.known.presets.map((/** @type {any} */ { name, purpose }) => el("option", { value: name, title: purpose }, name)));
    presets.addEventListener("change", () => this.usePreset(presets.value));
    this.presets = presets;
    const others = Object.entries(this.known.groups).map(([heading, names]) => this.group(heading, names.filter((/** @type {string} */ name) => !this.known.main.includes(name))));
    const form = el(
      "form",
      {},
      el("label", { class: "wide" }, "Preset", presets),
      this.purpose,
      this.knobs(this.known.main),
      el("div", { class: "groups" }, el("h3", {}, "All other knobs"), others),
      this.meaning,
      el("label", { class: "wide guess" }, el("span", {}, "What do you think: how many % of new images will it get right after one epoch, once through all images that it learns from?"), this.guess),
      el("div", { class: "row" }, this.startButton, el("button", { type: "button", disabled: !this.mayTrain, onclick: () => this.estimate() }, "How long?")),
      el("div", { class: "told" }, this.absent, this.coming, this.time, this.said),
    );
    form.addEventListener("pointerdown", (/** @type {PointerEvent} */ { pointerType }) => form.classList.toggle("touched", pointerType === "touch"));
    form.addEventListener("keydown", (/** @type {any} */ event) => {
      if (event.key !== "Enter" || !event.target.matches("input, select") || !this.lacking().length) return;
      event.preventDefault();
      this.startButton.focus(); // as with the space bar: a key fetches nothing
    });
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.start(this.lacking().length > 0);
    });
    this.whole = form;
    return panel("What to train", "A preset sets all knobs, the settings of a training; change any of them. It is the same training as on the command line, and what comes of it is kept as a run.", form, { code: "train", knobs: () => this.asPython(), id: "what" });
  }

  /** The knobs that are not at their default, as arguments of `hl.fit`. */
  asPython() {
    const value = (/** @type {string} */ name) => this.fields.get(name).value;
    const own = this.known.knobs.filter((/** @type {any} */ { name, default: usual }) => !["model", "data"].includes(name) && value(name) !== usual);
    const named = own.map((/** @type {any} */ { name, several }) => `${name}=${several ? JSON.stringify(value(name)) : inPython(value(name))}`);
    return [inPython(value("model")), inPython(value("data")), ...named].join(", ");
  }

  /** Some knobs, folded away. @param {string} heading @param {string[]} names */
  group(heading, names) {
    const changed = el("span", { class: "changed" });
    const fold = el("details", { "data-group": heading, open: (localStorage.getItem(OPEN) ?? "").split(",").includes(heading) }, el("summary", {}, heading, " ", changed), this.knobs(names));
    fold.addEventListener("toggle", () => localStorage.setItem(OPEN, this.groups.filter(({ fold }) => fold.open).map(({ fold }) => fold.dataset.group).join()));
    this.groups.push({ names, changed, fold });
    return fold;
  }

  /** @param {string[]} names */
  knobs(names) {
    return el("div", { class: "knobs" }, names.map((name) => this.knob(this.known.knobs.find((/** @type {any} */ knob) => knob.name === name))));
  }

  /** @param {{name: string, title: string, says: string, default: string, choices: string[]}} knob */
  knob({ name, title, says, default: value, choices }) {
    const alsoName = () => title !== name && [" ", el("code", {}, name)];
    const options = name === "model" ? this.known.models : name === "data" ? this.known.data : choices;
    const id = `knob-${name}`;
    const field = options.length
      ? el("select", { id, title: says }, options.map((/** @type {string} */ option) => el("option", { value: option }, option)))
      : el("input", { type: "text", id, title: says, value, spellcheck: "false", autocomplete: "off" });
    field.addEventListener("change", () => this.changed());
    if (["data", "with_data"].includes(name)) field.addEventListener("change", () => this.look());
    field.addEventListener("input", () => this.showAbsent()); // the button says what it would fetch before it is pressed
    field.addEventListener("focus", () => fill(this.meaning, el("strong", {}, title), alsoName(), `: ${says}`));
    this.fields.set(name, field);
    return el("label", { class: "knob", title: says }, el("span", {}, title, alsoName()), field);
  }

  begin() {
    const prepared = [...this.fields.keys()].map((name) => [name, fromAddress(name)]).filter(([, value]) => value);
    const preset = this.known.presets.some((/** @type {any} */ { name }) => name === fromAddress("preset")) ? fromAddress("preset") : "session";
    this.presets.value = preset;
    this.usePreset(preset);
    const missing = prepared.filter(([name, value]) => {
      const field = this.fields.get(name);
      field.value = value;
      if (field.value === value) return false;
      field.value = this.base[name];
      return true;
    });
    this.changed();
    if (missing.length) this.said.textContent = `This link asks for what is not here: ${missing.map(([name, value]) => `${name} ${value}`).join(", ")}.`;
    onKey([" "], "start; then pause and go on", () => this.startOrPause());
    onKey(["s"], "one batch, while the training is paused", () => this.live.oneBatch());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    const run = fromAddress("run") || this.known.going;
    if (run) this.watch(run);
  }

  /** A key fetches nothing: the button says how much that would be. */
  startOrPause() {
    if (this.live.goesOn) this.live.pauseOrGo();
    else if (this.lacking().length) this.startButton.focus();
    else this.whole.requestSubmit(); // which looks whether the guess can be one
  }

  /** @param {string} name */
  usePreset(name) {
    const { knobs, purpose } = this.known.presets.find((/** @type {any} */ preset) => preset.name === name);
    this.base = knobs;
    this.purpose.textContent = purpose;
    for (const [knob, field] of this.fields) field.value = this.base[knob];
    this.changed();
  }

  /** @param {string} name @param {any} value */
  fill(name, value) {
    const field = this.fields.get(name);
    const same = typeof value === "number" && Number(field?.value) === value; // 1e-05 and 0.00001 are one number
    if (field && !same) field.value = typed(value);
  }

  /** The knobs that differ from the preset; they are also the page's address. */
  chosen() {
    return Object.fromEntries([...this.fields].filter(([name, field]) => field.value !== this.base[name]).map(([name, field]) => [name, field.value]));
  }

  changed() {
    const own = this.chosen();
    setAddress({ preset: this.presets.value, ...Object.fromEntries([...this.fields.keys()].map((name) => [name, own[name] ?? null])) });
    for (const [name, field] of this.fields) field.classList.toggle("own", name in own);
    this.estimated = null; // what is still being measured is of other knobs
    this.time.textContent = "";
    for (const { names, changed } of this.groups) changed.textContent = tally(names.length, names.filter((name) => name in own).length);
    this.showAbsent();
    showAnew();
  }

  /** The chosen data sets that are not on this machine. */
  lacking() {
    const names = ["data", "with_data"].map((name) => this.fields.get(name).value);
    return this.sets.filter(({ name, here, files }) => !here && files.length > 0 && names.includes(name));
  }

  /** What is on this machine by now: other pages fetch as well. */
  async look() {
    const found = await ask("GET", "/api/data").catch(() => null);
    if (found) this.sets = found.sets;
    this.showAbsent();
  }

  /** Nothing is fetched unasked: the button says so, and how much. */
  showAbsent() {
    const sets = this.lacking();
    const [be, them] = sets.length > 1 ? ["are", "them"] : ["is", "it"];
    const going = sets.every((set) => set.fetching);
    const size = packed(sets);
    const first = going ? `Wait for ${them}` : size ? `Fetch ${size}` : `Unpack ${them}`;
    const says = going ? ["being fetched just now", "waits for"] : size ? ["not on this machine", "fetches"] : ["not unpacked yet", "unpacks"];
    this.startButton.textContent = sets.length ? `${first} and start` : "Start";
    fill(this.absent, sets.length > 0 && [`${titles(sets)} ${be} ${says[0]}. The button ${says[1]} ${them} first${size && `: ${size}`}. `, el("a", { href: `/data?set=${sets[0].name}` }, "From where, and what to do without a network"), "."]);
    this.showComing(sets.filter((set) => set.fetching));
  }

  /** How far the data sets are that are being fetched just now, until they are here. @param {import("./fetching.js").Set[]} going */
  async showComing(going) {
    const names = titles(going);
    if (names === this.followed) return;
    this.followed = names;
    const tell = (/** @type {string} */ sentence) => names === this.followed && (this.coming.textContent = sentence);
    tell("");
    try {
      for (const { name } of going) await follow(name, "GET", ({ says, share }) => tell(share === null ? `${says} …` : `${says}: ${percent(share)}`), () => names === this.followed);
    } catch (trouble) {
      if (names === this.followed) this.said.textContent = /** @type {any} */ (trouble).message;
      for (const set of going) set.fetching = false;
    }
    if (!names || names !== this.followed) return;
    this.followed = this.coming.textContent = "";
    await this.look();
  }

  async estimate() {
    const asked = (this.estimated = Symbol("estimate"));
    const tell = (/** @type {string} */ sentence) => asked === this.estimated && (this.time.textContent = sentence);
    tell("Measuring: a few steps are taken with a network that is thrown away …");
    try {
      const { epoch_s: epoch, all_s: all, parameters } = await ask("POST", "/api/estimate", { preset: this.presets.value, knobs: this.chosen() });
      tell(`About ${seconds(epoch)} an epoch here, ${seconds(all)} in all; ${counted(parameters, "parameter")}.`);
    } catch (trouble) {
      tell(/** @type {any} */ (trouble).words ?? String(trouble));
    }
  }

  /** @param {boolean} fetch what is not here, first */
  async order(fetch) {
    if (!this.mayTrain) return;
    this.said.textContent = "";
    const guess = this.guess.value === "" ? null : Number(this.guess.value) / 100;
    try {
      const { name } = await ask("POST", "/api/trainings", { preset: this.presets.value, knobs: this.chosen(), guess, fetch });
      this.watch(name);
      for (const set of this.lacking()) set.here = true; // the training fetches it
      this.showAbsent();
      if (matchMedia("(max-width: 62rem)").matches) this.live.element.scrollIntoView();
      speak(`Training ${name} has begun.`);
    } catch (trouble) {
      const { missing = [], words = String(trouble) } = /** @type {any} */ (trouble);
      this.said.textContent = words;
      if (!missing.length) return;
      await this.look();
      for (const set of this.sets) set.here &&= !missing.includes(set.name); // what is damaged looks as if it were
      this.showAbsent();
    }
  }

  /** @param {string} name */
  watch(name) {
    setAddress({ run: name });
    this.live.watch(name);
  }

  /** Begin again with a smaller lr, after a training that diverged. @param {number} lr */
  tryAgain(lr) {
    for (const [name, value] of Object.entries(this.live.state.knobs ?? {})) this.fill(name, value); // another tab may have begun it
    this.fields.get("lr").value = String(lr);
    this.changed();
    this.start(false);
  }
}

/** What was typed as a value in Python: a number, true or false, or else a text. @param {string} text */
const inPython = (text) => (/^-?\d+(\.\d*)?(e[-+]?\d+)?$/i.test(text) ? text : { true: "True", false: "False" }[text] ?? JSON.stringify(text));

/** A knob as one would type it. @param {any} value */
const typed = (value) => (Array.isArray(value) ? value.join(",") : String(value));

/** @param {number} all @param {number} changed */
const tally = (all, changed) => (changed ? `${changed} of ${all} changed` : counted(all, "knob"));

/** @param {number} value */
const seconds = (value) => (value < 90 ? `${Math.max(1, Math.round(value))} s` : `${Math.round(value / 60)} min`);
