// A number: bars by bin, and a brush over them that a drag or the keys move.

const WIDE = 300; // units of the drawing, stretched to the panel
const HIGH = 46;
const ROOM = 1.6;

class NumberFacet {
  constructor(parent, send) {
    this.send = send;
    this.root = make("section", "facet", parent);
    this.head = make("div", "head", this.root);
    this.title = make("h3", "", this.head);
    this.says = make("span", "says", this.head);
    this.clear = make("button", "clear", this.head, "×");
    this.clear.type = "button";
    this.clear.addEventListener("click", () => this.brush(null));
    this.plot = make("div", "plot", this.root);
    this.svg = draw("svg", "bars", this.plot);
    put(this.svg, { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.band = make("div", "band", this.plot);
    this.hands = ["low", "high"].map((end) => this.hand(end));
    this.axis = make("div", "axis", this.root);
    this.bars = [];
    this.plot.addEventListener("pointerdown", (event) => this.down(event));
    this.plot.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.plot.addEventListener(end, (event) => this.up(event));
    }
    this.plot.addEventListener("pointerleave", () => this.tell());
    this.plot.addEventListener("dblclick", () => this.brush(null));
  }

  // An end of the brush as a slider for keys and readers; its knob is drawn over the bars.
  hand(end) {
    const hand = make("input", `hand ${end}`, this.plot);
    hand.type = "range";
    hand.min = 0;
    hand.step = 1;
    hand.addEventListener("input", () => {
      const [low, high] = this.hands.map((one) => Number(one.value));
      if (low > high) this.hands[end === "low" ? 1 : 0].value = hand.value;
      this.range = this.hands.map((one) => Number(one.value)).sort((a, b) => a - b);
      this.show();
      clearTimeout(this.later);
      this.later = setTimeout(() => this.brush(this.range), 350); // of rest between two keys
    });
    hand.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.brush(null);
    });
    return hand;
  }

  take(facet, words) {
    this.facet = facet;
    this.words = words;
    if (!this.dragging) this.range = facet.range;
    this.title.textContent = facet.title;
    this.clear.title = `${words.clear}: ${facet.title}`;
    this.clear.setAttribute("aria-label", this.clear.title);
    this.plot.title = words.drag;
    const size = facet.pool.length;
    this.hands.forEach((hand, k) => {
      hand.max = size - 1;
      hand.setAttribute("aria-label", `${facet.title}, ${k ? words.to : words.from}`);
    });
    this.paint(size);
    this.scale();
    this.show();
  }

  paint(size) {
    const { facet } = this;
    if (this.bars.length !== size) {
      this.svg.replaceChildren();
      this.bars = Array.from({ length: size }, () => ({
        pool: draw("rect", "pool", this.svg),
        shown: draw("rect", "shown", this.svg),
      }));
      this.line = draw("path", "kept", this.svg);
    }
    const by = stretch(facet);
    const most = Math.max(...facet.shown, 1);
    // room for what is kept, where it is more, but not so much that the others lie flat
    const top = Math.min(Math.max(most, ...facet.kept.map((count) => count * by)), ROOM * most);
    const tops = { pool: facet.narrowed ? Math.max(...facet.pool, 1) : top, shown: top };
    const width = WIDE / size;
    const level = (count, kind) => (count ? Math.max((count / tops[kind]) * (HIGH - 4), 0.8) : 0);
    this.bars.forEach((bar, k) => {
      for (const kind of ["pool", "shown"]) {
        const high = kind === "shown" && !facet.narrowed ? 0 : level(facet[kind][k], kind);
        put(bar[kind], { x: k * width + 0.4, width: width - 0.8, y: HIGH - high, height: high });
      }
    });
    let path = "";
    facet.kept.forEach((count, k) => {
      const y = HIGH - Math.min(level(count * by, "shown"), HIGH - 1);
      path += `${k ? "L" : "M"}${k * width},${y}L${(k + 1) * width},${y}`;
    });
    put(this.line, { d: facet.chosen ? path : "" });
  }

  // A few edges under the bars: first, last and what fits between.
  scale() {
    const { edges } = this.facet;
    this.axis.replaceChildren();
    const last = edges.length - 1;
    for (const part of [0, 0.25, 0.5, 0.75, 1]) {
      const k = Math.round(part * last);
      const tick = make("span", part === 0 ? "start" : part === 1 ? "end" : "", this.axis, short(edges[k]));
      tick.style.left = `${(100 * k) / last}%`;
    }
  }

  show() {
    const { range, facet } = this;
    const size = facet.pool.length;
    this.root.classList.toggle("on", Boolean(range));
    this.band.hidden = !range;
    this.clear.hidden = !range;
    const [low, high] = range ?? [0, size - 1];
    this.band.style.left = `${(100 * low) / size}%`;
    this.band.style.right = `${(100 * (size - 1 - high)) / size}%`;
    this.bars.forEach((bar, k) => bar.pool.classList.toggle("out", Boolean(range) && (k < low || k > high)));
    this.bars.forEach((bar, k) => bar.shown.classList.toggle("out", Boolean(range) && (k < low || k > high)));
    [low, high].forEach((value, k) => {
      this.hands[k].value = value;
      this.hands[k].setAttribute("aria-valuetext", this.spoken(value, value));
    });
    this.tell();
  }

  // The numbers of bins from low to high in words.
  spoken(low, high) {
    const { edges, whole: isWhole, pool } = this.facet;
    const end = isWhole && high < pool.length - 1 ? Math.ceil(edges[high + 1]) - 1 : edges[high + 1];
    const { words } = this;
    if (low === 0 && high < pool.length - 1) return `${words.upTo} ${short(end)}`;
    if (high === pool.length - 1 && low > 0) return `${words.over} ${short(edges[low])}`;
    return isWhole && edges[low] === end ? short(end) : `${short(edges[low])} ${words.to} ${short(end)}`;
  }

  // What stands beside the title: the bin under the pointer, else the range, else who has none.
  tell(k = -1) {
    const { facet, words, range } = this;
    if (k >= 0) {
      const shown = facet.shown[k];
      const kept = facet.kept[k];
      this.says.textContent =
        `${this.spoken(k, k)}: ${records(shown, words)}, ${percent(kept, shown)} ${words.keptOnly}`;
    } else if (range) this.says.textContent = this.spoken(...range);
    else this.says.textContent = facet.missing ? `${whole(facet.missing)} ${words.missing}` : "";
    this.says.classList.toggle("range", k < 0 && Boolean(range));
  }

  at(event) {
    const edge = this.plot.getBoundingClientRect();
    const size = this.facet.pool.length;
    const k = Math.floor(((event.clientX - edge.left) / edge.width) * size);
    return Math.min(Math.max(k, 0), size - 1);
  }

  down(event) {
    if (event.button) return;
    this.plot.setPointerCapture(event.pointerId);
    const [low, high] = this.range ?? [];
    const k = this.at(event);
    // near an end of the brush the drag moves that end, else it draws a new one
    const near = this.range && (k === low || k === high) && low !== high;
    this.dragging = near ? (k === low ? high : low) : k;
    this.started = event.clientX;
    event.preventDefault();
  }

  move(event) {
    const k = this.at(event);
    if (this.dragging === undefined) return this.tell(k);
    if (Math.abs(event.clientX - this.started) < 3 && !this.drawn) return;
    this.drawn = true;
    this.range = [Math.min(k, this.dragging), Math.max(k, this.dragging)];
    this.show();
  }

  up(event) {
    if (this.dragging === undefined) return;
    const { drawn } = this;
    this.dragging = this.drawn = undefined;
    if (drawn) this.brush(this.range);
    else if (this.range) {
      const k = this.at(event);
      if (k < this.range[0] || k > this.range[1]) this.brush(null);
    } else {
      const k = this.at(event);
      this.brush([k, k]);
    }
  }

  brush(range) {
    clearTimeout(this.later);
    const size = this.facet.pool.length;
    const all = range && range[0] === 0 && range[1] === size - 1;
    this.range = all ? null : range;
    this.show();
    this.send({ name: this.facet.name, bins: this.range });
  }
}
