// A learner's own page in a class: a name, "I need help", the question that is asked, and what their checks have told.

import { ask } from "./api.js";
import { byId, el, fill, notice, speak } from "./dom.js";
import { stream } from "./stream.js";

/** @type {any} */
let view = null;

/** An id of 16 bytes: the same thing sent twice counts once. */
const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {any} trouble */
const tellTrouble = (trouble) => notice(trouble.status === 0 ? "Your instructor's computer does not answer. Try again in a moment." : (trouble.words ?? String(trouble)));

/** @param {object} event */
async function tell(event) {
  const sent = await ask("POST", "/api/learner/events", { events: [{ id: newId(), ...event }] }).catch(tellTrouble);
  if (sent) notice("");
}

const name = el("input", { type: "text", id: "name", maxlength: 40, autocomplete: "nickname" });
const who = el("p", { class: "lead", id: "who" });
const naming = el("form", { class: "card row" }, el("label", { for: "name" }, "Your name or nickname"), name, el("button", { class: "primary" }, "Join the class"));
const text = el("input", { type: "text", id: "text", maxlength: 200 });
const raise = el("button", { type: "button", class: "primary", id: "hand", onclick: () => tell(view.stuck ? { what: "done" } : { what: "stuck", text: text.value }) });
const about = el("label", { class: "wide", for: "text" }, "What is it about? (you may leave it empty)", text);
const state = el("p", { id: "state" });
const asked = el("section", { class: "card", "aria-labelledby": "question" });
const checks = el("section", { class: "card" });
const inside = el("div", { class: "inside-class", hidden: true }, el("section", { class: "card" }, el("h2", {}, "Help"), el("p", { class: "says" }, "Raise your hand, and your instructor sees your number. Say what it is about, if you like."), state, about, raise), asked, checks);

naming.addEventListener("submit", async (/** @type {Event} */ event) => {
  event.preventDefault();
  const now = await ask("POST", "/api/learner/name", { name: name.value }).catch(tellTrouble);
  if (now) show(now);
});

/** @param {any} now */
function show(now) {
  const before = view?.number ? view : null; // to who has just said a name nothing was shown yet
  view = now;
  const known = now.number > 0;
  naming.hidden = known;
  inside.hidden = !known;
  fill(who, known ? ["You are ", el("b", {}, `number ${now.number}`), now.name && [", ", el("bdi", {}, now.name)], ". On the screen only your number is shown."] : "Your instructor sees your name; the screen shows only a number. Names are deleted when the class ends.");
  if (!known) return;
  raise.textContent = now.stuck ? "It is settled" : "I need help";
  about.hidden = now.stuck;
  if (now.stuck) text.value = "";
  state.textContent = now.stuck ? "Your hand is up. Somebody will come." : "";
  if (before && before.stuck !== now.stuck) speak(now.stuck ? "Your hand is up." : "Your hand is down.");
  if (JSON.stringify(before?.question) !== JSON.stringify(now.question)) showQuestion(now.question);
  if (JSON.stringify([before?.passed, before?.not_yet, before?.code]) !== JSON.stringify([now.passed, now.not_yet, now.code])) showChecks(now);
}

/** @param {any} question */
function showQuestion(question) {
  const focused = document.activeElement?.getAttribute("data-letter");
  fill(asked, el("h2", { id: "question" }, "Question"), question ? choices(question) : el("p", { class: "caption" }, "Nothing is asked just now. A question appears here by itself."));
  if (focused) asked.querySelector(`[data-letter="${focused}"]`)?.focus();
}

/** @param {any} question */
function choices(question) {
  return [
    el("p", { class: "asked" }, question.text),
    el("div", { class: "choices", role: "group", "aria-labelledby": "question" }, Object.entries(question.options).map(([letter, words]) =>
      el("button", { type: "button", "data-letter": letter, "aria-pressed": String(question.answer === letter), disabled: Boolean(question.right), onclick: () => tell({ what: "answer", question: question.name, letter }) },
        el("b", {}, `${letter})`), ` ${words}`, question.right === letter && " ✓")),
    ),
    question.answer && !question.right && el("p", { class: "caption" }, `Your answer is ${question.answer}. You can change it until the answer is shown.`),
    question.right && el("p", {}, el("b", {}, `${question.right}) `), question.why),
    question.right && question.answer && question.answer !== question.right && el("p", { class: "caption" }, el("b", {}, `Yours, ${question.answer}) `), question.yours),
  ];
}

/** @param {any} now */
function showChecks(now) {
  const some = now.passed.length + now.not_yet.length > 0;
  fill(
    checks,
    el("h2", {}, "Your checks"),
    some && el("ul", { class: "own-checks" }, now.passed.map((/** @type {string} */ task) => el("li", { class: "passed" }, `✓ ${task}`)), now.not_yet.map((/** @type {any} */ one) => el("li", {}, `○ ${one.task}: `, el("bdi", {}, one.sentence)))),
    el("p", { class: "caption" }, some ? "From another computer, or another folder:" : "So that the results of your checks come here, type once in the terminal, where your folder course is:"),
    el("pre", {}, `handlens course join ${location.host} --code ${now.code}`),
    el("p", { class: "caption" }, "It tells what a check said, and never your code."),
  );
}

function follow() {
  const stop = stream("/api/learner/live", { class: seen, over }, lost);

  /** @param {any} now */
  function seen(now) {
    notice("");
    show(now);
  }

  function over() {
    stop();
    inside.hidden = naming.hidden = true;
    who.textContent = "You are not in this class any more: it has ended, or your instructor has sent you away. What you sent is deleted when the class ends.";
  }
}

/** @param {boolean} refused */
function lost(refused) {
  notice(refused ? "This class has ended. To join another one, open its address." : "Your instructor's computer does not answer. This page goes on when it is back.");
}

byId("main").append(el("h1", {}, "Class"), who, naming, inside);
showQuestion(null);
follow();
