// A pad to draw on with mouse, pen, finger or keys. It knows nothing of the lab: a notebook or an exported page can use it as it is.

/** @typedef {[number, number][]} Stroke points (x, y), y downward, in units of which the pad has `SIDE` */

export const SIDE = 280;
const STEP = 8;
const MOST_POINTS = 4000; // of a stroke: a longer one goes on as another
const PALM_MS = 1000; // so long after a pen a touch is the hand that holds it

export class DrawPad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{changed?: (at: number, done: boolean) => void}} [options] called when the drawing has changed: the time of the event in
   *   milliseconds since the page was opened, and whether a stroke has ended
   */
  constructor(canvas, { changed = () => {} } = {}) {
    this.canvas = canvas;
    this.changed = changed;
    /** @type {Stroke[]} */
    this.strokes = [];
    /** @type {Stroke[]} drawn faintly until the first stroke */
    this.ghost = [];
    /** @type {ImageBitmap | null} */
    this.photo = null;
    this.pen = 22;
    /** A drawing that is over: the next stroke begins a new one. */
    this.over = false;
    /** @type {{x: number, y: number, down: boolean} | null} the pen that the arrow keys move */
    this.cursor = null;
    /** @type {number | null} whose stroke it is; a mouse may have the number 0 */
    this.pointer = null;
    /** mouse, touch or pen */
    this.kind = "";
    this.penAt = -Infinity;
    this.frame = 0;
    this.listen();
    this.draw();
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(/** @type {PointerEvent} */ (event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.hideCursor());
    new ResizeObserver(() => this.draw()).observe(canvas);
    document.addEventListener("themechange", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [round(((event.clientX - box.left) / box.width) * SIDE), round(((event.clientY - box.top) / box.height) * SIDE)];
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button || this.isPalm(event)) return;
    if (this.isDrawing) {
      if (event.pointerType !== "pen" || this.kind !== "touch") return;
      this.strokes.pop(); // the hand lay down before its pen
    }
    this.hideCursor();
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.place(event));
    this.pointer = event.pointerId;
    this.kind = event.pointerType;
    this.tell(event.timeStamp, false);
  }

  /** The hand that holds a pen lies on the pad too. @param {PointerEvent} event */
  isPalm({ pointerType, timeStamp }) {
    if (pointerType === "pen") this.penAt = timeStamp;
    return pointerType === "touch" && timeStamp - this.penAt < PALM_MS;
  }

  /** @param {[number, number]} point */
  begin(point) {
    if (this.over || this.photo) this.forget();
    this.ghost = [];
    this.strokes.push([point]);
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (event.pointerId !== this.pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) this.go(this.place(each));
    this.tell(event.timeStamp, false);
  }

  /** The stroke goes on; a mouse that reports each hair's breadth adds nothing by it. @param {[number, number]} point */
  go(point) {
    const stroke = this.strokes[this.strokes.length - 1];
    const last = stroke[stroke.length - 1];
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < 1) return;
    if (stroke.length < MOST_POINTS) stroke.push(point);
    else this.strokes.push([last, point]);
  }

  /** @param {PointerEvent} event */
  up(event) {
    if (event.pointerId !== this.pointer) return;
    if (this.kind === "pen") this.penAt = event.timeStamp;
    this.pointer = null;
    this.tell(event.timeStamp, true);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const ways = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in ways || event.key === " ")) return;
    event.preventDefault();
    if (event.repeat && event.key === " ") return; // one that is held down puts the pen down once
    this.cursor ??= { x: SIDE / 2, y: SIDE / 4, down: false };
    const pen = this.cursor;
    if (event.key === " ") {
      if (!pen.down) this.begin([pen.x, pen.y]);
      pen.down = !pen.down;
    } else {
      const [right, down] = ways[/** @type {keyof typeof ways} */ (event.key)];
      pen.x = Math.min(SIDE, Math.max(0, pen.x + right));
      pen.y = Math.min(SIDE, Math.max(0, pen.y + down));
      if (pen.down) this.go([pen.x, pen.y]);
    }
    if (pen.down || event.key === " ") this.tell(event.timeStamp, !pen.down);
    else this.draw();
  }

  get isDrawing() {
    return this.pointer !== null;
  }

  /** Whether a stroke is being drawn, by a pointer or by the keys. */
  get isBusy() {
    return this.isDrawing || Boolean(this.cursor?.down);
  }

  /** Whatever happens to the drawing ends the stroke that is being drawn. */
  lift() {
    this.pointer = null;
    if (this.cursor) this.cursor.down = false;
  }

  /** The keys are left; a stroke that they were drawing has ended. */
  hideCursor() {
    const wasDown = this.cursor?.down;
    this.cursor = null;
    if (wasDown && !this.over) this.tell(performance.now(), true);
    else this.draw();
  }

  /** Take the last stroke away. */
  undo() {
    this.lift();
    this.strokes.pop();
    this.over = false;
    this.tell(performance.now(), true);
  }

  /** Begin with an empty pad. */
  clear() {
    this.forget();
    this.tell(performance.now(), true);
  }

  forget() {
    this.strokes = [];
    this.ghost = [];
    this.photo = null;
    this.over = false;
    this.lift();
  }

  /** @param {Stroke[]} strokes a digit that is there before anybody draws */
  showGhost(strokes) {
    this.ghost = strokes;
    this.draw();
  }

  /** Take the first strokes away, of a drawing that is over; what is being drawn goes on. @param {number} count */
  dropFirst(count) {
    this.strokes.splice(0, count);
    this.draw();
  }

  /** A drawing that was made elsewhere. @param {Stroke[]} strokes */
  setStrokes(strokes) {
    this.forget();
    this.strokes = strokes;
    this.tell(performance.now(), true);
  }

  /** @param {ImageBitmap} photo */
  showPhoto(photo) {
    this.forget();
    this.photo = photo;
    this.draw();
  }

  /** @param {number} width */
  setPen(width) {
    this.pen = width;
    this.draw();
  }

  /** @param {number} at @param {boolean} done */
  tell(at, done) {
    this.draw();
    this.changed(at, done);
  }

  /** Paint it with the next frame. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio) || SIDE;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(this.canvas);
    context.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    if (this.photo) paintPhoto(context, this.photo);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = this.pen;
    context.strokeStyle = style.getPropertyValue("--ghost");
    this.ghost.forEach((stroke) => trace(context, stroke));
    context.strokeStyle = style.getPropertyValue("--ink");
    this.strokes.forEach((stroke) => trace(context, stroke));
    if (this.cursor) paintCursor(context, this.cursor, style.getPropertyValue("--wrong"));
  }
}

/** A smooth line: curves from middle to middle, with the points between them to bend towards. @param {CanvasRenderingContext2D} context @param {Stroke} stroke */
function trace(context, stroke) {
  context.beginPath();
  context.moveTo(...stroke[0]);
  stroke.slice(1, -1).forEach(([x, y], place) => {
    const [nextX, nextY] = stroke[place + 2];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  });
  context.lineTo(...stroke[stroke.length - 1]);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {ImageBitmap} photo */
function paintPhoto(context, photo) {
  const scale = Math.min(SIDE / photo.width, SIDE / photo.height);
  const [width, height] = [photo.width * scale, photo.height * scale];
  context.drawImage(photo, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
}

/** @param {CanvasRenderingContext2D} context @param {{x: number, y: number, down: boolean}} pen @param {string} colour */
function paintCursor(context, pen, colour) {
  context.lineWidth = 2;
  context.strokeStyle = context.fillStyle = colour;
  context.beginPath();
  context.arc(pen.x, pen.y, 7, 0, 2 * Math.PI);
  if (pen.down) context.fill();
  context.moveTo(pen.x - 14, pen.y);
  context.lineTo(pen.x + 14, pen.y);
  context.moveTo(pen.x, pen.y - 14);
  context.lineTo(pen.x, pen.y + 14);
  context.stroke();
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
