// Names of regions: broad ones from afar, finer ones from near, none over another.

const NEARER = [1.7, 4.2]; // zooms from which the next finer level leads
const LETTERS_A_LINE = 20;
const LEFTWARDS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

const levelAt = (zoom) => NEARER.filter((from) => zoom >= from).length;

// One or two lines of a name.
function linesOfName(words) {
  const whole = words.join(" · ");
  if (whole.length <= LETTERS_A_LINE || words.length < 2) return [whole];
  const half = Math.ceil(words.length / 2);
  return [words.slice(0, half).join(" · "), words.slice(half).join(" · ")];
}

// Which names stand where: { lines, left, top, main }, the broadest and largest first.
function placeNames(context, names, camera, font, taken) {
  const level = Math.min(levelAt(camera.zoom), Math.max(...names.map((name) => name.level), 0));
  const placed = [], told = new Set();
  for (const [main, wanted, size] of [[true, level, 13], [false, level + 1, 11.5]]) {
    context.font = `${main ? 600 : 500} ${size}px ${font}`;
    for (const name of names) {
      if (name.level !== wanted) continue;
      const [x, y] = camera.toScreen(name.x, name.y);
      if (x < 0 || y < 0 || x > camera.width || y > camera.height) continue;
      const lines = linesOfName(name.words);
      if (!main && told.has(lines.join())) continue; // a broader name says it already
      const half = Math.max(...lines.map((line) => context.measureText(line).width)) / 2 + 6;
      const tall = (size * 1.22 * lines.length) / 2 + 4;
      const left = Math.min(Math.max(x, half), camera.width - half);
      const top = Math.min(Math.max(y, tall), camera.height - tall);
      const box = [left - half, top - tall, left + half, top + tall];
      const clash = taken.some((o) => box[0] < o[2] && o[0] < box[2] && box[1] < o[3] && o[1] < box[3]);
      if (clash) continue;
      taken.push(box);
      told.add(lines.join());
      placed.push({ lines, left, top, main, size });
    }
  }
  return placed;
}

function drawNames(context, placed, theme, font) {
  context.save();
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const { lines, left, top, main, size } of placed) {
    context.font = `${main ? 600 : 500} ${size}px ${font}`;
    lines.forEach((line, k) => {
      const y = top + (k - (lines.length - 1) / 2) * size * 1.22;
      context.direction = LEFTWARDS.test(line) ? "rtl" : "ltr";
      context.strokeStyle = theme.paper;
      context.globalAlpha = 0.35;
      context.lineWidth = 6;
      context.strokeText(line, left, y);
      context.globalAlpha = 0.9;
      context.lineWidth = 3;
      context.strokeText(line, left, y);
      context.globalAlpha = 1;
      context.fillStyle = theme.text;
      context.fillText(line, left, y);
    });
  }
  context.restore();
}
