// On the page Class: a question that the class is asked, and how often each answer was given.

import { counted, el } from "./dom.js";

/** What to ask. @param {{name: string, lesson: string, text: string}[]} questions @param {(what: object) => Promise<any>} wish */
export function chooser(questions, wish) {
  const lessons = [...new Set(questions.map(({ lesson }) => lesson))];
  const options = (/** @type {string} */ lesson) => questions.filter((one) => one.lesson === lesson).map(({ name, text }) => el("option", { value: name }, text));
  const select = el("select", { id: "which", "aria-label": "Which question" }, lessons.map((lesson) => el("optgroup", { label: lesson }, options(lesson))));
  return el("div", { class: "row choose" }, select, el("button", { type: "button", onclick: () => wish({ do: "ask", question: select.value }) }, "Ask the class"));
}

/** How often each answer was given. @param {any} asked @param {(what: object) => Promise<any>} wish */
export function distribution(asked, wish) {
  const all = asked.options.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
  return [
    el("p", { class: "asked" }, asked.text),
    el("ul", { class: "answers-given" }, asked.options.map((/** @type {any} */ one) => {
      const right = asked.right === one.letter;
      return el("li", { class: right && "right", "data-letter": one.letter },
        el("span", {}, el("b", {}, `${one.letter})`), ` ${one.text}`, right && " ✓"),
        bar(one.count / Math.max(1, all)),
        el("span", { class: "count" }, one.count));
    })),
    el("p", { class: "caption" }, `${counted(all, "answer")}${asked.round > 1 ? " since it was asked again" : ""}.`),
    el("div", { class: "row" },
      !asked.shown && el("button", { type: "button", "data-key": "show", onclick: () => wish({ do: "show" }) }, "Show the answer"),
      el("button", { type: "button", "data-key": "again", onclick: () => wish({ do: "ask", question: asked.name }) }, "Ask again"),
      el("button", { type: "button", "data-key": "away", onclick: () => wish({ do: "ask", question: "" }) }, "Take it away")),
  ];
}

/** @param {number} share */
function bar(share) {
  const fill = el("span", { class: "fill" });
  fill.style.transform = `scaleX(${share})`;
  return el("span", { class: "track", "aria-hidden": "true" }, fill);
}
