// A phone is invited to draw: its QR code in a dialog, and what is drawn on it on this pad.

import { ask, unlessBusy } from "./api.js";
import { counted, el } from "./dom.js";
import { stream } from "./stream.js";

/** The button. @param {() => string} run who answers the phone @param {HTMLElement} said where trouble is told */
export function inviteButton(run, said) {
  return el("button", { type: "button", onclick: unlessBusy(() => invite(run(), said)) }, "Use a phone");
}

/** @param {string} run @param {HTMLElement} said */
async function invite(run, said) {
  try {
    show(await ask("POST", "/api/phone", { run }));
  } catch (trouble) {
    said.replaceChildren(/** @type {any} */ (trouble).words ?? String(trouble));
  }
}

/** @param {{address: string, picture: string, seconds: number}} link */
function show({ address, picture, seconds }) {
  const left = el("p", { role: "status" }, `It works once, for ${counted(seconds / 60, "minute")}.`);
  const image = el("img", { class: "qr", src: picture, alt: "QR code of the address below" });
  const dialog = el(
    "dialog",
    { class: "card", "aria-labelledby": "phone-title" },
    el("h2", { id: "phone-title" }, "Draw on a phone"),
    el("p", {}, "Scan this with a phone in the same network; what is drawn there shows up here."),
    image,
    el("p", {}, el("code", {}, address)),
    left,
    el("form", { method: "dialog" }, el("button", {}, "Close")),
  );
  const timer = setTimeout(() => {
    image.hidden = true;
    left.textContent = "Its time is over. Close this and ask again.";
  }, seconds * 1000);
  dialog.addEventListener("close", () => {
    clearTimeout(timer);
    dialog.remove();
  });
  dialog.querySelector("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {(strokes: [number, number][][]) => void} drawn called whenever the drawing on the phone has changed */
export function watchPhone(drawn) {
  stream("/api/phone/live", { drawing: drawn });
}
