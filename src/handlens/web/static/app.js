// The shell: which page this is, the way to the others, the theme, and the keys that all pages have.

import { ask } from "./api.js";
import { byId, el } from "./dom.js";
import { listen, onKey, showKeys } from "./keys.js";
import { sendLater } from "./outbox.js";

/** Each page has a module, whose `show(main, lab)` builds it. `Class` is there while a class is. */
export const PAGES = [
  { path: "/", name: "Draw", key: "d", module: "./draw.js" },
  { path: "/train", name: "Train", key: "t", module: "./train.js" },
  { path: "/runs", name: "Runs", key: "r", module: "./runs.js" },
  { path: "/errors", name: "Errors", key: "e", module: "./errors.js" },
  { path: "/data", name: "Data", key: "a", module: "./data.js" },
  { path: "/course", name: "Course", key: "c", module: "./course.js" },
  { path: "/class", name: "Class", key: "b", module: "./class.js" },
];

const THEMES = ["system", "light", "dark"];

function showTheme() {
  const theme = document.documentElement.dataset.theme ?? "system";
  const sign = { system: "◐", light: "☀", dark: "☾" }[theme];
  byId("theme").replaceChildren(el("span", { "aria-hidden": "true" }, sign), el("span", { class: "wide-only" }, theme));
  byId("theme").setAttribute("aria-label", `Theme: ${theme}. Change it.`);
}

function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "system") + 1) % THEMES.length];
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("handlens-theme", theme);
  showTheme();
  document.dispatchEvent(new Event("themechange"));
}

/** @param {typeof PAGES} pages */
function addToNav(pages) {
  for (const { path, name, key } of pages) {
    byId("nav").append(el("a", { href: path, "aria-current": path === location.pathname && "page", "aria-keyshortcuts": key }, name));
    onKey([key], `page ${name}`, () => location.assign(path));
  }
}

async function show() {
  const page = PAGES.find(({ path }) => path === location.pathname) ?? PAGES[0];
  document.title = `${page.name} · handlens`;
  addToNav(PAGES.slice(0, -1));
  onKey(["?"], "these keys", showKeys);
  byId("theme").addEventListener("click", nextTheme);
  byId("help").addEventListener("click", showKeys);
  showTheme();
  listen();
  const main = byId("main");
  try {
    const [module, lab] = await Promise.all([import(page.module), ask("GET", "/api/lab")]);
    if (lab.class) addToNav(PAGES.slice(-1));
    if (lab.may_change) sendLater();
    else main.append(el("p", { class: "notice only" }, "Read-only: you can look and draw here, but keep nothing, change nothing and train nothing."));
    await module.show(main, lab);
  } catch (trouble) {
    main.append(el("h1", {}, page.name), el("p", { class: "trouble", role: "alert" }, /** @type {any} */ (trouble).words ?? String(trouble)));
  }
}

show();
