// Asking the server. What goes wrong comes as `Trouble`: a sentence, and what to do.

export class Trouble extends Error {
  /**
   * @param {string} what
   * @param {string} hint
   * @param {number} status 0: nobody answered
   * @param {{doubtful?: boolean, missing?: string[]}} [more] it would be done if one insists; or if these data sets were on this machine
   */
  constructor(what, hint, status, { doubtful = false, missing = [] } = {}) {
    super(what);
    this.hint = hint;
    this.status = status;
    this.doubtful = doubtful;
    this.missing = missing;
  }

  /** Both sentences. */
  get words() {
    return [this.message, this.hint].filter(Boolean).join(" ");
  }
}

/**
 * Ask a route.
 * @param {string} method
 * @param {string} path
 * @param {object | Blob} [body] JSON, or the bytes of a file
 * @returns {Promise<any>}
 */
export async function ask(method, path, body) {
  const isFile = body instanceof Blob;
  const headers = { "content-type": isFile ? "application/octet-stream" : "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers, body: method === "GET" ? undefined : isFile ? body : JSON.stringify(body ?? {}) });
  } catch {
    throw new Trouble("The lab does not answer.", "Is it still running in the terminal? Start it again: handlens lab", 0);
  }
  const answer = await response.json().catch(() => {
    if (response.ok) throw new Trouble("The lab stopped in the middle of its answer.", "Is it still running in the terminal? Start it again: handlens lab", 0);
    return {};
  });
  if (!response.ok) throw new Trouble(answer.error ?? `The lab answered ${response.status}.`, answer["what to do"] ?? "", response.status, answer);
  return answer;
}

/**
 * Of many calls only one is under way, and of those that wait only the newest is made.
 * @template T
 * @param {(value: T) => Promise<void>} send
 * @returns {(value: T) => Promise<void>}
 */
export function newest(send) {
  let busy = false;
  /** @type {{value: T} | null} */
  let waiting = null;
  return async (value) => {
    waiting = { value };
    if (busy) return;
    busy = true;
    try {
      while (waiting) {
        const next = waiting.value;
        waiting = null;
        await send(next);
      }
    } finally {
      busy = false;
    }
  };
}

/**
 * While a call is under way others are passed over: a second click says nothing new.
 * @template {any[]} T
 * @param {(...given: T) => Promise<any>} does
 * @returns {(...given: T) => Promise<void>}
 */
export function unlessBusy(does) {
  let busy = false;
  return async (...given) => {
    if (busy) return;
    busy = true;
    try {
      await does(...given);
    } finally {
      busy = false;
    }
  };
}

// Browsers count how often the address changes, and refuse more (Safari: 100 times in 30 s). So many times at once, then every so often.
const AT_ONCE = 20;
const EACH_MS = 400;
/** @type {URL | null} what the address will be, if that is not written yet */
let coming = null;
let left = AT_ONCE;
let since = performance.now();
let timer = 0;

/** What the address says, changed without a new page, so that it can be sent to somebody. @param {Record<string, string | null>} changes */
export function setAddress(changes) {
  const address = coming ?? new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  coming = address;
  if (!timer) writeAddress();
}

function writeAddress() {
  const now = performance.now();
  left = Math.min(AT_ONCE, left + (now - since) / EACH_MS);
  since = now;
  if (left >= 1) {
    left -= 1;
    try {
      history.replaceState(null, "", coming);
      coming = null;
    } catch {
      // this browser has counted otherwise: it is tried again
    }
  }
  timer = coming ? setTimeout(writeAddress, EACH_MS) : 0;
}

/** @param {string} name @returns {string} */
export const fromAddress = (name) => (coming ?? new URL(location.href)).searchParams.get(name) ?? "";
