// A network's answer: the digit, how sure it is, its second guess, and a bar for each class.

import { el, percent } from "./dom.js";

export class Bars {
  /** @param {string} title who answers */
  constructor(title) {
    this.digit = el("span", { class: "digit" }, "–");
    this.said = el("span", { class: "said" });
    this.doubt = el("p", { class: "doubt", hidden: true });
    this.title = el("h3", {}, title);
    this.list = el("ol", { class: "bars" });
    this.element = el("div", { class: "answer" }, this.title, el("p", { class: "headline" }, this.digit, this.said), this.doubt, this.list);
    /** @type {Map<string, {row: any, fill: any, share: any}>} */
    this.rows = new Map();
    this.setClasses([..."0123456789"]);
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    this.rows = new Map(classes.map((name) => [name, row(name)]));
    this.list.replaceChildren(...[...this.rows.values()].map((each) => each.row));
  }

  /** @param {{label: string, second: string, probabilities: Record<string, number>, doubt: string, several: boolean}} answer */
  show(answer) {
    const shares = answer.probabilities;
    const classes = Object.keys(shares);
    if (classes.length && classes.some((name) => !this.rows.has(name))) this.setClasses(classes);
    for (const [name, { row, fill, share }] of this.rows) {
      fill.style.transform = `scaleX(${shares[name] ?? 0})`;
      share.textContent = name in shares ? percent(shares[name]) : "";
      row.classList.toggle("first", name === answer.label);
    }
    this.digit.textContent = answer.label || "–";
    this.said.textContent = answer.label ? `${percent(shares[answer.label])} · second guess ${answer.second} (${percent(shares[answer.second])})` : "";
    this.doubt.textContent = answer.doubt === "too little ink to judge" ? "Too little ink to judge. Draw a digit." : answer.several ? "More than one digit? It reads the largest." : answer.doubt;
    this.doubt.hidden = !answer.doubt;
  }

  /** @param {string} sentence why there is no answer */
  fail(sentence) {
    this.show({ label: "", second: "", probabilities: {}, doubt: sentence, several: false });
  }
}

/** The answer in one sentence, to be spoken. @param {{label: string, probabilities: Record<string, number>, doubt: string}} answer */
export const spoken = ({ label, probabilities, doubt }) => [doubt, label && `${label}, ${percent(probabilities[label])}`].filter(Boolean).join(". ");

/** @param {string} name */
function row(name) {
  const fill = el("span", { class: "fill" });
  const share = el("span", { class: "share" });
  return { row: el("li", {}, el("span", { class: "class" }, name), el("span", { class: "track" }, fill), share), fill, share };
}
