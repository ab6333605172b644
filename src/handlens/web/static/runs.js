// The page Runs: a table of all runs; of one that is chosen all that is known, of several what is different.

import { ask, fromAddress, setAddress, unlessBusy } from "./api.js";
import { panel } from "./code.js";
import { counted, el, fill, loadStyle } from "./dom.js";
import { told } from "./fetching.js";
import { Comparison } from "./runs_compare.js";
import { OneRun } from "./runs_one.js";
import { Sweeps } from "./sweeps.js";
import { duration, score, scrolling } from "./tables.js";

const MOST = 6;
const SIGNS = { complete: "✓", "stopped early": "✓", running: "…", failed: "✗", interrupted: "‖", damaged: "✗" };

/** @typedef {{name: string, status: string, star: boolean, [other: string]: any}} Row */
/** @type {{id: string, head: string, short?: string, cell: (run: Row) => any}[]} */
const COLUMNS = [
  { id: "status", head: "status", cell: ({ status, failure }) => el("span", { class: `status ${status.replace(" ", "-")}`, title: failure }, `${SIGNS[/** @type {keyof typeof SIGNS} */ (status)] ?? ""} ${status}`) },
  { id: "model", head: "model", cell: ({ model }) => model },
  { id: "data", head: "data", cell: ({ data }) => data },
  { id: "epochs", head: "epochs", cell: ({ epochs, planned }) => `${epochs}/${planned}` },
  { id: "val_accuracy", head: "validation", cell: (run) => score(run.val_accuracy) },
  { id: "test_accuracy", head: "test", cell: (run) => score(run.test_accuracy) },
  { id: "time_s", head: "time", cell: (run) => duration(run.time_s) },
  { id: "note", head: "note, tags", cell: ({ note, tags }) => [el("span", { class: "note", title: note }, note), ...tags.map((/** @type {string} */ tag) => el("span", { class: "tag" }, `#${tag}`))] },
];
const FALLING = ["val_accuracy", "test_accuracy", "epochs", "time_s", "star"];

/** @param {HTMLElement} main @param {{may_change: boolean}} lab */
export async function show(main, lab) {
  await loadStyle("analysis.css");
  const page = new RunsPage(lab.may_change);
  main.append(...page.parts());
  await page.load();
}

class RunsPage {
  /** @param {boolean} mayChange */
  constructor(mayChange) {
    this.mayChange = mayChange;
    /** @type {{runs: Row[], broken: any[], trash: any[], folder: string, empty: string}} */
    this.known = { runs: [], broken: [], trash: [], folder: "", empty: "" };
    this.chosen = fromAddress("runs").split(",").filter(Boolean);
    this.sort = fromAddress("sort");
    this.said = el("p", { class: "kept", role: "status", id: "said" });
    this.absent = el("div", {});
    this.list = el("div", {});
    this.trash = el("div", {});
    this.below = el("div", { class: "stack", id: "below" });
    this.search = el("input", { type: "text", id: "search", value: fromAddress("find"), spellcheck: "false", size: 14 });
    this.search.addEventListener("input", () => (setAddress({ find: this.search.value }), this.showTable()));
    this.measure = el("button", { type: "button", onclick: () => this.measureAll() }, "Measure on test images");
    this.sweeps = new Sweeps();
    this.remove = unlessBusy((/** @type {string} */ name) => this.moveAway(name));
    this.putBack = unlessBusy((/** @type {string} */ entry) => this.takeBack(entry));
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  parts() {
    this.tools = el("div", { class: "row tools-row" }, el("label", {}, "Find", this.search), this.measure);
    const content = el("div", {}, this.tools, this.said, this.absent, this.list, this.trash);
    const says = "A run is a training with all that came of it, in a folder. Choose one to see all about it, or up to six to compare them.";
    return [el("h1", {}, "Runs"), el("div", { class: "stack" }, panel("Your runs", says, content, { code: "runs" }), this.below, this.sweeps.element)];
  }

  /** A training may have ended, or a terminal have changed something, while another tab was in front. */
  async refresh() {
    if (document.visibilityState !== "visible") return;
    const known = await this.trying(() => ask("GET", "/api/runs"));
    if (!known) return;
    this.known = known;
    this.showTable();
    this.showTrash();
  }

  async load() {
    this.known = await ask("GET", "/api/runs");
    this.showTable();
    this.showTrash();
    this.showBelow();
    await this.sweeps.load();
  }

  showTable() {
    const { runs, broken, folder, empty } = this.known;
    this.tools.hidden = !runs.length;
    if (empty) return this.list.replaceChildren(nothing(folder, empty));
    const heads = [{ id: "star", head: "★" }, { id: "name", head: "run" }, ...COLUMNS];
    const shown = this.sorted(runs.filter((run) => this.isFound(run)));
    const body = [...shown.map((run) => this.row(run)), ...broken.map((ruin) => this.ruin(ruin, heads.length))];
    const made = el("table", { class: "runs" }, el("thead", {}, el("tr", {}, el("th", {}, el("span", { class: "spoken" }, "chosen")), heads.map((head) => this.head(head)))), el("tbody", {}, body));
    const focused = document.activeElement?.id;
    this.list.replaceChildren(scrolling("Runs", made), el("p", { class: "caption" }, `${counted(runs.length, "run")} in ${folder}${shown.length < runs.length ? `, ${counted(shown.length, "is", "are")} shown` : ""}. Validation: right answers on images kept apart to choose by; test: on images kept for the end.`));
    if (focused?.startsWith("run-")) document.getElementById(focused)?.focus();
  }

  /** @param {Row} run */
  isFound(run) {
    const text = [run.name, run.model, run.data, run.status, run.note, ...run.tags.map((/** @type {string} */ tag) => `#${tag}`)].join(" ").toLowerCase();
    return this.search.value.toLowerCase().split(/\s+/).every((/** @type {string} */ word) => text.includes(word));
  }

  /** @param {Row[]} runs as they came, the newest first, or by the column in the address */
  sorted(runs) {
    const name = this.sort.replace("-", "");
    if (!name) return runs;
    const sign = this.sort.startsWith("-") ? -1 : 1;
    const key = (/** @type {Row} */ run) => run[name];
    const known = runs.filter((run) => key(run) !== null).sort((one, other) => sign * (typeof key(one) === "string" ? key(one).localeCompare(key(other)) : key(one) - key(other)));
    return [...known, ...runs.filter((run) => key(run) === null)];
  }

  /** @param {{id: string, head: string}} column */
  head({ id, head }) {
    const now = this.sort.replace("-", "") === id;
    const down = this.sort.startsWith("-");
    const arrow = now ? (down ? " ↓" : " ↑") : "";
    const turn = () => {
      const first = FALLING.includes(id) ? `-${id}` : id;
      this.sort = !now ? first : this.sort === first ? (down ? id : `-${id}`) : "";
      setAddress({ sort: this.sort });
      this.showTable();
    };
    const button = el("button", { type: "button", class: "quiet", id: `run-head-${id}`, "aria-label": id === "star" ? "star" : null, onclick: turn }, head, arrow);
    return el("th", { scope: "col", "aria-sort": now ? (down ? "descending" : "ascending") : "none" }, button);
  }

  /** @param {Row} run */
  row(run) {
    const chosen = this.chosen.includes(run.name);
    const box = el("input", { type: "checkbox", id: `run-box-${run.name}`, checked: chosen, "aria-label": `Choose ${run.name}` });
    box.addEventListener("change", () => this.choose(run.name, box.checked));
    const star = el("button", { type: "button", class: "quiet star", id: `run-star-${run.name}`, "aria-pressed": String(run.star), "aria-label": `Star ${run.name}`, disabled: !this.mayChange, onclick: () => this.change(run.name, { star: !run.star }) }, run.star ? "★" : "☆");
    const name = el("button", { type: "button", class: "link", id: `run-name-${run.name}`, onclick: () => this.chooseOnly(run.name) }, run.name);
    return el("tr", { class: chosen && "chosen" }, el("td", {}, box), el("td", {}, star), el("th", { scope: "row" }, name), COLUMNS.map(({ id, cell }) => el("td", { class: id }, cell(run))));
  }

  /** @param {{name: string, reason: string, removable: boolean}} ruin @param {number} wide */
  ruin({ name, reason, removable }, wide) {
    const away = this.mayChange && removable && el("button", { type: "button", onclick: () => this.remove(name) }, "Move to trash");
    return el("tr", { class: "broken" }, el("td", {}), el("td", {}, "✗"), el("th", { scope: "row" }, name), el("td", { colspan: wide - 2 }, el("span", {}, `Not a run: ${reason}`), away));
  }

  /** @param {string} name @param {boolean} on */
  choose(name, on) {
    if (on && this.chosen.length >= MOST) {
      this.say(`More than ${MOST} curves cannot be told apart. Take one away first.`);
      return this.showTable();
    }
    this.chosen = on ? [...this.chosen, name] : this.chosen.filter((one) => one !== name);
    this.changed();
  }

  /** @param {string} name */
  chooseOnly(name) {
    this.chosen = [name];
    this.changed();
    this.below.scrollIntoView({ block: "nearest" });
  }

  changed() {
    setAddress({ runs: this.chosen.join(",") });
    this.showTable();
    this.showBelow();
  }

  showBelow() {
    const there = this.chosen.filter((name) => name === "starter" || this.known.runs.some((run) => run.name === name));
    const gone = this.chosen.filter((name) => !there.includes(name));
    if (gone.length) this.say(`There is no run ${gone.join(", ")} here.`);
    this.below.replaceChildren();
    if (there.length === 1) this.below.append(new OneRun(there[0], this.mayChange, this).element);
    if (there.length > 1) this.below.append(new Comparison(there).element);
  }

  /** @param {string} name @param {object} changes @returns {Promise<Row | null>} */
  async change(name, changes) {
    return this.trying(async () => {
      const run = await ask("POST", `/api/runs/${encodeURIComponent(name)}`, changes);
      this.known.runs = this.known.runs.map((one) => (one.name === name ? run : one));
      if (run.name !== name) this.chosen = this.chosen.map((one) => (one === name ? run.name : one));
      setAddress({ runs: this.chosen.join(",") });
      this.showTable();
      return run;
    });
  }

  /** @param {string} name */
  async moveAway(name) {
    const gone = await this.trying(() => ask("DELETE", `/api/runs/${encodeURIComponent(name)}`));
    if (!gone) return;
    this.chosen = this.chosen.filter((one) => one !== name);
    setAddress({ runs: this.chosen.join(",") });
    await this.load();
    const undo = el("button", { type: "button", class: "link", onclick: () => this.putBack(gone.entry) }, "Undo");
    this.said.replaceChildren(`${name} is in the trash. `, undo);
    undo.focus();
  }

  /** @param {string} entry */
  async takeBack(entry) {
    const back = await this.trying(() => ask("POST", `/api/trash/${encodeURIComponent(entry)}`));
    if (!back) return;
    await this.load();
    this.say(`${back.name} is back.`);
  }

  showTrash() {
    const items = this.known.trash.map(({ entry, name }) => el("li", {}, `${name} `, el("button", { type: "button", class: "link", "aria-label": `Put ${name} back`, onclick: () => this.putBack(entry) }, "Put back")));
    this.trash.replaceChildren(...(items.length && this.mayChange ? [el("details", {}, el("summary", {}, `Trash (${items.length})`), el("ul", {}, items))] : []));
  }

  async measureAll() {
    const unknown = this.known.runs.filter((run) => run.test_accuracy === null && run.epochs);
    const failed = [];
    let waiting = 0;
    /** @type {Set<string>} data sets that would have to be fetched for it */
    const missing = new Set();
    this.measure.disabled = true;
    fill(this.absent);
    for (const [place, run] of unknown.entries()) {
      this.say(`Measuring ${run.name} on its test images (${place + 1} of ${unknown.length}) …`);
      try {
        const { test_accuracy } = await ask("GET", `/api/runs/${encodeURIComponent(run.name)}/test`);
        for (const one of this.known.runs) if (one.name === run.name) one.test_accuracy = test_accuracy; // read anew, perhaps, meanwhile
      } catch (trouble) {
        const { missing: names = [], words = String(trouble) } = /** @type {any} */ (trouble);
        if (names.length) waiting += 1;
        else failed.push(`${run.name}: ${words}`);
        names.forEach((/** @type {string} */ name) => missing.add(name));
      }
      this.showTable();
    }
    this.measure.disabled = false;
    const done = unknown.length - failed.length - waiting;
    const said = done || !unknown.length ? [`Measured${done < unknown.length ? ` ${done} of ${unknown.length}` : ""}. Choose by validation; the test images are for the end.`] : [];
    if (waiting) said.push(`${counted(waiting, "run waits", "runs wait")} for images that are not on this machine.`);
    this.say([...said, ...failed].join(" "));
    if (missing.size) fill(this.absent, await told({ missing: [...missing], words: "Their images are not on this machine; see the page Data." }, () => this.measureAll()));
  }

  /** @template T @param {() => Promise<T>} does @returns {Promise<T | null>} */
  async trying(does) {
    try {
      return await does();
    } catch (trouble) {
      this.say(/** @type {any} */ (trouble).words ?? String(trouble));
      return null;
    }
  }

  /** @param {string} sentence */
  say(sentence) {
    this.said.textContent = sentence;
  }
}

/** @param {string} folder @param {string} words */
const nothing = (folder, words) => el("div", { class: "nothing" }, el("p", { class: "lead" }, words), el("p", {}, "This folder was looked at: ", el("code", {}, folder)), el("p", {}, el("a", { class: "button", href: "/train?preset=session" }, "Train one here")));
