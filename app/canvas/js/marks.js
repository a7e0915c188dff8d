// Single records and places: points of a sample, hits, what a hand said, and what was picked.

function pointsOf(sent) {
  if (!sent) return null;
  return {
    x: floatsOf(sent.x),
    y: floatsOf(sent.y),
    rows: rowsOf(sent.rows),
    kept: sent.kept ? bytesOf(sent.kept) : null,
    texts: sent.texts ?? null,
  };
}

function cellsOf(sent) {
  if (!sent) return null;
  return {
    ...sent,
    count: rowsOrWords(sent.count, sent.wide),
    kept: rowsOrWords(sent.kept, sent.wide),
    depth: bytesOf(sent.depth),
  };
}

const rowsOrWords = (text, wide) => (wide ? rowsOf(text) : wordsOf(text));

// Every point in sight: visit(left, top, k).
function inSight(points, camera, visit) {
  for (let k = 0; k < points.x.length; k++) {
    const [left, top] = camera.toScreen(points.x[k], points.y[k]);
    if (left > -9 && top > -9 && left < camera.width + 9 && top < camera.height + 9) {
      visit(left, top, k);
    }
  }
}

// The nearest point within reach, or -1.
function nearest(points, camera, left, top, reach) {
  let [best, found] = [reach * reach, -1];
  inSight(points, camera, (x, y, k) => {
    const far = (x - left) ** 2 + (y - top) ** 2;
    if (far < best) [best, found] = [far, k];
  });
  return found;
}

function drawPoints(context, points, camera, theme) {
  const size = Math.min(1.9 + 0.35 * Math.log2(Math.max(camera.zoom, 1)), 4);
  for (const kept of [0, 1]) {
    context.beginPath();
    inSight(points, camera, (left, top, k) => {
      if ((points.kept?.[k] ?? 0) !== kept) return;
      const radius = kept ? size + 0.8 : size;
      context.moveTo(left + radius, top);
      context.arc(left, top, radius, 0, 2 * Math.PI);
    });
    context.fillStyle = kept ? theme.mark : theme.paper;
    context.strokeStyle = kept ? theme.paper : theme.text;
    context.globalAlpha = kept ? 1 : 0.75;
    context.lineWidth = 1;
    context.fill();
    context.stroke();
    context.globalAlpha = 1;
  }
}

const MANY = 300; // hits, from which on they are drawn small

const SIGNS = {
  hits: (c, x, y, size) => c.arc(x, y, size, 0, 2 * Math.PI),
  pins: (c, x, y) => {
    c.moveTo(x, y - 6);
    c.lineTo(x + 5.4, y + 4);
    c.lineTo(x - 5.4, y + 4);
    c.closePath();
  },
  excluded: (c, x, y) => {
    c.moveTo(x - 4, y - 4);
    c.lineTo(x + 4, y + 4);
    c.moveTo(x + 4, y - 4);
    c.lineTo(x - 4, y + 4);
  },
  open: (c, x, y) => {
    c.arc(x, y, 7.5, 0, 2 * Math.PI);
  },
};

function drawSigns(context, kind, points, camera, theme) {
  const filled = kind === "pins" || kind === "hits";
  const colour = kind === "excluded" ? theme.text : theme.mark;
  const size = points.x.length > MANY ? 1.9 : 3.4;
  const draw = (style, width) => {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    inSight(points, camera, (left, top) => {
      if (kind === "hits") context.moveTo(left + size, top);
      if (kind === "open") context.moveTo(left + 7.5, top);
      SIGNS[kind](context, left, top, size);
    });
    context.stroke();
  };
  draw(theme.paper, kind === "hits" ? 2.2 : 4.5);
  if (filled) {
    context.fillStyle = colour;
    context.fill();
  } else {
    draw(colour, 2);
  }
}

// Occupied cells as outlines, those that keep a record with a dot in it.
function drawCells(context, cells, camera, theme) {
  const { box, across, up } = cells;
  const [left, top] = camera.toScreen(box[0], box[3]);
  const width = ((box[2] - box[0]) / across) * camera.scale;
  const height = ((box[3] - box[1]) / up) * camera.scale;
  const dots = new Path2D();
  const edges = new Path2D();
  for (let column = 0; column < across; column++) {
    for (let row = 0; row < up; row++) {
      const k = column * up + row;
      if (!cells.count[k]) continue;
      const [x, y] = [left + column * width, top + (up - 1 - row) * height];
      if (x + width < 0 || y + height < 0 || x > camera.width || y > camera.height) continue;
      edges.rect(x, y, width, height);
      if (cells.kept[k]) {
        const radius = Math.min(width, height) * 0.14 + 0.6;
        dots.moveTo(x + width / 2 + radius, y + height / 2);
        dots.arc(x + width / 2, y + height / 2, radius, 0, 2 * Math.PI);
      }
    }
  }
  context.strokeStyle = theme.text;
  context.globalAlpha = 0.3;
  context.lineWidth = 0.8;
  context.stroke(edges);
  context.globalAlpha = 0.9;
  context.fillStyle = theme.mark;
  context.fill(dots);
  context.globalAlpha = 1;
}

// The cell at a place: its column and row, and its number in the arrays; null where none is.
function cellAt(cells, x, y) {
  const { box, across, up } = cells;
  const column = Math.floor(((x - box[0]) / (box[2] - box[0])) * across);
  const row = Math.floor(((y - box[1]) / (box[3] - box[1])) * up);
  if (column < 0 || row < 0 || column >= across || row >= up) return null;
  const k = column * up + row;
  return cells.count[k] ? { column, row, k } : null;
}

function boxOfCell(cells, { column, row }) {
  const width = (cells.box[2] - cells.box[0]) / cells.across;
  const height = (cells.box[3] - cells.box[1]) / cells.up;
  const [x, y] = [cells.box[0] + column * width, cells.box[1] + row * height];
  return [x, y, x + width, y + height];
}

function drawRegion(context, corners, camera, theme, closed) {
  context.beginPath();
  corners.forEach(([x, y], k) => {
    const [left, top] = camera.toScreen(x, y);
    if (k) context.lineTo(left, top);
    else context.moveTo(left, top);
  });
  if (closed) context.closePath();
  context.lineJoin = "round";
  context.strokeStyle = theme.paper;
  context.globalAlpha = 0.8;
  context.lineWidth = 4;
  context.stroke();
  context.globalAlpha = 1;
  context.strokeStyle = theme.mark;
  context.lineWidth = 1.8;
  context.stroke();
  context.globalAlpha = 0.06;
  context.fillStyle = theme.mark;
  context.fill("evenodd");
  context.globalAlpha = 1;
}

const cornersOfBox = ([x0, y0, x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
