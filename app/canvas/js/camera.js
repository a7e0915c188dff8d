// Where one looks: a middle in map coordinates and pixels a unit, the same along both axes.

const MOST_ZOOM = 500;
const LEAST_ZOOM = 0.8;
const EASE_MS = 180;

class Camera {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.extent = [0, 0, 1, 1];
    this.wanted = null; // the window that is kept in sight when the size changes; null: all
    this.x = this.y = 0.5;
    this.scale = 1;
    this.flight = null;
  }

  get least() {
    return this.fit(this.extent).scale;
  }

  get zoom() {
    return this.scale / this.least;
  }

  fit(box) {
    const [x0, y0, x1, y1] = box;
    const scale = Math.min(this.width / (x1 - x0), this.height / (y1 - y0));
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale };
  }

  resize(width, height) {
    this.width = Math.max(width, 1);
    this.height = Math.max(height, 1);
    this.flight = null;
    Object.assign(this, this.fit(this.wanted ?? this.extent));
  }

  // The visible rectangle, in digits enough for a link; null where it is the whole map.
  get window() {
    const { x, y } = this.fit(this.extent);
    const reach = 0.01 * Math.max(this.width, this.height) / this.scale;
    const near = Math.abs(this.x - x) < reach && Math.abs(this.y - y) < reach;
    if (near && Math.abs(this.zoom - 1) < 0.01) return null;
    return this.visible.map((end) => Number(end.toPrecision(6)));
  }

  get visible() {
    const [w, h] = [this.width / 2 / this.scale, this.height / 2 / this.scale];
    return [this.x - w, this.y - h, this.x + w, this.y + h];
  }

  toScreen(x, y) {
    return [
      this.width / 2 + (x - this.x) * this.scale,
      this.height / 2 - (y - this.y) * this.scale,
    ];
  }

  toMap(left, top) {
    return [
      this.x + (left - this.width / 2) / this.scale,
      this.y - (top - this.height / 2) / this.scale,
    ];
  }

  move(dx, dy) {
    this.set(this.x - dx / this.scale, this.y + dy / this.scale, this.scale);
  }

  zoomAt(left, top, factor) {
    const [x, y] = this.toMap(left, top);
    const { least } = this;
    const scale = Math.min(Math.max(this.scale * factor, least * LEAST_ZOOM), least * MOST_ZOOM);
    const kept = this.scale / scale;
    this.set(x + (this.x - x) * kept, y + (this.y - y) * kept, scale);
  }

  set(x, y, scale) {
    const [x0, y0, x1, y1] = this.extent;
    this.x = Math.min(Math.max(x, x0), x1);
    this.y = Math.min(Math.max(y, y0), y1);
    this.scale = scale;
    this.wanted = this.window;
  }

  fly(target, still) {
    if (still) return this.set(target.x, target.y, target.scale);
    const { x, y, scale } = this;
    this.flight = { from: { x, y, scale }, to: target, start: performance.now() };
  }

  // Move along a flight; true while there is further to go.
  step(now) {
    if (!this.flight) return false;
    const { from, to, start } = this.flight;
    const part = Math.min((now - start) / EASE_MS, 1);
    const eased = 1 - (1 - part) ** 3;
    const between = (a, b) => a + (b - a) * eased;
    const scale = from.scale * (to.scale / from.scale) ** eased;
    this.set(between(from.x, to.x), between(from.y, to.y), scale);
    if (part === 1) this.flight = null;
    return this.flight !== null;
  }
}
