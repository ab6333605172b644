// "Show code": the few lines that do what a panel shows, from the server, where a test runs them.

import { ask } from "./api.js";
import { el } from "./dom.js";

/** @type {Promise<Record<string, string>> | null} */
let snippets = null;

/**
 * @param {string} name of the snippet
 * @param {() => string} run the name of the run that is shown, or of several with commas between: RUN, then OTHER; or of a sweep, SWEEP
 * @param {() => string} knobs what stands for KNOBS: arguments in Python
 */
export function showCode(name, run, knobs) {
  const lines = el("code", {});
  const details = el("details", { class: "code" }, el("summary", {}, "Show code"), el("pre", { tabindex: 0, role: "region", "aria-label": `Code: ${name}` }, lines));
  details.addEventListener("toggle", async () => {
    if (!details.open) return;
    snippets ??= ask("GET", "/api/code");
    try {
      const text = (await snippets)[name];
      const [first, other = "OTHER"] = run().split(",");
      /** @type {Record<string, () => string>} */
      const meant = { RUN: () => first, SWEEP: () => first, OTHER: () => other, KNOBS: knobs };
      lines.textContent = text.replaceAll(/RUN|SWEEP|OTHER|KNOBS/g, (/** @type {string} */ word) => meant[word]());
    } catch (trouble) {
      snippets = null;
      lines.textContent = /** @type {any} */ (trouble).words ?? String(trouble);
    }
  });
  return details;
}

/** Code that is open is of what is shown by now. */
export function showAnew() {
  for (const open of document.querySelectorAll("details.code[open]")) open.dispatchEvent(new Event("toggle"));
}

/**
 * A panel: a heading, what it shows in two sentences at most, the thing itself, and its code.
 * @param {string} title
 * @param {string} says
 * @param {any} content
 * @param {{code?: string, run?: () => string, knobs?: () => string, id?: string}} [options]
 */
export function panel(title, says, content, { code, run = () => "latest", knobs = () => "KNOBS", id } = {}) {
  const heading = `panel-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;
  return el(
    "section",
    { class: "card", "aria-labelledby": heading, id },
    el("h2", { id: heading }, title),
    el("p", { class: "says" }, says),
    content,
    code && showCode(code, run, knobs),
  );
}
