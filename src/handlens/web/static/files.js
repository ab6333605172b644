// My digits as files: pictures, folders, zip files and photographed sheets in; files for other programs out.

import { ask, unlessBusy } from "./api.js";
import { counted, el, speak } from "./dom.js";

const MOST_BYTES = 20 << 20;
const MOST_SHOWN = 50;

export class Importing {
  /** @param {HTMLElement} where @param {(counts: any) => void} changed */
  constructor(where, changed) {
    this.place = where;
    this.changed = changed;
    this.buttons = [
      chooser("import-files", "Add pictures or a zip file", { multiple: true, accept: "image/*,.zip" }, (files) => this.add(files)),
      chooser("import-folder", "Add a folder", { webkitdirectory: true }, (files) => this.add(files)),
      chooser("import-sheet", "Add a photographed sheet", { accept: "image/*" }, (files) => this.addSheet(files[0])),
      el("a", { class: "button", href: "/api/own/sheet.pdf", download: true }, "The sheet to print"),
    ];
  }

  /** @param {File[]} files */
  async add(files) {
    this.allow(false); // two readings at once would write over each other's words
    const pictures = files.filter(({ name }) => !name.startsWith(".")).sort((one, other) => place(one).localeCompare(place(other), "en", { numeric: true }));
    const found = { kept: 0, twice: 0, left: /** @type {any[]} */ ([]) };
    const said = this.begin();
    for (const [number, file] of pictures.entries()) {
      said.textContent = `Reading ${number + 1} of ${pictures.length} …`;
      const answer = await this.send(file, `/api/own/file?name=${encodeURIComponent(place(file))}`);
      for (const left of answer.left ?? []) found.left.push({ ...left, file: isZip(file) ? null : file });
      found.kept += answer.kept ?? 0;
      found.twice += answer.twice ?? 0;
    }
    this.show(found);
    this.allow(true);
  }

  /** @param {File} file */
  async addSheet(file) {
    this.allow(false);
    this.begin().textContent = "Reading the sheet …";
    this.show(await this.send(file, "/api/own/sheet"));
    this.allow(true);
  }

  /** @param {boolean} on whether files can be chosen */
  allow(on) {
    for (const button of this.buttons) for (const input of button.querySelectorAll("input")) input.disabled = !on;
  }

  begin() {
    const said = el("p", { class: "kept", role: "status" });
    this.place.replaceChildren(said);
    return said;
  }

  /** @param {File} file @param {string} path @returns {Promise<any>} */
  async send(file, path) {
    const left = (/** @type {string} */ why) => ({ kept: 0, twice: 0, left: [{ name: file.name, why, unlabelled: false, doubtful: false }] });
    if (file.size > MOST_BYTES) return left("it has more than 20 MiB");
    try {
      const answer = await ask("POST", path, file);
      this.changed(answer);
      return answer;
    } catch (trouble) {
      return left(/** @type {any} */ (trouble).words ?? String(trouble));
    }
  }

  /** @param {{kept: number, twice: number, left: any[]}} found */
  show({ kept, twice, left }) {
    const parts = [`${kept} kept`, twice && counted(twice, "was there already", "were there already"), left.length && `${left.length} left out`].filter(Boolean);
    const said = `${parts.join(", ")}.`;
    const rows = left.slice(0, MOST_SHOWN).map((one) => this.row(one));
    const table = rows.length > 0 && el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Left out" }, el("table", { class: "left-out" }, el("thead", {}, el("tr", {}, ["left out", "why", "it is a"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, rows)));
    const close = el("button", { type: "button", onclick: () => this.place.replaceChildren() }, "Close");
    this.place.replaceChildren(el("section", { class: "imported", "aria-label": "What was added" }, el("p", { class: "kept", role: "status" }, said), table, left.length > MOST_SHOWN && el("p", {}, `and ${counted(left.length - MOST_SHOWN, "other")}`), close));
    speak(said);
  }

  /** A picture that was left out; what it is can be said here. @param {any} one */
  row(one) {
    const cell = el("td", {});
    if (one.file && (one.unlabelled || one.doubtful)) {
      const labels = el("select", { "aria-label": `What ${one.name} is` }, [..."0123456789"].map((label) => el("option", {}, label)));
      const said = el("span", { role: "status" });
      const again = unlessBusy(() => this.again(one, labels.value, cell, said));
      cell.append(labels, el("button", { type: "button", onclick: again }, "Keep"), said);
    }
    return el("tr", {}, el("td", {}, one.name), el("td", {}, one.why), cell);
  }

  /** @param {any} one @param {string} label @param {HTMLElement} cell @param {HTMLElement} said where is told why it still is not kept */
  async again(one, label, cell, said) {
    const found = await this.send(one.file, `/api/own/file?name=${encodeURIComponent(one.name)}&label=${label}${one.doubtful ? "&anyway=1" : ""}`);
    const [left] = found.left;
    if (left) [said.textContent, one.doubtful] = [` ${left.why}`, one.doubtful || left.doubtful]; // pressed again, it insists
    else cell.replaceChildren(found.kept ? `✓ a ${label}` : "there already");
  }
}

/** Its name, with its folder if it came in one. @param {File} file */
const place = (file) => file.webkitRelativePath || file.name;

/** @param {File} file */
const isZip = (file) => file.name.toLowerCase().endsWith(".zip");

/** A button that lets one choose files. @param {string} id @param {string} says @param {Record<string, any>} options @param {(files: File[]) => void} chosen */
function chooser(id, says, options, chosen) {
  const input = el("input", { type: "file", id, class: "spoken", ...options });
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (files.length) chosen(files);
  });
  return el("span", { class: "file" }, input, el("label", { for: id, class: "button" }, says));
}

/** The ways out. */
export function exporting() {
  const kinds = { png: "28×28 pictures (zip)", drawn: "as they were drawn (zip)", csv: "table (CSV)", idx: "MNIST's own files (IDX)" };
  return [el("h3", {}, "Take them elsewhere"), el("div", { class: "row" }, Object.entries(kinds).map(([kind, says]) => el("a", { class: "button", href: `/api/own/export/${kind}`, download: true }, says)))];
}
