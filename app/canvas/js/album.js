// The pictures at hand: the latest, the one it fades from, and what lies around it meanwhile.

const FADE_MS = 200;

class Album {
  constructor() {
    this.latest = this.before = this.whole = null;
    this.buffer = blank(1, 1);
  }

  add(sent, extent, theme) {
    const key = `${sent.key} ${theme.paper}`;
    if (this.latest?.name === key) {
      this.latest.value = sent.value;
      return;
    }
    const next = new Picture(sent, theme);
    next.name = key;
    next.style = `${sent.look} ${theme.paper}`;
    this.before = this.latest;
    this.latest = next;
    const [x0, y0, x1, y1] = next.box;
    const all = x0 <= extent[0] && y0 <= extent[1] && x1 >= extent[2] && y1 >= extent[3];
    if (all) this.whole = next;
  }

  fading(still) {
    if (!this.before || still) return 1;
    const part = Math.min((performance.now() - this.latest.born) / FADE_MS, 1);
    if (part === 1) this.settle();
    return part;
  }

  settle() {
    this.around = this.before?.style === this.latest.style ? this.before : null;
    this.before = null;
  }

  // Draw all; returns whether a fade goes on.
  paint(context, camera, ratio, theme, still) {
    if (!this.latest) return false;
    const part = this.fading(still);
    const outside = [this.whole, this.around, this.before].filter(
      (one) => one && one !== this.latest && (one.style === this.latest.style || part < 1),
    );
    context.save();
    clipOutside(context, this.latest.rectangle(camera), camera);
    const backdrop = outside.at(-1);
    if (backdrop) {
      backdrop.paint(context, camera, 1);
      backdrop.trace(context, camera, theme, 1);
    }
    context.restore();
    if (part === 1 || !this.before) {
      this.latest.paint(context, camera, 1);
      this.latest.trace(context, camera, theme, 1);
      return false;
    }
    this.mix(context, camera, ratio, part);
    context.save();
    clipInside(context, this.latest.rectangle(camera));
    this.before.trace(context, camera, theme, 1 - part);
    this.latest.trace(context, camera, theme, part);
    context.restore();
    return true;
  }

  // Two pictures at once, so that what both show keeps its full colour all the way.
  mix(context, camera, ratio, part) {
    const { buffer } = this;
    const [width, height] = [context.canvas.width, context.canvas.height];
    if (buffer.width !== width || buffer.height !== height) {
      buffer.width = width;
      buffer.height = height;
    }
    const other = (this.scratch ??= blank(1, 1));
    other.width = width;
    other.height = height;
    const mixed = buffer.getContext("2d");
    mixed.setTransform(1, 0, 0, 1, 0, 0);
    mixed.globalCompositeOperation = "source-over";
    mixed.clearRect(0, 0, width, height);
    for (const [picture, share] of [[this.before, 1 - part], [this.latest, part]]) {
      const alone = other.getContext("2d");
      alone.setTransform(ratio, 0, 0, ratio, 0, 0);
      alone.clearRect(0, 0, camera.width, camera.height);
      alone.save();
      clipInside(alone, this.latest.rectangle(camera));
      picture.paint(alone, camera, 1);
      alone.restore();
      mixed.globalAlpha = share;
      mixed.globalCompositeOperation = "lighter";
      mixed.drawImage(other, 0, 0);
    }
    mixed.globalAlpha = 1;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(buffer, 0, 0);
    context.restore();
  }
}

function clipInside(context, [left, top, width, height]) {
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
}

function clipOutside(context, [left, top, width, height], camera) {
  context.beginPath();
  context.rect(-1, -1, camera.width + 2, camera.height + 2);
  context.rect(left, top, width, height);
  context.clip("evenodd");
}
