// Data sets that are not on this machine: what is said of them, and the button that fetches them. Without it nothing is fetched.

import { ask, Trouble } from "./api.js";
import { el, fill, speak } from "./dom.js";

/** @typedef {{name: string, title: string, here: boolean, folder: string, size_bytes: number, fetched_bytes: number, licence: string, description: string, homepage: string, files: {name: string, size_bytes: number}[]}} Set */
/** @typedef {{says: string, share: number | null, error: string, hint: string}} Fetch */

const LOOK_MS = 300;

/** What went wrong, as a part of the page; where data are missing, which, how large they are, and how to get them. @param {any} trouble @param {() => void} again what is tried once more when they are here */
export async function told(trouble, again) {
  const absent = trouble.missing?.length ? await setsOf(trouble.missing) : [];
  if (!absent.length) return el("p", { class: "trouble", role: "alert" }, trouble.words ?? String(trouble));
  return el("div", { class: "missing", role: "status" }, absent.length === 1 ? missing(absent[0], await fetching(absent, again)) : [await fetching(absent, again), absent.map((set) => missing(set))]);
}

/** @param {string[]} names @returns {Promise<Set[]>} none, if nobody answers */
async function setsOf(names) {
  const { sets } = await ask("GET", "/api/data").catch(() => ({ sets: [] }));
  return sets.filter((/** @type {Set} */ { name }) => names.includes(name));
}

/** What a data set is that is not here, and the ways to get it. @param {Set} set @param {any} [button] that fetches it */
export function missing(set, button = null) {
  const files = set.files.map(({ name, size_bytes }) => el("li", {}, el("code", {}, name), size_bytes ? ` ${megabytes(size_bytes)}` : ""));
  return [
    el("h3", {}, set.title),
    el("p", {}, `${set.description}. ${megabytes(set.size_bytes)} on the disk; ${set.licence}.`),
    el("p", {}, "It is not on this machine; looked for in ", el("code", {}, set.folder), "."),
    button,
    el("p", {}, `${button ? "Or get it" : "To get it"} in a terminal, which says from where${set.fetched_bytes ? ` (${packed([set])})` : ""}: `, el("code", {}, `handlens data fetch ${set.name}`)),
    files.length > 0 &&
      el(
        "details",
        {},
        el("summary", {}, "Without a network"),
        el("p", {}, "Bring these files from ", el("code", {}, set.homepage), " in any folder, and let them be checked and taken:"),
        el("ul", { class: "files" }, files),
        el("ul", { class: "commands" }, el("li", {}, el("code", {}, "handlens data import FOLDER"))),
      ),
  ].filter(Boolean);
}

/** The button, and how far it is; nothing for who may only look. @param {Set[]} sets @param {() => void} then called when all are here, if the button is still on the page */
export async function fetching(sets, then) {
  const { may_change: mayFetch } = await ask("GET", "/api/lab").catch(() => ({}));
  if (!mayFetch || !sets.every(({ files }) => files.length)) return null;
  const button = el("button", { type: "button", class: "primary", onclick: () => begin() }, `Fetch ${titles(sets)} now (${packed(sets)})`);
  const said = el("div", { class: "caption", role: "status" });
  const bar = el("progress", { hidden: true, max: 1, "aria-label": "Share that is there" });
  const element = el("div", { class: "fetching" }, button, bar, said);
  const begin = async () => {
    button.disabled = true;
    try {
      for (const set of sets) {
        await fetchOne(set.name, tell);
        set.here = true;
      }
      speak("The data are here.");
      if (element.isConnected) then();
    } catch (trouble) {
      const { message, hint } = /** @type {any} */ (trouble);
      fill(said, el("span", { class: "trouble" }, message), hint && el("pre", { tabindex: 0, role: "region", "aria-label": "What was tried" }, hint));
      button.disabled = false;
      if (document.activeElement === document.body) button.focus();
    }
    bar.hidden = true;
  };
  const tell = (/** @type {Fetch} */ { says, share }) => {
    const sentence = `${says} …`;
    if (said.textContent !== sentence) said.textContent = sentence; // else a screen reader says it again and again
    bar.hidden = share === null;
    bar.value = share ?? 0;
  };
  return element;
}

/** @param {string} name @param {(state: Fetch) => void} tell */
async function fetchOne(name, tell) {
  const path = `/api/data/${encodeURIComponent(name)}/fetch`;
  /** @type {Fetch} */
  let state = await ask("POST", path);
  while (state.says) {
    tell(state);
    await new Promise((done) => setTimeout(done, LOOK_MS));
    state = await ask("GET", path);
  }
  if (state.error) throw new Trouble(state.error, state.hint, 200);
}

/** @param {Set[]} sets */
export const titles = (sets) => sets.map(({ title }) => title).join(" and ");

/** How much comes over the network for data sets. @param {Set[]} sets */
export const packed = (sets) => megabytes(sets.reduce((sum, { fetched_bytes }) => sum + fetched_bytes, 0));

/** @param {number} bytes */
export const megabytes = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(0)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`);
