// Events of the lab. A browser has six connections to one lab, and each stream keeps one: so a page that nobody sees lets go of its own,
// and goes on from the last event when it is looked at again.

/**
 * @param {string} path
 * @param {Record<string, (data: any) => void>} takes what takes the events of each name; `begun` only says where the stream begins
 * @param {(refused: boolean) => void} [lost] the lab does not answer, or it refuses
 * @returns {() => void} ends it
 */
export function stream(path, takes, lost = () => {}) {
  let last = "";
  /** @type {EventSource | null} */
  let source = null;
  const look = () => {
    source?.close();
    if (document.hidden) return;
    const opened = new EventSource(last ? `${path}?seen=${encodeURIComponent(last)}` : path);
    /** @type {typeof takes} */
    const all = { begun: () => {}, ...takes };
    for (const [name, take] of Object.entries(all)) {
      opened.addEventListener(name, (event) => {
        last = event.lastEventId;
        take(event.data ? JSON.parse(event.data) : null);
      });
    }
    opened.onerror = () => lost(opened.readyState === EventSource.CLOSED);
    source = opened;
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    source?.close();
  };
}
