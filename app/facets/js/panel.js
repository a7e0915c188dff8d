// The panel: all facets one under another, and what their colours are.

class Panel {
  constructor(parent) {
    this.root = make("div", "panel", parent);
    this.key = make("div", "key", this.root);
    this.signs = Object.fromEntries(
      ["pool", "shown", "kept"].map((kind) => {
        const sign = make("span", "sign", this.key);
        make("i", kind, sign);
        return [kind, make("span", "", sign).parentElement];
      }),
    );
    this.clear = make("button", "clearall", this.key);
    this.clear.type = "button";
    this.clear.addEventListener("click", () => this.send("brush", { name: "" }));
    this.list = make("div", "facets", this.root);
    this.facets = new Map();
  }

  // Take what the page says; the same again changes nothing.
  take({ facets, words, inks }, send) {
    this.send = send;
    for (const [name, colour] of Object.entries(inks)) this.root.style.setProperty(`--${name}`, colour);
    const narrowed = facets.some((facet) => facet.narrowed);
    for (const [kind, sign] of Object.entries(this.signs)) sign.lastChild.textContent = words[kind];
    this.signs.shown.hidden = !narrowed;
    this.clear.textContent = words.clearAll;
    this.clear.hidden = !facets.some((facet) => facet.range || facet.picked?.length);
    const there = new Set(facets.map(({ name, kind }) => `${kind} ${name}`));
    for (const [id, facet] of this.facets) {
      if (there.has(id)) continue;
      facet.root.remove();
      this.facets.delete(id);
    }
    facets.forEach((sent, place) => {
      const id = `${sent.kind} ${sent.name}`;
      if (!this.facets.has(id)) {
        const Kind = sent.kind === "number" ? NumberFacet : CategoryFacet;
        this.facets.set(id, new Kind(null, (brush) => this.send("brush", brush)));
      }
      const { root } = this.facets.get(id);
      root.dataset.name = sent.name;
      if (this.list.children[place] !== root) this.list.insertBefore(root, this.list.children[place] ?? null);
      this.facets.get(id).take(sent, words);
    });
  }
}

const PANELS = new WeakMap(); // by the element that a panel lives in

export default function ({ data, parentElement, setTriggerValue }) {
  let panel = PANELS.get(parentElement);
  if (!panel) {
    panel = new Panel(parentElement);
    PANELS.set(parentElement, panel);
  }
  panel.take(data, setTriggerValue);
  return () => {
    panel.root.remove();
    PANELS.delete(parentElement);
  };
}
