// Draws the lines of a list of records, and tells which one is to be opened.
// All text is set as text: nothing of a record is ever read as markup.

const list = (root) => {
  let found = root.querySelector("ul");
  if (!found) {
    found = document.createElement("ul");
    found.setAttribute("role", "listbox");
    found.tabIndex = 0;
    root.appendChild(found);
  }
  return found;
};

const part = (name, text) => {
  const made = document.createElement("span");
  made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

const bar = (depth) => {
  const made = part("bar");
  made.title = depth === null ? "no depth" : `relative depth ${Math.round(100 * depth)}%`;
  const inside = part("filled");
  inside.style.width = `${depth === null ? 0 : 100 * depth}%`;
  made.appendChild(inside);
  return made;
};

const WORDS = { pinned: "pinned", excluded: "excluded" };

const drawn = (line, number) => {
  const item = document.createElement("li");
  item.id = `record-${line.row}`;
  item.dataset.row = line.row;
  item.setAttribute("role", "option");
  const kept = part(line.kept ? "mark kept" : "mark", line.kept ? "●" : "○");
  kept.setAttribute("aria-label", line.kept ? "kept" : "left");
  const body = part("body");
  body.append(part("title", line.title));
  const facts = part("facts");
  facts.append(bar(line.depth), part("number", line.tokens));
  if (line.note) facts.append(part("note", line.note));
  if (line.word) facts.append(part(`word ${line.word}`, WORDS[line.word]));
  body.append(facts);
  item.append(kept, body);
  item.setAttribute("aria-posinset", number + 1);
  return item;
};

const show = (root, row, moved) => {
  const ul = list(root);
  for (const item of ul.children) {
    const chosen = Number(item.dataset.row) === row;
    item.setAttribute("aria-selected", chosen ? "true" : "false");
    if (!chosen) continue;
    ul.setAttribute("aria-activedescendant", item.id);
    const above = item.offsetTop < ul.scrollTop;
    const below = item.offsetTop + item.offsetHeight > ul.scrollTop + ul.clientHeight;
    if (moved && (above || below)) ul.scrollTop = item.offsetTop - ul.clientHeight / 3;
  }
};

export default function ({ parentElement, data, setTriggerValue }) {
  const ul = list(parentElement);
  ul.setAttribute("aria-label", data.label);
  const content = JSON.stringify(data.lines);
  const anew = ul.dataset.content !== content;
  if (anew) {
    const same = ul.dataset.rows === data.lines.map((line) => line.row).join();
    const place = ul.scrollTop;
    ul.replaceChildren(...data.lines.map(drawn));
    ul.dataset.content = content;
    ul.dataset.rows = data.lines.map((line) => line.row).join();
    ul.scrollTop = same ? place : 0;
  }
  show(parentElement, data.open, true);

  const open = (row) => {
    show(parentElement, row, true);
    if (row !== data.open) setTriggerValue("open", row);
  };
  ul.onclick = (event) => {
    const item = event.target.closest("li");
    if (item) open(Number(item.dataset.row));
  };
  ul.onkeydown = (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const rows = data.lines.map((line) => line.row);
    const now = ul.querySelector('[aria-selected="true"]');
    const at = now ? rows.indexOf(Number(now.dataset.row)) : 0;
    open(rows[Math.min(Math.max(at + steps[event.key], 0), rows.length - 1)]);
  };
}
