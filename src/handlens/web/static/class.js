// The page Class, for a projector: who needs help, who makes the same mistake, how far all are. Names are shown only when asked for.

import { ask } from "./api.js";
import { chooser, distribution } from "./class_question.js";
import { panel } from "./code.js";
import { byId, counted, el, fill, loadStyle, notice, speak } from "./dom.js";
import { onKey } from "./keys.js";
import { stream } from "./stream.js";

const STATES = { passed: ["✓", "passed"], working: ["○", "working"], "needs help": ["!", "needs help"] };
const TICK_MS = 10_000;

/** The newest board, whether names are shown, and how far the server's clock is ahead of this one's, in seconds. */
/** @type {{board: any, names: boolean, ahead: number}} */
const seen = { board: null, names: false, ahead: 0 };

/** @param {HTMLElement} main @param {{class: boolean}} lab */
export async function show(main, lab) {
  main.append(el("h1", {}, "Class"));
  if (!lab.class) return main.append(el("p", { class: "lead" }, "No class is going on. Begin one in the terminal: ", el("code", {}, "handlens lab --class")));
  await loadStyle("class.css");
  const class_ = await ask("GET", "/api/class");
  const parts = [help(), mistakes(), tasks(), question(class_.questions), people()];
  const lead = el("p", { class: "lead", id: "count" });
  const way = join(class_);
  main.classList.add("class");
  main.append(el("div", { class: "row head" }, lead, tools(parts)), way.element, board(parts));
  const update = () => {
    way.update(seen.board);
    lead.textContent = inWords(seen.board);
    for (const part of parts) if (part.element.dataset.state !== stateOf(part)) redraw(part);
    tick();
  };
  follow(update);
  setInterval(tick, TICK_MS);
}

/** Two columns, so that none waits for the height of its neighbour. @param {Part[]} parts */
function board([helped, same, done, asked, here]) {
  const column = (/** @type {Part[]} */ ...some) => el("div", { class: "column" }, some.map(({ element }) => element));
  return el("div", { class: "board" }, column(helped, done), column(same, asked), here.element);
}

/** @typedef {{element: HTMLElement, body: HTMLElement, of: (board: any) => any, draw: (what: any) => any[]}} Part */

/** What a part shows, as text: it is drawn anew only when that has changed. @param {Part} part */
const stateOf = (part) => JSON.stringify([part.of(seen.board), seen.names]);

/** @param {Part} part */
function redraw(part) {
  const focused = document.activeElement?.getAttribute("data-key");
  part.element.dataset.state = stateOf(part);
  fill(part.body, part.draw(part.of(seen.board)));
  if (focused) /** @type {HTMLElement | null} */ (part.body.querySelector(`[data-key="${focused}"]`))?.focus();
}

/** @param {string} title @param {string} says @param {{code: string}} code @param {(board: any) => any} of @param {(what: any) => any[]} draw @returns {Part} */
function part(title, says, code, of, draw) {
  const body = el("div", {});
  return { element: panel(title, says, body, code), body, of, draw };
}

/** @param {() => void} update */
function follow(update) {
  const take = (/** @type {any} */ board) => {
    const before = seen.board;
    seen.board = board;
    seen.ahead = seen.board.now - Date.now() / 1000;
    notice("");
    update();
    const fresh = seen.board.help.filter((/** @type {any} */ one) => !before?.help.some((/** @type {any} */ old) => old.number === one.number));
    if (before && fresh.length) speak(`Number ${fresh[0].number} needs help.`);
  };
  stream("/api/class/live", { class: take }, () => notice("The lab does not answer. What learners send waits on their computers; this page goes on when the lab is back."));
}

/** @param {any} board */
function inWords(board) {
  const all = board.learners.length;
  const idle = board.learners.filter((/** @type {any} */ one) => !one.checked).length;
  if (!all) return "Nobody has joined yet: open the address below in a browser of the same network, or point a phone at the picture.";
  const help = board.help.length ? counted(board.help.length, "needs help", "need help") : "Nobody asks for help";
  return `${counted(all, "has", "have")} joined. ${help}${idle ? `; ${counted(idle, "has", "have")} checked nothing yet` : ""}.`;
}

/** @param {Part[]} parts */
function tools(parts) {
  const box = el("input", { type: "checkbox", id: "names", "aria-keyshortcuts": "N" });
  const toggle = () => {
    seen.names = box.checked;
    if (seen.board) parts.forEach(redraw); // else it has not come yet
    tick();
  };
  box.addEventListener("change", toggle);
  onKey(["n"], "show or hide names", () => {
    box.checked = !box.checked;
    toggle();
  });
  return [
    el("label", { class: "check" }, box, "Show names and words"),
    el("a", { class: "button", href: "/api/class/export", download: "" }, "Export as CSV"),
    el("button", { type: "button", onclick: ending }, "End the class"),
  ];
}

/** How one joins: large as long as nobody has. @param {any} class_ */
function join(class_) {
  const way = el("a", { class: "address", href: class_.address });
  const code = el("strong", { class: "code-word" });
  const command = el("code", {});
  const picture = el("img", { class: "qr", alt: "The address as a QR code", src: class_.picture });
  const words = el("div", {}, el("p", {}, "In a browser: ", way), el("p", {}, "Class code: ", code), el("p", { class: "caption" }, "In a terminal, so that the results of checks come here: ", command));
  const short = el("span", { class: "short" });
  const element = el("details", { class: "card join", open: true }, el("summary", {}, "How to join", short), el("div", { class: "way" }, picture, words));
  let shown = "";
  let empty = true;
  const update = (/** @type {any} */ board) => {
    if (empty && board.learners.length) element.open = false;
    empty = !board.learners.length;
    if (shown === board.code) return;
    shown = board.code;
    way.textContent = way.href = class_.address.replace(class_.code, shown);
    code.textContent = shown;
    short.textContent = `: ${way.textContent}`;
    command.textContent = `handlens course join ${class_.host} --code ${shown}`;
    if (shown !== class_.code) ask("GET", "/api/class").then((now) => (picture.src = now.picture), tellTrouble);
  };
  return { element, update };
}

/** @param {any} trouble */
const tellTrouble = (trouble) => notice(trouble.words ?? String(trouble));

/** @param {object} what */
function wish(what) {
  return ask("POST", "/api/class", what).catch(tellTrouble);
}

/** A learner: the number, and the name where names are shown. @param {{number: number, name: string}} one */
const called = (one) => [el("b", {}, `#${one.number}`), seen.names && one.name && [" ", el("bdi", {}, one.name)]];

/** @param {number} since */
const waiting = (since) => el("span", { class: "wait", "data-since": since }, ago(since));

/** @param {number} since */
function ago(since) {
  const minutes = Math.floor((Date.now() / 1000 + seen.ahead - since) / 60);
  if (minutes < 1) return "just now";
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function tick() {
  for (const place of document.querySelectorAll("[data-since]")) place.textContent = ago(Number(place.getAttribute("data-since")));
}

function help() {
  return part("Needs help", "Who has raised a hand, longest waiting first. “Helped” takes the hand down.", { code: "hands" }, (board) => board.help, (rows) => [
    rows.length === 0 && el("p", { class: "caption" }, "Nobody just now. Learners press “I need help” on their page, or type: handlens course stuck"),
    el("ol", { class: "waiting" }, rows.map((/** @type {any} */ one) =>
      el("li", {},
        el("span", { class: "who" }, called(one)), waiting(one.since), one.task && el("span", { class: "task" }, one.task),
        seen.names && one.text && el("q", {}, el("bdi", {}, one.text)),
        el("button", { type: "button", "data-key": `helped-${one.number}`, "aria-label": `Number ${one.number} was helped`, onclick: () => wish({ do: "helped", number: one.number }) }, "Helped"),
      ))),
  ]);
}

/** The sentence that names a mistake; words that are not the checks' own only together with names. @param {any} group */
const said = (group) => group.sentence || (seen.names ? el("bdi", {}, group.words) : el("span", { class: "caption" }, "another mistake; its words are shown with the names"));

function mistakes() {
  return part("The same mistake", "Learners whose check names the same mistake stand together. Who has waited longest comes first.", { code: "same" }, (board) => board.mistakes, (groups) => [
    groups.length === 0 && el("p", { class: "caption" }, "No check has found a mistake that is still there."),
    el("ol", { class: "groups" }, groups.map((/** @type {any} */ group) =>
      el("li", { "data-cause": group.cause },
        el("p", {}, el("strong", { class: "many" }, group.who.length), " ", el("span", { class: "task" }, group.task), " ", said(group)),
        el("p", { class: "chips" }, group.who.map((/** @type {any} */ one) => el("span", { class: "chip" }, called(one), " ", waiting(one.since), one.hand && el("span", { title: "needs help" }, " !")))),
      ))),
  ]);
}

function tasks() {
  return part("Tasks", "How many have passed each exercise, work on it, or need help. An exercise appears with its first check.", { code: "tasks" }, (board) => board.tasks, (rows) => [
    rows.length === 0 && el("p", { class: "caption" }, "Nothing was checked yet."),
    rows.length > 0 && el("ul", { class: "states legend" }, Object.values(STATES).map(([sign, word]) => el("li", { class: word.replace(" ", "-") }, `${sign} ${word}`))),
    el("ul", { class: "tasks" }, rows.map((/** @type {any} */ row) =>
      el("li", { "data-task": row.name },
        el("span", { class: "title" }, `${row.number}. ${row.name}`),
        Object.entries(STATES).map(([state, [sign, word]]) =>
          row[state] > 0 && el("span", { class: `count ${word.replace(" ", "-")}`, title: word }, `${sign} ${row[state]}`, el("span", { class: "spoken" }, ` ${word}`))),
      ))),
  ]);
}

/** @param {any[]} questions */
function question(questions) {
  const shown = part("Question", "Ask one of the lessons' questions, and see how the class answers. Let them talk about it, and ask again.", { code: "votes" }, (board) => board.question, (asked) => (asked ? distribution(asked, wish) : [el("p", { class: "caption" }, "The class is asked nothing just now.")]));
  shown.body.after(chooser(questions, wish));
  return shown;
}

function people() {
  return part("Who is here", "Each learner has a number, which also stands on their own page. Names are shown only while the box at the top is on.", { code: "people" }, (board) => board.learners, (rows) => {
    if (!rows.length) return [el("p", { class: "caption" }, "Nobody yet.")];
    if (!seen.names) return [el("p", { class: "caption" }, `${counted(rows.length, "has", "have")} joined; names are hidden.`)];
    return [el("ul", { class: "people" }, rows.map((/** @type {any} */ one) =>
      el("li", {}, el("span", { class: "who" }, called(one)), el("button", { type: "button", class: "link", "data-key": `remove-${one.number}`, "aria-label": `Send number ${one.number} away`, onclick: () => wish({ do: "remove", number: one.number }) }, "send away"))))];
  });
}

/** Ask before all is deleted. */
function ending() {
  const dialog = el("dialog", { class: "card", "aria-labelledby": "end-title" },
    el("h2", { id: "end-title" }, "End the class?"),
    el("p", {}, `The names and results of ${counted(seen.board?.learners.length ?? 0, "learner")} are deleted, and the code is worth nothing any more. Export them first if you want to keep them.`),
    el("div", { class: "row" },
      el("button", { type: "button", onclick: () => dialog.close() }, "Go on with it"),
      el("a", { class: "button", href: "/api/class/export", download: "" }, "Export as CSV"),
      el("button", { type: "button", class: "primary", onclick: () => wish({ do: "end" }).then(() => dialog.close()) }, "End and delete")),
  );
  dialog.addEventListener("close", () => dialog.remove());
  byId("main").append(dialog);
  dialog.showModal();
}
