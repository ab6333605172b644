// The page Course: the exercises, what the last check of each said, a check, hints, and the files.

import { ask, fromAddress, setAddress, unlessBusy } from "./api.js";
import { panel } from "./code.js";
import { el, notice, speak } from "./dom.js";
import { told } from "./fetching.js";

const STATES = { passed: "✓ passed", "not yet": "○ not yet", "": "· not checked" };

/** @param {HTMLElement} main @param {{may_change: boolean}} lab */
export async function show(main, lab) {
  const course = await ask("GET", "/api/course");
  const passed = () => main.querySelectorAll("[data-state=passed]").length;
  const count = el("p", { class: "lead" });
  const tell = () => (count.textContent = `${passed()} of ${course.exercises.length} exercises passed.`);
  const items = course.exercises.map((/** @type {any} */ one) => exercise(one, lab.may_change && course.folder, tell));
  main.classList.add("course");
  main.append(
    el("h1", {}, "Course"),
    count,
    course.folder ? el("p", { class: "caption" }, "Your files: ", el("code", {}, course.folder)) : notLaidOut(lab),
    panel(
      "Exercises",
      "Each asks for a few lines of yours: open one to read its task. Check runs your file in a process of its own and says what it saw.",
      el("ol", { class: "exercises" }, items.map((/** @type {any} */ { item }) => item)),
      { code: "course" },
    ),
  );
  if (course.lessons.length) main.append(lessons(course));
  main.querySelector("details[open]")?.scrollIntoView({ block: "center" });
  tell();
  document.addEventListener("visibilitychange", async () => {
    if (document.visibilityState !== "visible") return;
    const now = await ask("GET", "/api/course").catch(tellTrouble); // a terminal may have checked something meanwhile
    if (!now) return;
    notice("");
    for (const [place, one] of now.exercises.entries()) items[place].refresh(one.state, one.last);
    tell();
  });
}

/** @param {any} trouble */
const tellTrouble = (trouble) => notice(trouble.words ?? String(trouble));

/** @param {{may_change: boolean}} lab */
function notLaidOut(lab) {
  const begin = unlessBusy(async () => {
    const answer = await ask("POST", "/api/course/start").catch(tellTrouble);
    if (answer) location.reload();
  });
  return el(
    "div",
    { class: "card" },
    el("p", {}, "Your files are not there yet. They will be put into a new folder, course, where the lab was started."),
    lab.may_change ? el("button", { onclick: begin }, "Create my files") : el("code", {}, "handlens course start"),
  );
}

/** @param {any} one @param {any} mayCheck @param {() => void} tell */
function exercise(one, mayCheck, tell) {
  const state = el("span", { class: "state" });
  const said = el("div", { class: "verdict" });
  const opened = one.name === fromAddress("exercise");
  let checking = false;
  const item = el(
    "li",
    { "data-exercise": one.name },
    el("details", { open: opened, ontoggle: (/** @type {any} */ event) => tellAddress(event.target.open, one.name) },
      el("summary", {}, el("span", { class: "name" }, `${one.number}. ${one.title}`), state),
      el("p", { class: "caption" }, `${one.session} · `, el("code", {}, `exercises/${one.file}`)),
      el("pre", { class: "task" }, one.task),
      el("div", { class: "row" }, mayCheck && el("button", { onclick: () => check() }, "Check"), hints(one.name)),
      said,
    ),
  );
  const update = (/** @type {string} */ now, /** @type {any} */ last) => {
    item.dataset.state = now;
    state.textContent = STATES[/** @type {keyof typeof STATES} */ (now)];
    said.replaceChildren(...(last && now !== "passed" ? verdict(last) : last?.note ? [el("p", { class: "caption" }, last.note)] : []));
  };
  const check = unlessBusy(async () => {
    checking = true;
    said.replaceChildren(el("p", { class: "says", role: "status" }, "Checking…"));
    try {
      const result = await ask("POST", "/api/course/check", { name: one.name });
      update(result.passed ? "passed" : "not yet", result);
      speak(`${one.name}: ${result.passed ? "passed" : `not yet. ${result.sentence}`}`);
    } catch (trouble) {
      said.replaceChildren(await told(trouble, check));
    }
    checking = false;
    tell();
  });
  update(one.state, one.last);
  return { item, refresh: (/** @type {string} */ now, /** @type {any} */ last) => checking || said.querySelector(".missing") || update(now, last) };
}

/** The exercise that is open is in the address. @param {boolean} open @param {string} name */
function tellAddress(open, name) {
  if (open) setAddress({ exercise: name });
  else if (fromAddress("exercise") === name) setAddress({ exercise: null });
}

/** @param {any} last */
function verdict(last) {
  return [
    el("p", {}, el("b", {}, last.sentence)),
    last.line > 0 && el("pre", {}, `line ${last.line}   ${last.code}`),
    last.evidence && el("p", { class: "caption" }, `Seen: ${last.evidence}`),
    el("p", {}, `Try: ${last.change}`),
    last.note && el("p", { class: "caption" }, last.note),
  ].filter(Boolean);
}

/** @param {string} name */
function hints(name) {
  const place = el("pre", { class: "hint-text", hidden: true });
  let level = 0;
  const more = el("button", { onclick: next }, "Hint 1 of 3");
  async function next() {
    more.disabled = true; // until it is there: a second press asks for the next one
    const answer = await ask("GET", `/api/course/hint/${name}/${level + 1}`).catch(tellTrouble);
    more.disabled = false;
    if (!answer) return;
    level += 1;
    place.hidden = false;
    place.textContent += `${place.textContent ? "\n\n" : ""}${answer.hint.replaceAll("```python\n", "").replaceAll("\n```", "")}`;
    more.textContent = `Hint ${level + 1} of 3`;
    more.hidden = level === 3;
  }
  return [more, place];
}

/** @param {any} course */
function lessons(course) {
  const content = el(
    "div",
    {},
    el("ul", { class: "commands" }, el("li", {}, el("code", {}, `jupyter lab "${course.folder || "course"}/lessons"`))),
    el("ol", { class: "lessons" }, course.lessons.map((/** @type {any} */ one) => el("li", {}, `${one.title} `, el("code", {}, one.file)))),
  );
  return panel("Lessons", "Notebooks that explain one thing each, to be run and changed. In a terminal, this command opens them.", content, { code: "lessons" });
}
