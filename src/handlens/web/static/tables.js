// Tables that scroll inside themselves, copy buttons, and pictures with words: what Runs and Errors share.

import { el, fill, speak } from "./dom.js";
import { told } from "./fetching.js";

/** A table with a caption, in a region of its own that scrolls. @param {string} caption @param {string[]} heads @param {any[][]} rows the first cell of each is its heading @param {string} [kind] a class */
export function table(caption, heads, rows, kind) {
  const body = rows.map(([first, ...others]) => el("tr", {}, el("th", { scope: "row" }, first), others.map((cell) => el("td", {}, cell))));
  return scrolling(caption, el("table", { class: kind }, el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, body)));
}

/** @param {string} name @param {any} content */
export const scrolling = (name, content) => el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, content);

/** The same, folded away: each chart has one. @param {string} caption @param {string[]} heads @param {any[][]} rows */
export const asTable = (caption, heads, rows) => el("details", {}, el("summary", {}, "As a table"), table(caption, heads, rows));

/** A command with a button that copies it. @param {string} command */
export function copied(command) {
  const button = el("button", { type: "button", "aria-label": `Copy: ${command}` }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command).then(
      () => (button.textContent = "✓ Copied"),
      () => (button.textContent = "Select and copy it"),
    );
    speak(button.textContent);
  });
  return el("p", { class: "command" }, el("code", {}, command), button);
}

/** A share as a table has it. @param {number | null | undefined} share */
export const score = (share) => (share === null || share === undefined ? "" : `${(share * 100).toFixed(2)} %`);

/** @param {number} value */
export const duration = (value) => (value < 100 ? `${value.toFixed(1)} s` : value < 6000 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`);

/**
 * While something slow is asked for: say so, then show it or what went wrong. Of several answers only that to the newest question is drawn.
 * @template T
 * @param {any} place
 * @param {string} sentence
 * @param {() => Promise<T>} get
 * @param {(found: T) => any} draw
 */
export async function busy(place, sentence, get, draw) {
  const asked = (place.asked = Symbol(sentence));
  place.replaceChildren(el("p", { class: "caption busy", role: "status" }, sentence));
  const part = await get()
    .then((found) => place.asked === asked && draw(found))
    .catch((trouble) => told(trouble, () => busy(place, sentence, get, draw)));
  if (place.asked === asked) fill(place, part);
}
