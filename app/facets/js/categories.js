// Categories: a bar each, in the order that the page gives; a click narrows to it, another lets it go.

const FEW = 7; // that are shown unfolded
const SOUGHT = 25; // from which on a name can be searched for

class CategoryFacet {
  constructor(parent, send) {
    this.send = send;
    this.root = make("section", "facet", parent);
    this.head = make("div", "head", this.root);
    this.title = make("h3", "", this.head);
    this.says = make("span", "says", this.head);
    this.clear = make("button", "clear", this.head, "×");
    this.clear.type = "button";
    this.clear.addEventListener("click", () => this.pick([]));
    this.find = make("input", "find", this.root);
    this.find.type = "search";
    this.find.hidden = true;
    this.find.addEventListener("input", () => this.list());
    this.rows = make("div", "rows", this.root);
    this.rows.setAttribute("role", "group");
    this.fold = make("button", "fold", this.root);
    this.fold.type = "button";
    this.fold.addEventListener("click", () => {
      this.open = !this.open;
      if (!this.open) this.find.value = "";
      this.list();
    });
    this.entries = new Map();
  }

  take(facet, words) {
    this.facet = facet;
    this.words = words;
    this.picked = new Set(facet.picked);
    this.title.textContent = facet.title;
    this.rows.setAttribute("aria-label", facet.title);
    this.clear.title = `${words.clear}: ${facet.title}`;
    this.clear.setAttribute("aria-label", this.clear.title);
    this.find.placeholder = words.find;
    this.find.setAttribute("aria-label", `${words.find}: ${facet.title}`);
    this.shownNames = facet.names.map((name) => shownName(facet, name, words));
    this.list();
  }

  // Which names stand in the list: the first few and what is picked, or all that are sought.
  listed() {
    const { names } = this.facet;
    const sought = this.find.value.trim().toLowerCase();
    return names
      .map((name, k) => k)
      .filter((k) => {
        if (sought) return this.shownNames[k].toLowerCase().includes(sought);
        return this.open || names.length <= FEW + 1 || k < FEW || this.picked.has(names[k]);
      });
  }

  list() {
    const { facet, words } = this;
    const kept = new Set();
    this.listed().forEach((k, place) => {
      const name = facet.names[k];
      const entry = this.entries.get(name) ?? this.entry(name);
      kept.add(name);
      if (this.rows.children[place] !== entry.row) this.rows.insertBefore(entry.row, this.rows.children[place] ?? null);
      this.fill(entry, k);
    });
    for (const [name, entry] of this.entries) {
      if (!kept.has(name)) {
        entry.row.remove();
        this.entries.delete(name);
      }
    }
    const more = facet.names.length - FEW;
    this.fold.hidden = more <= 1;
    this.fold.textContent = this.open ? words.fewer : `${whole(more + facet.others)} ${words.more}`;
    this.fold.setAttribute("aria-expanded", String(Boolean(this.open)));
    this.find.hidden = !(this.open && facet.names.length >= SOUGHT);
    this.rows.classList.toggle("long", Boolean(this.open));
    this.clear.hidden = !this.picked.size;
    this.root.classList.toggle("on", this.picked.size > 0);
    const unlisted = this.open && facet.others;
    this.says.textContent = unlisted ? `${whole(facet.others)} ${words.others}` : "";
  }

  entry(name) {
    const row = make("button", "row", null);
    row.type = "button";
    row.setAttribute("role", "checkbox");
    row.addEventListener("click", () => {
      const next = new Set(this.picked);
      if (!next.delete(name)) next.add(name);
      this.pick([...next]);
    });
    row.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return this.pick([]);
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      if (!step) return;
      row[step]?.focus();
      event.preventDefault();
    });
    const label = make("bdi", "name", row);
    const track = make("span", "track", row);
    const entry = {
      row,
      label,
      pool: make("i", "pool", track),
      shown: make("i", "shown", track),
      kept: make("i", "kept", track),
      number: make("span", "number", row),
    };
    this.entries.set(name, entry);
    return entry;
  }

  fill({ row, label, pool, shown, kept, number }, k) {
    const { facet, words } = this;
    const name = this.shownNames[k];
    const on = this.picked.has(facet.names[k]);
    const wide = (count, of) => `${Math.min((100 * count) / Math.max(...of, 1), 100)}%`;
    label.textContent = name;
    pool.style.width = wide(facet.pool[k], facet.pool);
    shown.style.width = facet.narrowed ? wide(facet.shown[k], facet.shown) : "0";
    kept.style.width = wide(facet.kept[k] * stretch(facet), facet.shown);
    number.textContent = short(facet.shown[k]);
    const says = `${records(facet.shown[k], words)}, ${percent(facet.kept[k], facet.shown[k])} ${words.keptOnly}`;
    row.title = `${name}: ${says}`;
    row.setAttribute("aria-label", row.title);
    row.setAttribute("aria-checked", String(on));
    row.classList.toggle("out", this.picked.size > 0 && !on);
  }

  pick(names) {
    this.picked = new Set(names);
    this.list();
    this.send({ name: this.facet.name, values: names });
  }
}
