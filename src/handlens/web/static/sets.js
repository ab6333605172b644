// The data sets: which are here, how even their classes are, what their images look like; and how to get the others.

import { ask, fromAddress, setAddress } from "./api.js";
import { panel } from "./code.js";
import { counted, el, fill, speak } from "./dom.js";
import { fetching, megabytes, missing, setsOf, told } from "./fetching.js";

/** @typedef {import("./fetching.js").Set} Set */

export class SetsPanel {
  /** @param {Set[]} sets */
  constructor(sets) {
    this.sets = sets;
    this.look = el("div", { class: "look" });
    this.chosen = "";
    this.rows = sets.map((set) => this.row(set));
    const [here, others] = [true, false].map((state) => this.rows.filter((_, place) => sets[place].here === state));
    this.others = el("details", { open: !here.length }, el("summary", {}, here.length ? counted(others.length, "other that can be got", "others that can be got") : `${others.length} that can be got`), el("ul", { class: "set-list" }, others));
    const content = el("div", { class: "sets" }, el("div", {}, el("ul", { class: "set-list" }, here), others.length > 0 && this.others), this.look);
    const says = "A data set is images with labels, which name the class of each, split into those to learn from and those to test on. Look for classes that are rare, and at what an average image hides.";
    this.element = panel("Data sets", says, content, { code: "set" });
  }

  /** @param {Set} set */
  row(set) {
    const state = set.here ? `✓ on this machine · ${megabytes(set.size_bytes)}` : megabytes(set.size_bytes);
    const button = el("button", { type: "button", "aria-pressed": "false", "data-set": set.name, onclick: () => this.choose(set.name) }, el("strong", {}, set.title), el("span", {}, state));
    return el("li", {}, button);
  }

  begin() {
    const wanted = fromAddress("set");
    const first = this.sets.find(({ name }) => name === wanted) ?? this.sets.find(({ here }) => here) ?? this.sets[0];
    if (first) this.choose(first.name, Boolean(wanted));
  }

  /** @param {string} name @param {boolean} [inAddress] */
  async choose(name, inAddress = true) {
    this.chosen = name;
    if (inAddress) setAddress({ set: name });
    for (const row of this.rows) row.firstChild.setAttribute("aria-pressed", String(row.firstChild.dataset.set === name));
    const set = /** @type {Set} */ (this.sets.find((each) => each.name === name));
    if (!set.here) {
      this.others.open = true;
      const [now = set] = await setsOf([name]); // it may be fetched by now, or have been
      if (this.chosen !== name) return;
      if (now.here) return location.reload();
      const button = await fetching([now], () => location.reload());
      if (this.chosen !== name) return;
      fill(this.look, missing(now, button));
      speak(`${now.title} is ${now.fetching ? "being fetched just now" : "not on this machine"}.`);
      return;
    }
    this.look.replaceChildren(el("p", { class: "caption", role: "status" }, `Reading ${set.title} …`));
    try {
      const found = await ask("GET", `/api/data/${encodeURIComponent(name)}`);
      if (this.chosen !== name) return;
      this.look.replaceChildren(...about(set, found));
      speak(`${set.title}: ${summary(found)}`);
    } catch (trouble) {
      const part = await told(trouble, () => location.reload());
      if (this.chosen === name) fill(this.look, part);
    }
  }
}

/** @param {Set} set @param {any} found */
function about(set, found) {
  const splits = Object.keys(found.counts);
  const train = found.counts.train ?? [];
  const most = Math.max(1, ...train);
  const head = el("tr", {}, ["class", "balance", ...splits, "mean", "some of them"].map((name) => el("th", { scope: "col" }, name)));
  const rows = found.classes.map((/** @type {any} */ each, /** @type {number} */ place) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, each.name),
      el("td", { class: "balance" }, balanceBar(train[place] ?? 0, most)),
      splits.map((split) => el("td", {}, found.counts[split][place].toLocaleString("en"))),
      el("td", {}, el("img", { src: each.mean, alt: `the mean of all ${each.name}`, width: 40, height: 40 })),
      el("td", { class: "some" }, each.samples.map((/** @type {string} */ sample) => el("img", { src: sample, alt: "", width: 40, height: 40 }))),
    ),
  );
  return [
    el("h3", {}, set.title),
    el("p", {}, `${set.description}. They are ${found.images}; ${set.licence || "no licence is told"}.`),
    el("p", { class: "summary" }, summary(found)),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Classes of ${set.title}` }, el("table", { class: "classes" }, el("thead", {}, head), el("tbody", {}, rows))),
    found.more > 0 && el("p", { class: "caption" }, `and ${counted(found.more, "other class", "other classes")}`),
    el("p", { class: "caption" }, "In ", el("code", {}, set.folder)),
  ].filter(Boolean);
}

/** @param {any} found */
function summary(found) {
  const train = found.counts.train ?? [];
  const totals = Object.entries(found.totals).filter(([, count]) => count).map(([name, count]) => `${/** @type {number} */ (count).toLocaleString("en")} to ${name === "val" ? "choose by" : name}`);
  const [low, high] = [Math.min(...train), Math.max(...train)];
  const even = !train.length ? "" : low === high ? " Each class has as many." : low ? ` The largest class has ${(high / low).toFixed(2)} times as many as the smallest.` : " A class has none to learn from.";
  return `${totals.join(", ")}.${even}`;
}

/** @param {number} count @param {number} most */
function balanceBar(count, most) {
  const fill = el("span", { class: "fill" });
  fill.style.transform = `scaleX(${count / most})`;
  return el("span", { class: "track", "aria-hidden": "true" }, fill);
}
