// Data sets that are not on this machine: what is said of them, and the button that fetches them. Without it nothing is fetched.

import { ask, Trouble } from "./api.js";
import { counted, el, fill, speak } from "./dom.js";

/** @typedef {{name: string, size_bytes: number, checksum: string, here: boolean}} Published a length of 0 is not known; the same checksum is the same file */
/** @typedef {{name: string, title: string, here: boolean, fetching: boolean, folder: string, size_bytes: number, licence: string, description: string, homepage: string, files: Published[]}} Set */
/** @typedef {{says: string, share: number | null, error: string, hint: string}} Fetch */

const LOOK_MS = 300;

/** What went wrong, as a part of the page; where data are missing, which, how large they are, and how to get them. @param {any} trouble @param {() => void} again what is tried once more when they are here */
export async function told(trouble, again) {
  const absent = trouble.missing?.length ? await setsOf(trouble.missing) : [];
  if (!absent.length) return el("p", { class: "trouble", role: "alert" }, trouble.words ?? String(trouble));
  return el("div", { class: "missing", role: "status" }, absent.length === 1 ? missing(absent[0], await fetching(absent, again)) : [await fetching(absent, again), absent.map((set) => missing(set))]);
}

/** @param {string[]} names @returns {Promise<Set[]>} none, if nobody answers */
export async function setsOf(names) {
  const { sets } = await ask("GET", "/api/data").catch(() => ({ sets: [] }));
  return sets.filter((/** @type {Set} */ { name }) => names.includes(name));
}

/** What a data set is that is not here, and the ways to get it. @param {Set} set @param {any} [button] that fetches it */
export function missing(set, button = null) {
  const files = set.files.map(({ name, size_bytes }) => el("li", {}, el("code", {}, name), size_bytes ? ` ${megabytes(size_bytes)}` : ""));
  return [
    el("h3", {}, set.title),
    el("p", {}, `${set.description}. ${megabytes(set.size_bytes)} on the disk; ${set.licence}.`),
    set.files.length && !packed([set])
      ? el("p", {}, "Its files are on this machine; they have to be unpacked once.")
      : el("p", {}, "It is not on this machine; looked for in ", el("code", {}, set.folder), "."),
    button,
    el("p", {}, `${button ? "Or get it" : "To get it"} in a terminal, which says from where${inBrackets(packed([set]))}: `, el("code", {}, `handlens data fetch ${set.name}`)),
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

/** The button, and how far it is; nothing for who may only look, unless it is being fetched. @param {Set[]} sets @param {() => void} then called when all are here, if this is still on the page @returns {Promise<any>} */
export async function fetching(sets, then) {
  const { may_change: mayFetch } = await ask("GET", "/api/lab").catch(() => ({}));
  const offers = mayFetch && sets.every(({ files }) => files.length);
  const goesOn = sets.some((set) => set.fetching);
  if (!offers && !goesOn) return null;
  const button = el("button", { type: "button", class: "primary", hidden: !offers || goesOn, onclick: () => trying(begin) }, label(sets));
  const said = el("div", { class: "caption", role: "status" });
  const bar = el("progress", { hidden: true, max: 1, "aria-label": "Share that is there" });
  const element = el("div", { class: "fetching" }, button, bar, said);
  const tell = (/** @type {Fetch} */ { says, share }) => {
    const sentence = `${says} …`;
    if (said.textContent !== sentence) said.textContent = sentence; // else a screen reader says it again and again
    bar.hidden = share === null;
    bar.value = share ?? 0;
  };
  const begin = async () => {
    for (const { name } of sets) await follow(name, "POST", tell);
    end();
  };
  const join = async () => {
    for (const { name } of sets.filter((set) => set.fetching)) await follow(name, "GET", tell, () => element.isConnected);
    if (sets.length > 1) await pause(2 * LOOK_MS); // who fetches several of them begins the next one meanwhile
    if (!element.isConnected) return; // something else is shown by now
    const names = sets.map(({ name }) => name);
    const { sets: all } = await ask("GET", "/api/data"); // if nobody answers, that is told
    const left = all.filter((/** @type {Set} */ { name, here }) => !here && names.includes(name));
    if (left.length) element.replaceWith((await fetching(left, then)) ?? "");
    else end();
  };
  const end = () => {
    speak("The data are here.");
    if (element.isConnected) then();
  };
  const trying = async (/** @type {() => Promise<void>} */ does) => {
    button.disabled = true;
    try {
      await does();
    } catch (trouble) {
      const { message, hint } = /** @type {any} */ (trouble);
      fill(said, el("span", { class: "trouble" }, message), hint && el("pre", { tabindex: 0, role: "region", "aria-label": "What was tried" }, hint));
      button.hidden = !offers;
      button.disabled = false;
      if (does === begin && document.activeElement === document.body) button.focus(); // a key fetches nothing that nobody asked for
    }
    bar.hidden = true;
  };
  if (goesOn) trying(join);
  return element;
}

/** Tell how far a data set is that is being fetched, until it is here; with POST it is begun if need be. @param {string} name @param {"GET" | "POST"} how @param {(state: Fetch) => void} tell @param {() => boolean} [isWanted] asked before each look */
export async function follow(name, how, tell, isWanted = () => true) {
  const path = `/api/data/${encodeURIComponent(name)}/fetch`;
  /** @type {Fetch} */
  let state = await ask(how, path);
  while (state.says) {
    tell(state);
    await pause(LOOK_MS);
    if (!isWanted()) return;
    state = await ask("GET", path);
  }
  if (state.error) throw new Trouble(state.error, state.hint, 200);
}

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {Set[]} sets */
export const titles = (sets) => sets.map(({ title }) => title).join(" and ");

/** @param {Set[]} sets */
const label = (sets) => (packed(sets) ? `Fetch ${titles(sets)} now${inBrackets(packed(sets))}` : `Unpack ${titles(sets)} now (nothing to download)`);

/** @param {string} words */
const inBrackets = (words) => (words ? ` (${words})` : "");

/** The files of data sets that are not on this machine; one that belongs to several of them is one. @param {Set[]} sets */
function toCome(sets) {
  const files = sets.flatMap((set) => set.files).filter(({ here }) => !here);
  return files.filter(({ checksum }, place) => files.findIndex((file) => file.checksum === checksum) === place);
}

/** How much comes over the network for data sets; empty if it is nothing. @param {Set[]} sets */
export function packed(sets) {
  const files = toCome(sets);
  const bytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const unknown = files.filter(({ size_bytes }) => !size_bytes).length;
  return [bytes > 0 && megabytes(bytes), unknown > 0 && counted(unknown, "file of unknown size", "files of unknown size")].filter(Boolean).join(" and ");
}

/** @param {number} bytes */
export const megabytes = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(0)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`);
