// A training that goes on: curves, first-layer pictures growing, sample answers, and what one can do meanwhile.

import { ask, unlessBusy } from "./api.js";
import { chart } from "./chart.js";
import { panel } from "./code.js";
import { counted, el, notice, percent, speak } from "./dom.js";
import { paint } from "./paint.js";
import { stream } from "./stream.js";

const ENDED = ["finished", "stopped", "failed", "interrupted"];
const PHASES = { starting: "Starting", running: "Training", paused: "Paused", finished: "Finished", stopped: "Stopped, and kept", failed: "It failed", interrupted: "Interrupted" };

/** @param {number} share */
const exact = (share) => `${(share * 100).toFixed(1)}\u00a0%`;

export class Live {
  /** @param {boolean} maySteer @param {(lr: number) => void} tryAgain begins anew with another lr */
  constructor(maySteer, tryAgain) {
    this.maySteer = maySteer;
    this.tryAgain = tryAgain;
    this.name = "";
    this.unfollow = () => {};
    /** @type {any} */
    this.state = null;
    this.phase = el("p", { class: "phase", id: "phase" });
    this.numbers = el("p", { class: "caption", id: "numbers" });
    this.steer = el("div", { class: "row steer" });
    this.refused = el("p", { class: "doubt", role: "status" });
    this.resume = unlessBusy(() => this.goOn());
    this.after = el("div", { class: "after", role: "status" });
    this.loss = el("div", {});
    this.accuracy = el("div", {});
    this.pictures = el("div", { class: "pictures" });
    this.samples = el("ol", { class: "samples" });
    this.table = el("table", {});
    this.buildSteering();
    this.empty = el(
      "section",
      { class: "card empty" },
      el("p", { class: "lead" }, "Nothing is being trained."),
      el("ol", {}, ["Choose a preset; it needs nothing more.", "Guess how good it will be after one epoch: once through all images that it learns from.", "Press Start. Curves and pictures grow here, and you can pause it, take single batches (the few images of one step), and change the learning rate (how large its steps are)."].map((step) => el("li", {}, step))),
    );
    this.body = el("div", { hidden: true }, this.curves(), this.inside());
    this.element = el("div", { class: "live" }, this.empty, this.body);
  }

  get goesOn() {
    return Boolean(this.state) && !ENDED.includes(this.state.phase);
  }

  buildSteering() {
    this.pause = el("button", { type: "button", id: "pause", "aria-keyshortcuts": "Space", onclick: () => this.pauseOrGo() }, "Pause");
    this.one = el("button", { type: "button", "aria-keyshortcuts": "S", onclick: () => this.oneBatch() }, "One batch");
    this.stop = el("button", { type: "button", onclick: () => this.wish("stop") }, "Stop and keep");
    this.lr = el("input", { type: "text", id: "live-lr", inputmode: "decimal", size: 7, spellcheck: "false" });
    const form = el("form", { class: "row" }, el("label", {}, "learning rate", this.lr), el("button", {}, "Set"));
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const lr = Number(this.lr.value.trim().replace(",", ".")); // some write 0,01
      if (lr > 0 && Number.isFinite(lr)) this.wish("lr", lr);
      else this.refused.textContent = "A learning rate is a number above 0, such as 0.01.";
    });
    if (this.maySteer) this.steer.append(this.pause, this.one, this.stop, form);
  }

  curves() {
    const legend = el("p", { class: "legend" }, el("span", { class: "key s1" }, "images that it learns from (train), mean of the epoch so far"), el("span", { class: "key s2" }, "images kept apart (validation), after each epoch"));
    const content = el(
      "div",
      {},
      this.phase,
      this.numbers,
      this.steer,
      this.refused,
      this.after,
      el("div", { class: "charts" }, el("figure", {}, el("figcaption", {}, el("strong", {}, "Loss")), this.loss), el("figure", {}, el("figcaption", {}, el("strong", {}, "Accuracy")), this.accuracy)),
      legend,
      el("details", {}, el("summary", {}, "As a table"), el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Epochs" }, this.table)),
    );
    return panel("How it goes", "The loss, which tells how wrong it is, should fall; if it falls no more on images kept apart (validation), the network learns the others by heart. Pause and take single batches to see one step.", content, { code: "loop" });
  }

  inside() {
    return el(
      "div",
      { class: "growing" },
      panel("First layer", "What the first layer looks for: blue speaks against, orange for it. It begins as noise.", this.pictures, { code: "first", run: () => this.name }),
      panel("What it says meanwhile", "One image of each class that it does not learn from, and its answer just now. Watch which of them it gets right last.", this.samples, { code: "meanwhile", run: () => this.name }),
    );
  }

  /** @param {string} name */
  watch(name) {
    this.unfollow();
    if (name !== this.name) this.forget();
    this.name = name;
    this.state = { phase: "starting" };
    this.empty.hidden = true;
    this.body.hidden = false;
    const live = (/** @type {any} */ state) => {
      notice("");
      this.show(state);
    };
    this.unfollow = stream(`/api/trainings/${encodeURIComponent(name)}/live`, { live }, (refused) => this.lost(refused));
  }

  /** @param {boolean} refused */
  lost(refused) {
    if (refused) {
      this.phase.textContent = `The lab does not show a training ${this.name}: it began none of that name, or does not know this page any more.`;
      this.steer.hidden = true;
      this.state = null;
    } else if (this.goesOn) notice("The lab does not answer. The training goes on by itself; this page follows again when the lab is back.");
  }

  /** Nothing of one training stands under the name of the next. */
  forget() {
    for (const place of [this.phase, this.numbers, this.refused, this.after, this.loss, this.accuracy, this.pictures, this.samples, this.table]) place.replaceChildren();
    this.after.dataset.text = "";
    this.steer.hidden = true;
  }

  /** @param {any} state */
  show(state) {
    const before = this.state?.phase;
    this.state = state;
    if (ENDED.includes(state.phase)) this.unfollow();
    const words = PHASES[/** @type {keyof typeof PHASES} */ (state.phase)];
    this.phase.replaceChildren(el("strong", { class: state.phase }, words), ` ${state.name}`);
    if (before !== state.phase) speak(words);
    this.showNumbers(state);
    this.showSteering(state);
    this.showAfter(state);
    if (!state.points) return;
    this.showCurves(state);
    this.showInside(state);
  }

  /** @param {any} state */
  showNumbers(state) {
    if (!state.steps) return this.numbers.replaceChildren(state.message || (state.phase === "starting" ? "It runs in a process of its own, which takes some seconds to begin." : ""));
    const where = this.goesOn ? `epoch ${Math.min(state.epoch + 1, state.epochs)} of ${state.epochs}` : `${state.rows?.length ?? 0} of ${counted(state.epochs, "epoch")}`;
    const parts = [where, this.goesOn && `batch ${state.step} of ${state.steps}`, `lr ${state.lr}`];
    if (state.images_per_s) parts.push(`${Math.round(state.images_per_s).toLocaleString("en")} images/s`);
    if (state.left_s && state.phase === "running") parts.push(`about ${Math.max(1, Math.round(state.left_s))} s left`);
    this.numbers.textContent = parts.filter(Boolean).join(" · ");
  }

  /** @param {any} state */
  showSteering(state) {
    this.steer.hidden = !this.goesOn;
    this.pause.textContent = state.phase === "paused" ? "Go on" : "Pause";
    if (document.activeElement !== this.lr) this.lr.value = state.lr ?? "";
  }

  /** @param {any} state */
  showAfter(state) {
    const said = [];
    if (state.remark) said.push(el("p", { class: "trouble", id: "remark" }, state.remark));
    const first = state.rows?.[0]?.val_accuracy;
    if (state.guess !== null && first !== undefined) {
      const off = Math.abs(first - state.guess) * 100;
      said.push(el("p", { id: "guessed" }, `You guessed ${exact(state.guess)} after one epoch; it was ${exact(first)}. ${off < 1 ? "Well guessed." : `You were off by ${off.toFixed(1)} points.`}`));
    }
    if (state.single && state.phase === "paused") said.push(el("p", {}, `Single batch ${state.single.number}: its loss was ${state.single.before.toFixed(4)} before the step, and is ${state.single.after.toFixed(4)} after.`));
    if (state.error) said.push(el("p", { class: "trouble" }, [state.error, state.where && `(${state.where})`, state.hint].filter(Boolean).join(" ")));
    if (state.phase === "failed" && /loss|weight/i.test(state.error ?? "") && state.lr && this.maySteer) said.push(this.again(state.lr));
    if (state.phase === "interrupted" && this.maySteer) said.push(el("button", { type: "button", class: "primary", onclick: () => this.resume() }, "Go on with it"));
    if (["finished", "stopped"].includes(state.phase)) said.push(el("p", {}, el("a", { href: `/?run=${encodeURIComponent(state.name)}` }, "Draw for it"), " · the command that measures it: ", el("code", {}, `handlens evaluate ${state.name}`)));
    const text = said.map((each) => each.textContent).join();
    if (this.after.dataset.text === text) return;
    this.after.dataset.text = text;
    this.after.replaceChildren(...said);
  }

  /** @param {number} lr */
  again(lr) {
    const smaller = Number((lr / 10).toPrecision(3));
    return el("button", { type: "button", class: "primary", onclick: () => this.tryAgain(smaller) }, `Try lr ${smaller}`);
  }

  /** @param {any} state */
  showCurves(state) {
    const rows = state.rows ?? [];
    const val = (/** @type {string} */ metric) => rows.filter((/** @type {any} */ row) => `val_${metric}` in row).map((/** @type {any} */ row) => [row.epoch, row[`val_${metric}`]]);
    const train = (/** @type {number} */ place) => state.points.map((/** @type {any} */ point) => [point[0], point[place]]);
    const common = { xLabel: "epoch", xEnd: state.epochs };
    this.loss.replaceChildren(chart({ ...common, title: "Loss", series: [{ name: "train", points: train(1), look: "line" }, { name: "validation", points: val("loss"), look: "marks" }] }));
    this.accuracy.replaceChildren(
      chart({ ...common, title: "Accuracy", percent: true, yEnd: 1, series: [{ name: "train", points: train(2), look: "line" }, { name: "validation", points: val("accuracy"), look: "marks" }] }),
    );
    const columns = ["epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "time_s"].filter((name) => rows.some((/** @type {any} */ row) => name in row));
    const cell = (/** @type {string} */ name, /** @type {number} */ value) => (value === undefined ? "" : name === "epoch" ? value : name.endsWith("accuracy") ? percent(value) : value.toFixed(3));
    this.table.replaceChildren(
      el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name.replace("_", " "))))),
      el("tbody", {}, rows.map((/** @type {any} */ row) => el("tr", {}, columns.map((name) => el("td", {}, cell(name, row[name])))))),
    );
  }

  /** @param {any} state */
  showInside(state) {
    const tiles = state.pictures?.tiles ?? [];
    if (this.pictures.childElementCount !== tiles.length) {
      this.pictures.replaceChildren(...tiles.map((/** @type {any} */ _, /** @type {number} */ place) => el("canvas", { class: "pixels", role: "img", "aria-label": `${state.pictures.layer}, picture ${place + 1}` })));
    }
    tiles.forEach((/** @type {any} */ tile, /** @type {number} */ place) => paint(this.pictures.children[place], tile, "signed"));
    if (this.samples.childElementCount !== (state.samples ?? []).length) {
      this.samples.replaceChildren(
        ...state.samples.map((/** @type {any} */ sample) => {
          const canvas = el("canvas", { class: "pixels", role: "img", "aria-label": `An image of class ${sample.true}` });
          paint(canvas, sample.image);
          return el("li", {}, canvas, el("span", {}));
        }),
      );
    }
    (state.guesses ?? []).forEach((/** @type {any} */ guess, /** @type {number} */ place) => {
      const right = guess.label === state.samples[place].true;
      const said = this.samples.children[place].lastElementChild;
      said.textContent = `${right ? "✓" : "✗"}\u00a0${guess.label}, ${percent(guess.probability)}`;
      said.className = right ? "right" : "wrong";
    });
  }

  pauseOrGo() {
    this.wish(this.state?.phase === "paused" ? "go on" : "pause");
  }

  oneBatch() {
    if (this.goesOn) this.wish("one batch");
  }

  async goOn() {
    this.refused.textContent = "";
    try {
      await ask("POST", `/api/trainings/${encodeURIComponent(this.name)}/resume`);
      this.watch(this.name);
    } catch (trouble) {
      this.refused.textContent = /** @type {any} */ (trouble).words ?? String(trouble);
    }
  }

  /** @param {string} what @param {number | null} [lr] */
  async wish(what, lr = null) {
    if (!this.goesOn || !this.maySteer) return;
    this.refused.textContent = "";
    try {
      await ask("POST", `/api/trainings/${encodeURIComponent(this.name)}/control`, { do: what, lr });
    } catch (trouble) {
      this.refused.textContent = /** @type {any} */ (trouble).words ?? String(trouble); // a notice would go with the next event
    }
  }
}
