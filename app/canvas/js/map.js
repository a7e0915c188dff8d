// The map: one canvas that stays, and what it is given and reports.

const REST_MS = 150; // of rest before the window is reported
const REACH = 14; // pixels round a click that it picks
const NEAR = 9; // pixels within which a point is meant
const WAITING_MS = 300; // of waiting for a picture before it is shown
const digits = (number) => Number(number.toPrecision(6));

class Landscape {
  constructor(parent) {
    this.shell = new Shell(parent);
    this.camera = new Camera();
    this.album = new Album();
    this.tool = "move";
    this.asked = []; // windows that were reported and not answered yet
    this.answered = undefined;
    this.picked = null;
    this.told = {}; // all that was reported last, each part with the time that tells it from others
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.hands = new Hands(this);
    this.observer = new ResizeObserver(() => this.fitted());
    this.observer.observe(this.shell.stage);
  }

  // Take what the page says; the same again changes nothing.
  take(sent, send) {
    this.send = send;
    this.shell.root.hidden = Boolean(sent.hidden);
    if (sent.hidden) return;
    this.words = sent.words;
    this.theme = sent.theme;
    this.shell.root.style.setProperty("--mark", sent.theme.mark);
    this.camera.extent = sent.extent;
    this.shell.equip(sent.words, (name) => this.act(name));
    this.names = sent.names.map(([words, x, y, level]) => ({ words, x, y, level }));
    this.cells = cellsOf(sent.cells);
    this.points = pointsOf(sent.points);
    this.signs = Object.entries(sent.marks).map(([kind, points]) => [kind, pointsOf(points)]);
    if (JSON.stringify(sent.region) !== JSON.stringify(this.region)) this.region = sent.region;
    this.album.add(sent.picture, sent.extent, sent.theme);
    this.shell.explain(sent.legend);
    this.shell.note.textContent = sent.note;
    this.look(sent.window);
    this.waiting(false);
    this.changed(false);
  }

  // Go where the page looks, unless that is an answer to what was reported from here.
  look(window) {
    const same = (one) => JSON.stringify(one) === JSON.stringify(window);
    const at = this.asked.findIndex(same);
    if (at >= 0) this.asked.splice(0, at + 1);
    else if (this.answered === undefined || !same(this.answered)) {
      this.asked = [];
      this.camera.wanted = window;
      if (this.answered === undefined) this.camera.resize(this.camera.width, this.camera.height);
      else this.camera.fly(this.camera.fit(window ?? this.camera.extent), this.still);
      this.reported = window;
    }
    this.answered = window;
  }

  fitted() {
    const { stage, canvas } = this.shell;
    const ratio = (this.ratio = globalThis.devicePixelRatio || 1);
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    if (!width || !height) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    this.camera.resize(width, height);
    this.draw(); // at once: a canvas that changes its size is empty
  }

  act(name) {
    const { camera } = this;
    const middle = [camera.width / 2, camera.height / 2];
    if (name === "nearer" || name === "farther") {
      const goal = new Camera();
      Object.assign(goal, camera, { flight: null });
      goal.zoomAt(...middle, name === "nearer" ? 1.6 : 1 / 1.6);
      camera.fly({ x: goal.x, y: goal.y, scale: goal.scale }, this.still);
    } else if (name === "all") this.whole();
    else this.tool = name;
    this.changed();
  }

  whole() {
    this.camera.fly(this.camera.fit(this.camera.extent), this.still);
    this.changed();
  }

  // Draw anew soon, and report the window when it has come to rest.
  changed(moved = true) {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
    if (moved) this.rest();
  }

  rest() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.camera.flight || this.hands.down.size) return this.rest();
      const { window } = this.camera;
      if (JSON.stringify(window) === JSON.stringify(this.reported)) return;
      this.reported = window;
      this.asked.push(window);
      this.waiting(true);
      this.tell("window", { box: window });
    }, REST_MS);
  }

  // Report one part, and with it the latest of the other: a page that is busy reads only the last.
  tell(part, said) {
    const at = Math.max(Date.now(), (this.told[part]?.at ?? 0) + 1);
    this.told = { ...this.told, [part]: { ...said, at } };
    this.send("told", this.told);
  }

  waiting(on) {
    clearTimeout(this.late);
    if (!on) return this.shell.bar.classList.remove("on");
    this.late = setTimeout(() => this.shell.bar.classList.add("on"), WAITING_MS);
  }

  pickAt(left, top) {
    const { camera, cells } = this;
    const [x, y] = camera.toMap(left, top);
    const at = cells && cellAt(cells, x, y);
    const reach = REACH / camera.scale;
    const box = at ? boxOfCell(cells, at) : [x - reach, y - reach, x + reach, y + reach];
    const found = this.near(left, top);
    this.pick({ box }, found ? found.rows : null);
  }

  pick(region, record = null) {
    if (!region && !this.region) return;
    this.picked = { before: this.region };
    this.region = region && rounded(region);
    this.tell("pick", { region: this.region, record });
  }

  unpick() {
    if (!this.picked) return;
    this.region = this.picked.before ?? null;
    this.picked = null;
    this.tell("pick", { region: this.region, record: null });
  }

  // The point that is meant at a place: its row and text; marked ones before those of the sample.
  near(left, top) {
    const layers = [...this.signs.map(([, points]) => points), this.points];
    for (const points of layers) {
      const k = points ? nearest(points, this.camera, left, top, NEAR) : -1;
      if (k >= 0) return { rows: points.rows[k], text: points.texts?.[k], kept: points.kept?.[k] };
    }
    return null;
  }

  hover(left, top) {
    this.shell.tell(this.said(left, top), left, top, this.camera.width);
  }

  said(left, top) {
    const [x, y] = this.camera.toMap(left, top);
    const { words } = this;
    const found = this.near(left, top);
    if (found?.text) return [found.text, found.kept ? words.kept : words.left];
    const at = this.cells && cellAt(this.cells, x, y);
    if (at) return saidOfCell(this.cells, at.k, words);
    const { latest } = this.album;
    const level = latest?.at(x, y) ?? 0;
    return level ? saidOfPlace(latest.value, level, words) : [];
  }

  draw() {
    if (!this.words) return;
    const { camera, theme, shell } = this;
    const flying = camera.step(performance.now());
    const context = shell.canvas.getContext("2d");
    const font = (this.font ??= getComputedStyle(shell.stage).fontFamily);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    const fading = this.album.paint(context, camera, this.ratio, theme, this.still);
    const hits = this.signs.find(([kind]) => kind === "hits")?.[1];
    if (hits) this.dim(context);
    if (this.cells) drawCells(context, this.cells, camera, theme);
    if (this.points) drawPoints(context, this.points, camera, theme);
    if (hits) drawSigns(context, "hits", hits, camera, theme);
    if (this.region) drawRegion(context, cornersOf(this.region), camera, theme, true);
    const { outline } = this.hands;
    if (outline) drawRegion(context, outline, camera, theme, this.hands.drawing.shape === "box");
    drawNames(context, placeNames(context, this.names, camera, font, this.corners()), theme, font);
    for (const [kind, points] of this.signs) {
      if (kind !== "hits") drawSigns(context, kind, points, camera, theme);
    }
    shell.show(this.tool, camera.window === null);
    if (flying || fading) this.changed(flying);
  }

  // Take the picture back, so that what was found stands out.
  dim(context) {
    context.globalAlpha = 0.4;
    context.fillStyle = this.theme.paper;
    context.fillRect(0, 0, this.camera.width, this.camera.height);
    context.globalAlpha = 1;
  }

  // Where names may not stand: under the tools and the note.
  corners() {
    const edge = this.shell.stage.getBoundingClientRect();
    return [this.shell.tools, this.shell.note]
      .map((part) => part.getBoundingClientRect())
      .filter(({ width }) => width)
      .map((b) => [b.left - edge.left, b.top - edge.top, b.right - edge.left, b.bottom - edge.top]);
  }

  close() {
    this.observer.disconnect();
    clearTimeout(this.timer);
    clearTimeout(this.late);
    cancelAnimationFrame(this.frame);
    this.shell.root.remove();
  }
}

const cornersOf = (region) => region.points ?? cornersOfBox(region.box);

const rounded = ({ box, points }) =>
  box ? { box: box.map(digits) } : { points: points.map((end) => end.map(digits)) };

function saidOfCell(cells, k, words) {
  const [count, kept] = [cells.count[k], cells.kept[k]];
  const lines = [
    `${count.toLocaleString("en")} ${count === 1 ? words.record : words.records}`,
    `${kept.toLocaleString("en")} ${words.keptOf}`,
  ];
  if (cells.depth[k]) lines.push(`${words.depth} ${Math.round((cells.depth[k] - 1) / 2.54)}%`);
  return lines;
}

// What a byte of the picture stands for, in words.
function saidOfPlace({ form, low, high, names, before, after }, level, words) {
  if (form === "none") return [];
  if (form === "name") return [names[level - 1]];
  const part = (level - 1) / 254;
  if (form === "log") return [`${before}${about(low * (high / low) ** part)}${after}`];
  const value = low + part * (high - low);
  if (form === "number") return [`${before}${value.toPrecision(3)}${after}`];
  if (form === "ratio") return [saidOfTwo(value, names, words)];
  if (form === "percent") return [`${before}${Math.round(100 * value)}%${after}`];
  const times = 2 ** Math.abs(value);
  const text = times < 1.05 ? words.even : `${times.toFixed(1)} ${value > 0 ? words.more : words.less}`;
  return [text];
}

// (a - b) / (a + b) as how many times one of two keeps what the other does.
function saidOfTwo(value, [one, two], words) {
  const [more, less] = value > 0 ? [one, two] : [two, one];
  const ratio = (1 + Math.abs(value)) / (1 - Math.min(Math.abs(value), 0.999));
  if (ratio < 1.1) return `${one} ${words.asMany} ${two}`;
  if (ratio > 12) return `${words.onlyBy} ${more}`;
  return `${more} ${words.keeps} ${ratio.toFixed(1)} ${words.timesAsMany} ${less}`;
}

const about = (number) =>
  number >= 10 ? Math.round(number).toLocaleString("en") : number.toPrecision(2).replace(/\.0$/, "");

const MAPS = new WeakMap(); // by the element that a map lives in

export default function ({ data, parentElement, setStateValue }) {
  let map = MAPS.get(parentElement);
  if (!map) {
    map = new Landscape(parentElement);
    MAPS.set(parentElement, map);
  }
  map.take(data, setStateValue);
  return () => {
    map.close();
    MAPS.delete(parentElement);
  };
}
