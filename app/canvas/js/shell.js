// What surrounds the canvas: tools, the tooltip, the legend, and what is said aloud.

const ICONS = {
  move: "M8 1l2.4 2.6H8.8v3.6h3.6V5.6L15 8l-2.6 2.4V8.8H8.8v3.6h1.6L8 15l-2.4-2.6h1.6V8.8H3.6v1.6L1 8l2.6-2.4v1.6h3.6V3.6H5.6z",
  box: "M2 2h3v1.4H3.4V5H2zm9 0h3v3h-1.4V3.4H11zM2 11h1.4v1.6H5V14H2zm10.6 0H14v3h-3v-1.4h1.6zM6.6 2h2.8v1.4H6.6zm0 10.6h2.8V14H6.6zM2 6.6h1.4v2.8H2zm10.6 0H14v2.8h-1.4z",
  lasso: "M8 2c3.6 0 6.4 1.9 6.4 4.4S11.6 10.800 8 10.800c-.9 0-1.700-.1-2.500-.3-.2.6-.7 1-1.300 1.100.1.700-.1 1.500-.8 2.300l-1.100-.8c.4-.500.5-1 .4-1.600A1.700 1.700 0 0 1 2.900 8.900C2 8.200 1.600 7.300 1.600 6.400 1.600 3.900 4.400 2 8 2zm0 1.400c-2.900 0-5 1.400-5 3 0 .6.300 1.200.8 1.700a1.700 1.700 0 0 1 1.900 1c.700.200 1.500.300 2.300.3 2.900 0 5-1.400 5-3s-2.100-3-5-3z",
  nearer: "M7.200 2h1.600v5.200H14v1.600H8.800V14H7.200V8.800H2V7.200h5.200z",
  farther: "M2 7.200h12v1.600H2z",
  all: "M2 2h4.500v1.500h-2l2.500 2.500-1 1-2.500-2.500v2H2zm7.500 0H14v4.500h-1.500v-2L10 7 9 6l2.500-2.500h-2zM6 9l1 1-2.500 2.500h2V14H2V9.500h1.500v2zm4 0l2.500 2.500v-2H14V14H9.500v-1.500h2L9 10z",
};

function make(kind, look, parent, text) {
  const element = document.createElement(kind);
  if (look) element.className = look;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

class Shell {
  constructor(parent) {
    this.root = make("div", "map", parent);
    this.stage = make("div", "stage", this.root);
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "application");
    this.canvas = make("canvas", "", this.stage);
    this.canvas.setAttribute("aria-hidden", "true");
    this.tip = make("div", "tip", this.stage);
    this.tip.hidden = true;
    this.tools = make("div", "tools", this.stage);
    this.tools.setAttribute("role", "toolbar");
    this.note = make("div", "note", this.stage);
    this.bar = make("div", "bar", this.stage);
    this.legend = make("div", "legend", this.root);
    this.buttons = {};
  }

  // The tools, once; `act` takes a tool's name.
  equip(words, act) {
    this.stage.setAttribute("aria-label", words.label);
    this.tools.setAttribute("aria-label", words.tools);
    if (this.buttons.move) return;
    for (const name of Object.keys(ICONS)) {
      if (name === "nearer") make("span", "gap", this.tools);
      const button = make("button", "", this.tools);
      button.type = "button";
      button.title = words[name];
      button.setAttribute("aria-label", words[name]);
      button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
      button.addEventListener("click", () => act(name));
      this.buttons[name] = button;
    }
  }

  // Show which tool a drag uses, and which buttons do something.
  show(tool, whole) {
    for (const name of ["move", "box", "lasso"]) {
      this.buttons[name].setAttribute("aria-pressed", String(name === tool));
    }
    this.buttons.all.disabled = whole;
    this.stage.dataset.tool = tool;
  }

  tell(lines, left, top, width) {
    this.tip.hidden = !lines.length;
    if (!lines.length) return;
    this.tip.replaceChildren();
    lines.forEach((line, k) => (make("div", k ? "more" : "first", this.tip, line).dir = "auto"));
    const beyond = left > width - 270;
    this.tip.style.left = beyond ? "" : `${left + 14}px`;
    this.tip.style.right = beyond ? `${width - left + 14}px` : "";
    this.tip.style.top = `${Math.max(top - 12, 4)}px`;
  }

  explain(legend) {
    const text = JSON.stringify(legend);
    if (text === this.explained) return;
    this.explained = text;
    this.legend.replaceChildren();
    if (legend.kind === "ramp") ramp(this.legend, legend);
    if (legend.kind === "two") twoWay(this.legend, legend);
    if (legend.kind === "names") domains(this.legend, legend);
    const signs = make("div", "signs", this.legend);
    for (const [sign, words] of legend.signs) {
      const entry = make("span", "sign", signs);
      make("i", sign, entry);
      entry.append(words);
    }
  }
}

function ramp(parent, { title, colours, ticks }) {
  const part = make("div", "ramp", parent);
  make("div", "title", part, title);
  make("div", "strip", part).style.background = `linear-gradient(to right, ${colours.join(",")})`;
  const scale = make("div", "ticks", part);
  for (const [at, label] of ticks) {
    const tick = make("span", at > 0.9 ? "end" : at < 0.1 ? "start" : "", scale, label);
    tick.style.left = `${100 * at}%`;
  }
}

function twoWay(parent, { side, colours, up, across }) {
  const part = make("div", "two", parent);
  const square = make("div", "square", part);
  square.style.gridTemplateColumns = `repeat(${side}, 1fr)`;
  for (let row = side - 1; row >= 0; row--) {
    for (let column = 0; column < side; column++) {
      make("i", "", square).style.background = colours[row * side + column];
    }
  }
  const words = make("div", "title", part);
  make("div", "", words, up);
  make("div", "", words, across);
}

function domains(parent, { entries, more }) {
  const part = make("div", "domains", parent);
  for (const [colour, name] of entries) {
    const entry = make("span", "", part);
    make("i", "", entry).style.background = colour;
    make("bdi", "", entry, name);
  }
  if (more) make("span", "more", part, more);
}
