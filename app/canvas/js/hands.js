// What pointers, wheel and keys do to the map.

const STILL = 4; // pixels that a hand may move in a click
const TWICE_MS = 500; // between the two clicks of a double click
const STEP = 60; // pixels that an arrow key moves

class Hands {
  constructor(map) {
    this.map = map;
    this.down = new Map();
    this.drawing = null;
    const { stage, canvas } = map.shell;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.go(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", () => this.drop());
    canvas.addEventListener("pointerleave", () => map.shell.tell([]));
    canvas.addEventListener("dblclick", () => this.twice());
    stage.addEventListener("wheel", (event) => this.roll(event), { passive: false });
    stage.addEventListener("keydown", (event) => this.key(event));
  }

  place(event) {
    const edge = this.map.shell.canvas.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  }

  press(event) {
    if (event.button !== 0) return;
    const [left, top] = this.place(event);
    this.map.shell.canvas.setPointerCapture(event.pointerId);
    this.map.camera.flight = null;
    this.down.set(event.pointerId, { left, top });
    this.start = { left, top };
    this.moved = false;
    this.drawing = null;
    const shape = event.shiftKey ? "box" : this.map.tool;
    if (this.down.size === 1 && shape !== "move") this.drawing = { shape, path: [[left, top]] };
  }

  go(event) {
    const [left, top] = this.place(event);
    const before = this.down.get(event.pointerId);
    if (!before) return this.map.hover(left, top);
    this.moved ||= Math.hypot(left - this.start.left, top - this.start.top) > STILL;
    if (this.down.size === 2) this.pinch(event.pointerId, left, top);
    else if (this.drawing) this.draw(left, top);
    else if (this.moved) this.map.camera.move(left - before.left, top - before.top);
    this.down.set(event.pointerId, { left, top });
    if (this.moved) this.map.shell.tell([]);
    this.map.changed();
  }

  pinch(id, left, top) {
    const [other] = [...this.down].filter(([key]) => key !== id).map(([, at]) => at);
    const before = this.down.get(id);
    const apart = (a) => Math.max(Math.hypot(a.left - other.left, a.top - other.top), 1);
    const middle = [(left + other.left) / 2, (top + other.top) / 2];
    this.map.camera.zoomAt(...middle, apart({ left, top }) / apart(before));
    this.map.camera.move((left - before.left) / 2, (top - before.top) / 2);
  }

  draw(left, top) {
    const { shape, path } = this.drawing;
    const last = path.at(-1);
    if (shape === "box") path[1] = [left, top];
    else if (Math.hypot(left - last[0], top - last[1]) > 3) path.push([left, top]);
  }

  // The outline that is being drawn, in map coordinates.
  get outline() {
    if (!this.drawing || !this.moved) return null;
    const ends = this.drawing.path.map(([left, top]) => this.map.camera.toMap(left, top));
    return this.drawing.shape === "box" ? cornersOfBox(boxAround(ends)) : ends;
  }

  release(event) {
    if (!this.down.delete(event.pointerId)) return;
    const [left, top] = this.place(event);
    const { drawing, moved } = this;
    const outline = this.outline;
    this.drawing = null;
    if (this.down.size) return;
    if (!moved) {
      if (!this.again(event, left, top)) this.map.pickAt(left, top);
    } else if (drawing?.shape === "box") {
      this.map.pick({ box: boxAround(outline) });
    } else if (drawing && outline.length > 2) {
      this.map.pick({ points: outline });
    }
    this.map.changed();
  }

  // Whether this is the second click of two.
  again({ timeStamp }, left, top) {
    const { clicked } = this;
    this.clicked = { timeStamp, left, top };
    if (!clicked || timeStamp - clicked.timeStamp > TWICE_MS) return false;
    return Math.hypot(left - clicked.left, top - clicked.top) < 2 * STILL;
  }

  drop() {
    this.down.clear();
    this.drawing = null;
    this.map.changed();
  }

  // A double click goes back to the whole map and picks nothing.
  twice() {
    this.map.unpick();
    this.map.whole();
  }

  roll(event) {
    event.preventDefault();
    const line = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const strength = event.ctrlKey ? 0.01 : 0.0016;
    const turn = Math.min(Math.max(event.deltaY * line * strength, -0.6), 0.6);
    this.map.camera.flight = null;
    this.map.camera.zoomAt(...this.place(event), Math.exp(-turn));
    this.map.shell.tell([]);
    this.map.changed();
  }

  key(event) {
    if (event.target !== this.map.shell.stage || event.altKey || event.metaKey || event.ctrlKey) {
      if (event.key !== "Escape") return;
    }
    const { map } = this;
    const move = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    const { width, height } = map.camera;
    if (event.key in move) map.camera.move(...move[event.key]);
    else if (event.key === "+" || event.key === "=") map.act("nearer");
    else if (event.key === "-") map.act("farther");
    else if (event.key === "0" || event.key === "Home") map.act("all");
    else if (event.key === "Enter") map.pickAt(width / 2, height / 2);
    else if (event.key === "Escape") this.escape();
    else return;
    event.preventDefault();
    map.changed();
  }

  escape() {
    if (this.drawing) this.drop();
    else if (this.map.tool !== "move") this.map.act("move");
    else this.map.pick(null);
  }
}

function boxAround(ends) {
  const [x, y] = [0, 1].map((axis) => ends.map((end) => end[axis]));
  return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
}
