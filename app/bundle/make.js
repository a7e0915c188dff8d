// What both the map and the facets are made of.

function make(kind, look, parent, text) {
  const element = document.createElement(kind);
  if (look) element.className = look;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}
