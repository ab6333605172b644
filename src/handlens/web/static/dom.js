// Making elements. Text only ever becomes text: nothing here, or anywhere in the lab, reads HTML from a string.

/**
 * An element with attributes, listeners (`onclick`) and children; what is null, undefined or false is left out.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...any} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * The same for a drawing in SVG.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...any} children
 * @returns {any}
 */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** @param {Element} element @param {Record<string, any>} attributes @param {any[]} children */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...there(children));
  return element;
}

/** Put children in place of those that an element has; as for a new one, some may be null or false. @param {Element} element @param {...any} children */
export function fill(element, ...children) {
  element.replaceChildren(...there(children));
}

/** The same; the focus stays on the control at the place where it was. @param {Element} element @param {...any} children */
export function refill(element, ...children) {
  const controls = () => /** @type {HTMLElement[]} */ ([...element.querySelectorAll("a[href], button, input, select, summary, [tabindex]")]);
  const place = controls().indexOf(/** @type {HTMLElement} */ (document.activeElement));
  fill(element, ...children);
  if (place >= 0) (controls()[place] ?? controls().at(-1))?.focus();
}

/** @param {any[]} children */
const there = (children) => children.flat(9).filter((child) => child !== null && child !== undefined && child !== false);

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Say something to those who cannot see it change. @param {string} sentence */
export function speak(sentence) {
  const place = byId("spoken");
  if (place.textContent !== sentence) place.textContent = sentence;
}

/** Show a sentence at the top of the page; an empty one takes it away. @param {string} sentence */
export function notice(sentence) {
  const place = byId("notice");
  place.textContent = sentence;
  place.hidden = !sentence;
}

/** A number, and what stands behind it in a sentence. @param {number} number @param {string} one behind 1 @param {string} [several] behind every other number */
export const counted = (number, one, several = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : several}`;

/** A share as people read it, never rounded up to certainty. @param {number} share */
export function percent(share) {
  if (share >= 0.9995) return ">\u00a099.9\u00a0%";
  if (share < 0.001) return "<\u00a00.1\u00a0%";
  return `${(share * 100).toFixed(share > 0.99 || share < 0.1 ? 1 : 0)}\u00a0%`;
}

/** A style sheet that only one page needs. @param {string} name @returns {Promise<void>} */
export function loadStyle(name) {
  return new Promise((done) => document.head.append(el("link", { rel: "stylesheet", href: `/static/${name}`, onload: () => done(), onerror: () => done() })));
}
