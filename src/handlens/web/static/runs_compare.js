// Several runs: their curves in one picture, only what is different, which is better, and the images on which they disagree.

import { ask, fromAddress, setAddress } from "./api.js";
import { chart } from "./chart.js";
import { panel } from "./code.js";
import { counted, el } from "./dom.js";
import { told } from "./fetching.js";
import { sample } from "./markers.js";
import { epochsTable } from "./runs_one.js";
import { busy, copied, table } from "./tables.js";

const METRICS = { val_accuracy: "validation accuracy", val_loss: "validation loss", train_accuracy: "training accuracy", train_loss: "training loss" };

export class Comparison {
  /** @param {string[]} names */
  constructor(names) {
    this.names = names;
    /** @type {any[]} */
    this.runs = [];
    this.picture = el("div", {});
    this.metric = el("select", { id: "metric" }, Object.entries(METRICS).map(([value, words]) => el("option", { value, selected: value === fromAddress("metric") }, words)));
    this.metric.addEventListener("change", () => (setAddress({ metric: this.metric.value }), this.runs.length && this.showCurves()));
    const run = () => names.join();
    const curves = el("div", {}, el("label", {}, "Curve of", this.metric), this.picture);
    this.table = el("div", { class: "stack" });
    this.disagree = el("div", { class: "stack" });
    this.element = el(
      "div",
      { class: "stack" },
      el("div", { class: names.length > 2 ? "stack" : "halves" }, panel("Curves", "One line for each run, with its own dash and mark. A curve that is higher early may end lower: look at both ends.", curves, { code: "curves", run }), panel("What is different", "Only the knobs that are not the same in all, and what each run reached. A difference smaller than the intervals may be luck.", this.table, { code: "compare", run })),
      panel("Where they disagree", "The same test images, and different answers. Runs of equal accuracy are often wrong on different images.", this.disagree, { code: "disagree", run }),
    );
    this.load();
  }

  async load() {
    const asked = () => Promise.all(this.names.map((name) => ask("GET", `/api/runs/${encodeURIComponent(name)}`)));
    const read = busy(this.picture, "Reading …", asked, (runs) => {
      this.runs = runs;
      return this.curves();
    });
    await Promise.all([read, this.measure()]);
  }

  /** Without the test images only what is different can be said, and how to get them. */
  measure() {
    const asked = ask("GET", `/api/compare?runs=${encodeURIComponent(this.names.join())}`);
    const sentence = `Measuring ${this.names.length} runs on their test images …`;
    return Promise.all([busy(this.table, sentence, () => asked, (found) => this.different(found)), busy(this.disagree, sentence, () => asked, (found) => this.cases(found))]);
  }

  showCurves() {
    this.picture.replaceChildren(...this.curves());
  }

  curves() {
    const metric = /** @type {keyof typeof METRICS} */ (this.metric.value);
    const percent = metric.endsWith("accuracy");
    const series = this.runs.map((run) => ({ name: run.name, look: "marks", points: run.rows.filter((/** @type {any} */ row) => Number.isFinite(row[metric])).map((/** @type {any} */ row) => [row.epoch, row[metric]]) }));
    const drawn = chart({ title: METRICS[metric], xLabel: "epoch", xEnd: Math.max(1, ...this.runs.map((run) => run.rows.length)), percent, yEnd: percent ? 1 : undefined, series: /** @type {any} */ (series) });
    drawn.classList.add("large");
    const keys = this.runs.map((run, number) => el("li", {}, sample(number), run.name, !series[number].points.length && " (has none)"));
    return [drawn, el("ul", { class: "legend" }, keys), epochsTable(this.runs)];
  }

  different(found) {
    const place = (/** @type {string} */ name) => found.columns.indexOf(name);
    const row = (/** @type {string} */ name) => [name.replaceAll("_", " "), ...found.cells.map((/** @type {string[]} */ cells) => cells[place(name)])];
    const reached = found.columns.filter((/** @type {string} */ name) => name !== "run" && !found.knobs.includes(name));
    const heads = (/** @type {string} */ what) => [what, ...this.names.map((name, number) => el("span", {}, sample(number, false), name))];
    const knobs = found.knobs.length ? table("Config: only the differences", heads("knob"), found.knobs.map(row), "sides") : el("p", { class: "caption" }, "Their configs are the same but for the number of epochs.");
    return [
      el("ul", { class: "findings" }, found.sentences.map((/** @type {string} */ sentence) => el("li", {}, sentence))),
      el("h3", {}, "Config: only the differences"),
      knobs,
      el("h3", {}, "What they reached"),
      table("What they reached", heads("measure"), reached.map(row), "sides"),
      found.pairs.length > 1 && this.pairs(found.pairs),
      copied(`handlens compare ${this.names.join(" ")}`),
    ];
  }

  /** @param {any[]} pairs */
  pairs(pairs) {
    const luck = (/** @type {number} */ p) => (p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`);
    const rows = pairs.map((pair) => [`${pair.first} and ${pair.second}`, pair.only_first, pair.only_second, luck(pair.p)]);
    return el("div", {}, el("h3", {}, "Each pair on the same images: p is how often luck alone would make such a difference (McNemar's test; not corrected for the number of pairs)"), table("Pairs", ["pair", "only the first is right", "only the second is right", ""], rows));
  }

  async cases(found) {
    if (found.missing.length) return told({ missing: found.missing, words: "The test images are not on this machine." }, () => this.measure());
    if (!found.n) return el("p", { class: "caption" }, found.sentences[0] ?? "They cannot be compared image by image.");
    if (!found.disagreements) return el("p", { class: "caption" }, "They give the same answer to every test image.");
    return [el("p", {}, `Different answers to ${found.disagreements.toLocaleString("en")} of ${found.n.toLocaleString("en")} test images.`), ...found.cases.map((/** @type {any} */ one) => this.case(one))];
  }

  case({ right, n, images }) {
    const who = right.length ? `Only ${right.join(" and ")} ${right.length > 1 ? "are" : "is"} right` : "All wrong, each in its way";
    const shown = images.length < n ? `, ${counted(images.length, "is", "are")} shown` : "";
    return el("section", {}, el("h3", {}, `${who}: ${counted(n, "image")}${shown}`), el("ul", { class: "gallery" }, images.map((/** @type {any} */ image) => this.image(image))));
  }

  image({ index, picture, true: label, said }) {
    const answers = said.map((/** @type {string} */ answer, /** @type {number} */ number) => el("span", { class: answer === label ? "right" : "wrong" }, sample(number, false), `${answer} ${answer === label ? "✓" : "✗"}`));
    const path = `/errors?run=${encodeURIComponent(this.names[0])}&image=${index}`;
    return el("li", {}, el("a", { href: path, "aria-label": `Test image ${index}, a ${label}; the runs say ${said.join(", ")}. Look into it.` }, el("img", { class: "pixels", src: picture, alt: "" })), el("span", {}, `is ${label}`), el("span", { class: "answers-of" }, answers));
  }
}
