// The keyboard: letters and digits act outside text fields only, and can be switched off under `?`.

import { el } from "./dom.js";

/** @typedef {{keys: string[], says: string, does: (key: string) => void}} Shortcut */
/** @type {Shortcut[]} */
const shortcuts = [];
/** @type {{keys: string[], says: string}[]} */
const others = [];
const OFF = "handlens-keys-off";
export const ARROWS = ["↑", "↓", "←", "→"];

/** @param {string[]} keys @param {string} says @param {(key: string) => void} does */
export function onKey(keys, says, does) {
  shortcuts.push({ keys, says, does });
}

/** Keys that a part of the page takes itself, for the list under `?`. @param {string[]} keys @param {string} says */
export function alsoKeys(keys, says) {
  others.push({ keys, says });
}

/** Begin to listen. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
    if (document.querySelector("dialog[open]") || (localStorage.getItem(OFF) && event.key !== "?")) return;
    if ([" ", "Enter"].includes(event.key) && event.target instanceof Element && event.target.closest("button, a, summary, input[type=file]")) return;
    if (event.key === " " && event.target instanceof Element && event.target.closest("[role=application], [role=region]")) return; // it draws, or scrolls
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const found = shortcuts.find((shortcut) => shortcut.keys.includes(key));
    if (!found) return;
    event.preventDefault();
    if (!event.repeat || key === "Backspace") found.does(key);
  });
}

/** @param {EventTarget | null} target */
function writes(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio], [type=file]), textarea, select"));
}

/** @type {Record<string, string>} */
const NAMES = { " ": "Space", Backspace: "⌫ Backspace" };

/** Show what the keys do. */
export function showKeys() {
  const rows = [...shortcuts, ...others].map(({ keys, says }) => [
    el("dt", {}, keys.length === 10 ? el("kbd", {}, "0 – 9") : keys.map((key) => el("kbd", {}, NAMES[key] ?? (key.length > 1 ? key : key.toUpperCase())))),
    el("dd", {}, says),
  ]);
  const box = el("input", { type: "checkbox", id: "keys-on", checked: !localStorage.getItem(OFF) });
  box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes")));
  const dialog = el(
    "dialog",
    { class: "card", "aria-labelledby": "keys-title" },
    el("h2", { id: "keys-title", tabindex: -1, autofocus: true }, "Keys"),
    el("dl", { class: "keys" }, rows),
    el("label", { class: "check" }, box, "Letters and digits act as keys"),
    el("form", { method: "dialog" }, el("button", {}, "Close")),
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.querySelector("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
