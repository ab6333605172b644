// The page Data: one's own digits, the data sets on this machine, and what augmentation makes of them.

import { ask } from "./api.js";
import { AugmentPanel } from "./augment.js";
import { el, loadStyle } from "./dom.js";
import { OwnDigits } from "./own.js";
import { SetsPanel } from "./sets.js";

/** @param {HTMLElement} main @param {{may_change: boolean}} lab */
export async function show(main, lab) {
  const [known, counts] = await Promise.all([ask("GET", "/api/data"), ask("GET", "/api/digits"), loadStyle("data.css")]);
  const own = new OwnDigits(counts, lab.may_change);
  const sets = new SetsPanel(known.sets);
  const here = known.sets.filter((/** @type {any} */ set) => set.here);
  main.append(
    el("h1", {}, "Data"),
    own.element,
    sets.element,
    here.length ? new AugmentPanel(here, known.augmentations).element : "",
  );
  document.addEventListener("visibilitychange", async () => {
    if (document.visibilityState !== "visible") return;
    const now = await ask("GET", "/api/digits").catch(() => null); // another tab may have kept some meanwhile
    if (now && String(now.counts) !== String(own.counts.counts)) own.update(now);
  });
  own.begin();
  sets.begin();
}
