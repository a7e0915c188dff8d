// A raster with its ground and contours, drawn where its box lies.

const SHORE = 64; // up to here the ground's bytes are land alone; above, how full a place is

class Picture {
  constructor(sent, theme) {
    Object.assign(this, { key: sent.key, look: sent.look, box: sent.box, value: sent.value });
    this.wide = sent.wide;
    this.tall = sent.tall;
    this.level = bytesOf(sent.bytes);
    this.lut = bytesOf(sent.lut);
    const ground = { ...sent.ground, bytes: bytesOf(sent.ground.bytes) };
    this.land = landOf(ground, theme.line);
    this.image = imageOf(this, ground);
    this.lines = linesOf(sent.contours);
    this.born = performance.now();
  }

  // The byte at a place, 0 where there is nothing.
  at(x, y) {
    const [x0, y0, x1, y1] = this.box;
    const column = Math.floor(((x - x0) / (x1 - x0)) * this.wide);
    const row = Math.floor(((y - y0) / (y1 - y0)) * this.tall);
    if (column < 0 || row < 0 || column >= this.wide || row >= this.tall) return 0;
    return this.level[row * this.wide + column];
  }

  rectangle(camera) {
    const [left, top] = camera.toScreen(this.box[0], this.box[3]);
    const [right, bottom] = camera.toScreen(this.box[2], this.box[1]);
    return [left, top, right - left, bottom - top];
  }

  paint(context, camera, alpha) {
    const place = this.rectangle(camera);
    context.globalAlpha = alpha;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.land, ...place);
    context.globalCompositeOperation = "source-over";
    context.drawImage(this.image, ...place);
    context.globalAlpha = 1;
  }

  trace(context, camera, theme, alpha) {
    const [left, top, width] = this.rectangle(camera);
    context.save();
    context.translate(left, top);
    context.scale(width, width);
    context.strokeStyle = theme.text;
    context.lineJoin = "round";
    for (const { path, share } of this.lines) {
      context.globalAlpha = alpha * (0.12 + 0.2 * share);
      context.lineWidth = (0.7 + 0.3 * share) / width;
      context.stroke(path);
    }
    context.restore();
  }
}

function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

function landOf(ground, line) {
  const canvas = blank(ground.wide, ground.tall);
  const context = canvas.getContext("2d");
  const image = context.createImageData(ground.wide, ground.tall);
  const [red, green, blue] = [1, 3, 5].map((k) => parseInt(line.slice(k, k + 2), 16));
  for (let row = 0; row < ground.tall; row++) {
    for (let column = 0; column < ground.wide; column++) {
      const level = ground.bytes[(ground.tall - 1 - row) * ground.wide + column];
      const share = Math.min(level / SHORE, 1);
      image.data.set([red, green, blue, 150 * share * share], 4 * (row * ground.wide + column));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// Colours of a raster: places with few records are fainter, and the rim fades out within a few
// pixels, for an edge of whole pixels would show as steps wherever a pixel is larger than the screen's.
function imageOf({ wide, tall, level, lut }, ground) {
  const inside = insideOf(level, wide, tall);
  const canvas = blank(wide, tall);
  const context = canvas.getContext("2d");
  const image = context.createImageData(wide, tall);
  for (let row = 0; row < tall; row++) {
    const up = tall - 1 - row;
    for (let column = 0; column < wide; column++) {
      const value = level[up * wide + column];
      if (!value) continue;
      const at = 4 * (row * wide + column);
      image.data[at] = lut[3 * value];
      image.data[at + 1] = lut[3 * value + 1];
      image.data[at + 2] = lut[3 * value + 2];
      const full = fullness(ground, (column + 0.5) / wide, (up + 0.5) / tall);
      image.data[at + 3] = 255 * full * inside[up * wide + column];
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// How far within the rim each pixel lies, 0 to 1: the share of its neighbours that hold something.
const SPREAD = [1, 4, 6, 4, 1]; // a binomial, the smallest that leaves no step
const RIM = [0.45, 0.95]; // shares at which a pixel begins to show, and shows in full

function insideOf(level, wide, tall) {
  const across = new Float32Array(level.length);
  const inside = new Float32Array(level.length);
  const blur = (from, to, step, place, end) => {
    for (let at = 0; at < from.length; at++) {
      let sum = 0;
      for (let k = -2; k <= 2; k++) {
        const there = place(at) + k;
        const next = there < 0 || there >= end ? at : at + k * step;
        sum += SPREAD[k + 2] * from[next];
      }
      to[at] = sum / 16;
    }
  };
  blur(level.map((value) => (value ? 1 : 0)), across, 1, (at) => at % wide, wide);
  blur(across, inside, wide, (at) => Math.floor(at / wide), tall);
  return inside.map((share) => {
    const part = Math.min(Math.max((share - RIM[0]) / (RIM[1] - RIM[0]), 0), 1);
    return part * part * (3 - 2 * part);
  });
}

function fullness({ wide, tall, bytes }, across, up) {
  const x = Math.min(Math.max(across * wide - 0.5, 0), wide - 1);
  const y = Math.min(Math.max(up * tall - 0.5, 0), tall - 1);
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [right, above] = [Math.min(column + 1, wide - 1), Math.min(row + 1, tall - 1)];
  const share = (r, c) => Math.max(bytes[r * wide + c] - SHORE, 0) / (255 - SHORE);
  const [a, b] = [x - column, y - row];
  const low = share(row, column) * (1 - a) + share(row, right) * a;
  const high = share(above, column) * (1 - a) + share(above, right) * a;
  return Math.min(0.3 + 1.0 * (low * (1 - b) + high * b), 1);
}

// Contours as paths in widths of the picture, from its upper left corner.
function linesOf({ steps, tall, levels }) {
  return levels.map(({ sizes, ends }, k) => {
    const path = new Path2D();
    const [count, place] = [wordsOf(sizes), wordsOf(ends)];
    let at = 0;
    for (const size of count) {
      for (let i = 0; i < size; i++, at += 2) {
        const [x, y] = [place[at] / steps, tall - place[at + 1] / steps];
        if (i) path.lineTo(x, y);
        else path.moveTo(x, y);
      }
    }
    return { path, share: levels.length > 1 ? k / (levels.length - 1) : 1 };
  });
}
