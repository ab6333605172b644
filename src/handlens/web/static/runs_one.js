// One run: its curves, what is not at its default, how to do it again, and the words of its owner.

import { ask, unlessBusy } from "./api.js";
import { chart } from "./chart.js";
import { panel } from "./code.js";
import { el } from "./dom.js";
import { asTable, busy, copied, duration, score, table } from "./tables.js";

/** @typedef {{change: (name: string, changes: object) => Promise<any>, remove: (name: string) => Promise<void>, showBelow: () => void, say: (sentence: string) => void}} Page */

export class OneRun {
  /** @param {string} name @param {boolean} mayChange @param {Page} page */
  constructor(name, mayChange, page) {
    this.name = name;
    this.mayChange = mayChange && name !== "starter";
    this.page = page;
    this.path = encodeURIComponent(name);
    const content = el("div", { class: "stack" });
    this.element = panel(name, "How it went, what was set, and how to do it again. Note, tags and star are yours; they change nothing of the training.", content, { code: "one", run: () => name });
    busy(content, "Reading …", () => ask("GET", `/api/runs/${this.path}`), (run) => this.made(run));
  }

  made(run) {
    const ways = el("p", { class: "row" }, el("a", { class: "button", href: `/errors?run=${this.path}` }, "See its errors"), el("a", { class: "button", href: `/?run=${this.path}` }, "Draw for it"));
    const again = run.commands.length ? [el("h3", {}, "The commands that repeat it"), ...run.commands.map(copied)] : [];
    return [this.curves(run), el("div", { class: "halves" }, this.facts(run), el("div", { class: "stack" }, ways, again, this.mayChange && this.words(run)))];
  }

  curves(run) {
    if (!run.rows.length) return el("p", { class: "caption" }, "It has not come to the end of an epoch.");
    return el("div", {}, el("div", { class: "charts" }, twoCurves("Loss", "loss", run, false), twoCurves("Accuracy", "accuracy", run, true)), legend(), epochsTable([run]));
  }

  facts(run) {
    const rows = [["status", run.failure ? `${run.status}: ${run.failure}` : run.status], ["trained for", duration(run.time_s)], ...Object.entries(run.knobs)];
    rows.push(...["torch", "device", "python"].filter((name) => run.env[name]).map((name) => [name, String(run.env[name])]));
    return table(`What is known of ${run.name}`, ["what", "value"], rows, "facts");
  }

  words(run) {
    const note = el("input", { type: "text", id: "note", value: run.note, maxlength: 2000 });
    const tags = el("input", { type: "text", id: "tags", value: run.tags.join(" "), placeholder: "homework good", spellcheck: "false" });
    const name = el("input", { type: "text", id: "rename", value: run.name, maxlength: 64, spellcheck: "false" });
    const form = el("form", { class: "words" }, el("label", { class: "wide" }, "Note", note), el("label", { class: "wide" }, "Tags", tags), el("label", { class: "wide" }, "Name", name));
    const away = el("button", { type: "button", onclick: () => this.page.remove(run.name) }, "Move to trash");
    form.append(el("div", { class: "row" }, el("button", { class: "primary" }, "Save"), away));
    const written = () => ({ note: note.value, tags: tags.value, name: name.value.trim() });
    /** @type {Record<string, string>} */
    let before = written();
    const save = unlessBusy(async () => {
      const now = written();
      const different = Object.entries(now).filter(([field, text]) => text !== before[field]); // another tab may have changed the rest
      const changes = different.map(([field, text]) => [field, field === "tags" ? text.split(/\s+/).filter(Boolean) : text]);
      const saved = await this.page.change(run.name, Object.fromEntries(changes));
      if (!saved) return;
      before = now;
      if (saved.name !== run.name) this.page.showBelow();
      this.page.say(`Saved: ${saved.name}.`);
    });
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      save();
    });
    return form;
  }
}

/** @param {string} title @param {string} metric @param {any} run @param {boolean} percent */
function twoCurves(title, metric, run, percent) {
  const points = (/** @type {string} */ split) => run.rows.filter((/** @type {any} */ row) => Number.isFinite(row[`${split}_${metric}`])).map((/** @type {any} */ row) => [row.epoch, row[`${split}_${metric}`]]);
  const series = [{ name: "train", points: points("train"), look: "marks" }, { name: "validation", points: points("val"), look: "marks" }];
  return el("figure", {}, el("figcaption", {}, el("strong", {}, title)), chart({ title, xLabel: "epoch", xEnd: Math.max(run.planned, run.rows.length), percent, yEnd: percent ? 1 : undefined, series: /** @type {any} */ (series) }));
}

const legend = () => el("p", { class: "legend" }, el("span", { class: "key s1" }, "train"), el("span", { class: "key s2" }, "validation"));

/** The epochs of runs as a table. @param {any[]} runs */
export function epochsTable(runs) {
  const several = runs.length > 1;
  const columns = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"].filter((name) => runs.some((run) => run.rows.some((/** @type {any} */ row) => name in row)));
  const cell = (/** @type {any} */ row, /** @type {string} */ name) => (name.endsWith("accuracy") ? score(row[name]) : (row[name]?.toFixed(4) ?? ""));
  const rows = runs.flatMap((run) => run.rows.map((/** @type {any} */ row) => [several ? `${run.name}, ${row.epoch}` : row.epoch, ...columns.map((name) => cell(row, name))]));
  return asTable("Epochs", [several ? "run, epoch" : "epoch", ...columns.map((name) => name.replace("_", " "))], rows);
}
