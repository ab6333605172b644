// Drawings that are to be kept while nobody answers: they wait in this browser, and are sent when the lab is there again.

import { ask, Trouble } from "./api.js";
import { counted, notice } from "./dom.js";

const PLACE = "handlens-outbox";
const AGAIN_MS = 2000;
let timer = 0;
let said = ""; // of those that were refused, until it is shown

/** @typedef {{strokes: number[][][], label: number, anyway: boolean}} Drawing */

/** @returns {Drawing[]} */
const waiting = () => JSON.parse(localStorage.getItem(PLACE) ?? "[]");

/** @param {Drawing[]} drawings */
function setWaiting(drawings) {
  localStorage.setItem(PLACE, JSON.stringify(drawings));
  notice(drawings.length ? `The lab does not answer. ${counted(drawings.length, "drawing waits", "drawings wait")} in this browser, and will be sent when it is back.` : "");
}

/**
 * Keep a drawing, now or later.
 * @param {Drawing} drawing
 * @returns {Promise<any>} what the server says of it; null if it waits
 */
export async function keep(drawing) {
  try {
    return await ask("POST", "/api/digits", drawing);
  } catch (trouble) {
    if (!(trouble instanceof Trouble) || trouble.status) throw trouble;
    const text = JSON.stringify(drawing.strokes); // of a drawing the label that was said last counts
    setWaiting([...waiting().filter(({ strokes }) => JSON.stringify(strokes) !== text), drawing]);
    sendLater();
    return null;
  }
}

/** Send what waits, now and then, until nothing does. */
export function sendLater() {
  clearTimeout(timer);
  if (waiting().length) timer = setTimeout(send, AGAIN_MS);
}

async function send() {
  try {
    while (waiting().length) {
      const first = waiting()[0];
      const refused = await ask("POST", "/api/digits", first).then(
        () => null,
        (trouble) => {
          if (![400, 422].includes(trouble.status)) throw trouble; // only what was judged is given up: judged again would be no better
          return trouble;
        },
      );
      const text = JSON.stringify(first); // another tab may have sent it too
      setWaiting(waiting().filter((one) => JSON.stringify(one) !== text));
      if (refused) said = `${said} A drawing that waited was not kept: ${refused.words}`.trim();
    }
    notice(said); // also if another tab has sent them all
    said = "";
  } catch (trouble) {
    if (trouble instanceof Trouble && trouble.status) notice(`${said} What waits in this browser is not taken: ${trouble.words}`.trim());
    sendLater();
  }
}
