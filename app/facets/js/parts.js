// What the facets are made of: elements, numbers as people read them, and names.

function make(kind, look, parent, text) {
  const element = document.createElement(kind);
  if (look) element.className = look;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

const SVG = "http" + "://www.w3.org/2000/svg"; // a name, not an address

function draw(kind, look, parent) {
  const element = document.createElementNS(SVG, kind);
  element.setAttribute("class", look);
  parent.append(element);
  return element;
}

function put(element, values) {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
}

const whole = (number) => Math.round(number).toLocaleString("en");

// 1234567 as 1.23M, 0.05 as it is.
function short(number) {
  const size = Math.abs(number);
  for (const [least, letter] of [[1e9, "B"], [1e6, "M"], [1e4, "k"]]) {
    const unit = least === 1e4 ? 1e3 : least;
    if (size >= least) return `${Number((number / unit).toPrecision(3))}${letter}`;
  }
  return size >= 1000 ? whole(number) : String(Number(number.toPrecision(6)));
}

const percent = (part, all) => (all ? `${Math.round((1000 * part) / all) / 10}%` : "—");

function records(number, words) {
  return `${whole(number)} ${number === 1 ? words.record : words.records}`;
}

let languageNames;
try {
  languageNames = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });
} catch {
  languageNames = null;
}

// A category as it is shown: languages by their names, none by a word.
function shownName(facet, name, words) {
  if (name === "") return words.none;
  if (facet.name !== "language") return name;
  if (name === "unknown") return words.unknown;
  try {
    return languageNames?.of(name) ?? name;
  } catch {
    return name; // a code that the browser does not know
  }
}

// How much longer the bars of what is kept are drawn, so that both have the same sum.
const stretch = (facet) => (facet.chosen ? facet.among / facet.chosen : 0);
