"use strict";
// The slides work without this: one below the other. With it: one at a time, and two of them can be played with.

const slides = [...document.querySelectorAll(".slide")];
const place = document.body.appendChild(document.createElement("p"));
place.className = "place";
place.setAttribute("aria-live", "polite");
let now = 0;

function go(number) {
  now = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, at) => slide.classList.toggle("now", at === now));
  place.textContent = `${now + 1} / ${slides.length}`;
  history.replaceState(null, "", `#s${now + 1}`);
  slides[now].scrollTop = 0;
}

const KEYS = {
  ArrowRight: () => go(now + 1), ArrowDown: () => go(now + 1), PageDown: () => go(now + 1), " ": () => go(now + 1), Enter: () => go(now + 1),
  ArrowLeft: () => go(now - 1), ArrowUp: () => go(now - 1), PageUp: () => go(now - 1), Backspace: () => go(now - 1),
  Home: () => go(0), End: () => go(slides.length - 1), p: () => print(),
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
};

addEventListener("keydown", (event) => {
  const used = event.target.closest("input, summary, button") && !event.key.startsWith("Page");
  const does = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (used || !does || event.ctrlKey || event.metaKey || event.altKey || getComputedStyle(place).display === "none") return;
  event.preventDefault();
  does();
});
addEventListener("hashchange", () => go(Number(location.hash.slice(2)) - 1 || 0));
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = false)));

// ------------------------------------------------------------------------------------------- the length of a step
function draw(name, attributes, parent) {
  const element = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function slider(parent, text, from, to, step, value) {
  const label = parent.appendChild(document.createElement("label"));
  label.append(text);
  const input = label.appendChild(document.createElement("input"));
  Object.assign(input, { type: "range", min: from, max: to, step, value });
  return [label, input];
}

function playRate(home) {
  const [label, input] = slider(home, "learning rate", -2, 0.2, 0.02, -1.5);
  const said = label.appendChild(document.createElement("output"));
  const svg = draw("svg", { viewBox: "0 0 640 250", width: 640, height: 250, role: "img", "aria-label": "A valley, and the places of a ball after each step" }, home);
  const across = (x) => 320 + 70 * x;
  const down = (x) => 230 - 12.5 * x * x;
  const valley = Array.from({ length: 81 }, (_, at) => `${across(at / 10 - 4)},${down(at / 10 - 4)}`).join(" ");

  function show() {
    const rate = 10 ** input.value;
    svg.replaceChildren();
    draw("polyline", { points: valley, fill: "none", stroke: "#586069", "stroke-width": 2 }, svg);
    let x = -3.6;
    const path = [x];
    for (let step = 0; step < 12; step++) path.push((x -= rate * 2 * x));
    const seen = path.map((one) => Math.max(-4.4, Math.min(4.4, one)));
    draw("polyline", { points: seen.map((one) => `${across(one)},${Math.max(6, down(one))}`).join(" "), fill: "none", stroke: "#b84a00", "stroke-width": 1.5, "stroke-dasharray": "4 3" }, svg);
    seen.forEach((one, at) => draw("circle", { cx: across(one), cy: Math.max(6, down(one)), r: at === 12 ? 8 : 5, fill: at === 12 ? "#0072b2" : "#b84a00" }, svg));
    const words = Math.abs(x) > 3.6 ? "it flies away" : Math.abs(x) < 0.15 ? "it arrives" : "it is still on its way";
    said.textContent = `${rate.toFixed(3)}   after 12 steps the loss is ${(x * x).toPrecision(3)}: ${words}`;
  }
  input.addEventListener("input", show);
  show();
}

// ------------------------------------------------------------------------------------------ scores, shares, loss
function playSoftmax(home) {
  const rows = home.appendChild(document.createElement("div"));
  rows.className = "scores";
  const parts = [1.2, -0.5, 0.3, 2.4, -1.8, 1.9, 0, -0.7, 1.1, 0.2].map((value, digit) => {
    const [label, input] = slider(rows, `${digit}`, -6, 6, 0.1, value);
    const share = label.appendChild(document.createElement("span"));
    share.className = "share";
    if (digit === 3) label.classList.add("true");
    return [input, share];
  });
  const said = home.appendChild(document.createElement("p")).appendChild(document.createElement("output"));
  const softmax = (scores) => {
    const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
    return powers.map((power) => power / powers.reduce((sum, one) => sum + one, 0));
  };

  function show() {
    const shares = softmax(parts.map(([input]) => Number(input.value)));
    parts.forEach(([input, share], digit) => {
      const bar = document.createElement("span");
      bar.className = "bar";
      bar.style.width = `${8 * shares[digit]}rem`;
      share.replaceChildren(bar, ` ${(100 * shares[digit]).toFixed(1)} %  (score ${Number(input.value).toFixed(1)})`);
    });
    said.textContent = `loss -ln(${shares[3].toFixed(3)}) = ${(-Math.log(shares[3])).toFixed(2)}   ·   softmax twice: ${(-Math.log(softmax(shares)[3])).toFixed(2)}, never below 1.46`;
  }
  rows.addEventListener("input", show);
  show();
}

playRate(document.getElementById("play-rate"));
playSoftmax(document.getElementById("play-softmax"));
document.body.classList.add("shown");
go(Number(location.hash.slice(2)) - 1 || 0);
