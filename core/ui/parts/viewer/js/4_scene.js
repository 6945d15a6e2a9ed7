// Painting: the picture, layers over it, outlines with numbers, what a hand drew.

const INK = "#ffd24a"; // of what a hand draws: seen on every grey and on every colour map
const CHOSEN = "#ffffff";
const HALO = "rgba(0, 0, 0, 0.65)";
const CLASSES = ["#e8590c", "#1c7ed6", "#2f9e44", "#ae3ec9", "#f2c200", "#0ca6a6", "#f06595", "#868e96"];
const LEAST_LABEL = 26; // screen px of a region from which its number is written
const MARGIN = 0.35; // of a pane, drawn beyond its edges so that moving need not draw anew

function classColour(cls) {
  return CLASSES[(Math.max(1, cls || 1) - 1) % CLASSES.length];
}

// Outlines of regions: closed polygons in one run of numbers, with a box for each.
class Outlines {
  constructor(facts, onReady) {
    this.facts = facts;
    this.ready = fetchBytes(addressOf(facts.url))
      .then(inflate)
      .then((bytes) => {
        this.unpack(bytes);
        onReady();
      })
      .catch(() => {});
  }

  unpack(bytes) {
    const count = new Uint32Array(bytes, 0, 1)[0];
    this.starts = new Uint32Array(bytes, 4, count + 1);
    this.numbers = new Uint32Array(bytes, 4 + 4 * (count + 1), count);
    this.places = new Float32Array(bytes, 4 + 4 * (count + 1) + 4 * count);
    this.boxes = new Float32Array(4 * count);
    this.count = count;
    for (let at = 0; at < count; at += 1) {
      let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let place = this.starts[at]; place < this.starts[at + 1]; place += 1) {
        const [x, y] = [this.places[2 * place], this.places[2 * place + 1]];
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
      this.boxes.set([left, top, right, bottom], 4 * at);
    }
  }

  polygon(at) {
    const points = [];
    for (let place = this.starts[at]; place < this.starts[at + 1]; place += 1) {
      points.push([this.places[2 * place], this.places[2 * place + 1]]);
    }
    return points;
  }

  boxOf(number) {
    const found = [];
    for (let at = 0; at < this.count; at += 1) {
      if (this.numbers[at] === number) found.push(this.boxes.subarray(4 * at, 4 * at + 4));
    }
    if (!found.length) return null;
    return {
      left: Math.min(...found.map((box) => box[0])),
      top: Math.min(...found.map((box) => box[1])),
      right: Math.max(...found.map((box) => box[2])),
      bottom: Math.max(...found.map((box) => box[3])),
    };
  }

  // The number of the region at a place, 0 where there is none. Holes count as outside.
  at([x, y]) {
    const hits = new Map();
    for (let at = 0; at < (this.count ?? 0); at += 1) {
      const box = this.boxes.subarray(4 * at, 4 * at + 4);
      if (x < box[0] || x > box[2] || y < box[1] || y > box[3]) continue;
      if (isInside(this.polygon(at), [x, y])) {
        hits.set(this.numbers[at], !hits.get(this.numbers[at]));
      }
    }
    return [...hits].find(([, inside]) => inside)?.[0] ?? 0;
  }

  // Traces what lies in a box; points closer than half a pixel of the screen are left out.
  trace(context, box, toX, toY, scale) {
    const { starts, places, boxes } = this;
    for (let at = 0; at < this.count; at += 1) {
      const [left, top, right, bottom] = boxes.subarray(4 * at, 4 * at + 4);
      if (right < box.left || left > box.right || bottom < box.top || top > box.bottom) continue;
      if (Math.max(right - left, bottom - top) * scale < 2.5) {
        context.rect(toX(left), toY(top), Math.max(1, (right - left) * scale), 1);
        continue;
      }
      this.tracePolygon(context, at, toX, toY, 0.7 / scale);
    }
  }

  tracePolygon(context, at, toX, toY, least) {
    const { starts, places } = this;
    let [fromX, fromY] = [NaN, NaN];
    for (let place = starts[at]; place < starts[at + 1]; place += 1) {
      const [x, y] = [places[2 * place], places[2 * place + 1]];
      if (place === starts[at]) context.moveTo(toX(x), toY(y));
      else if (Math.abs(x - fromX) + Math.abs(y - fromY) < least) continue;
      else context.lineTo(toX(x), toY(y));
      [fromX, fromY] = [x, y];
    }
    context.closePath();
  }

  write(context, box, toX, toY, scale) {
    context.font = "600 11px sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = HALO;
    context.fillStyle = "#fff";
    let written = 0;
    const seen = new Set();
    for (let at = 0; at < this.count && written < 500; at += 1) {
      const [left, top, right, bottom] = this.boxes.subarray(4 * at, 4 * at + 4);
      if (right < box.left || left > box.right || bottom < box.top || top > box.bottom) continue;
      if ((right - left) * scale < LEAST_LABEL || seen.has(this.numbers[at])) continue;
      seen.add(this.numbers[at]);
      const text = String(this.numbers[at]);
      const [x, y] = [toX((left + right) / 2), toY((top + bottom) / 2)];
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
      written += 1;
    }
  }
}

// A drawing that is slow to make, kept with a margin around what is seen: moving shifts it,
// zooming stretches it until there is time to draw it anew.
class Kept {
  constructor(paint) {
    this.paint = paint;
    this.key = null;
  }

  draw(context, view, pane, scale, key, isMoving) {
    const same = this.key === key && this.shown;
    const sharp = same && this.scale === view.scale && this.covers(view, pane);
    if (!sharp && !(same && isMoving)) this.redraw(view, pane, scale, key);
    const [left, top] = view.toScreen([this.box.left, this.box.top], pane);
    const size = view.scale / this.scale;
    context.drawImage(this.shown, left, top, this.width * size, this.height * size);
    return sharp || !same || !isMoving;
  }

  covers(view, pane) {
    const seen = view.seen(pane);
    return (
      seen.left >= this.box.left - 0.01 &&
      seen.top >= this.box.top - 0.01 &&
      seen.right <= this.box.right + 0.01 &&
      seen.bottom <= this.box.bottom + 0.01
    );
  }

  redraw(view, pane, scale, key) {
    const seen = view.seen(pane);
    const [spareX, spareY] = [MARGIN * pane.width / view.scale, MARGIN * pane.height / view.scale];
    this.box = {
      left: Math.max(0, seen.left - spareX),
      top: Math.max(0, seen.top - spareY),
      right: Math.min(view.width, seen.right + spareX),
      bottom: Math.min(view.height, seen.bottom + spareY),
    };
    [this.scale, this.key] = [view.scale, key];
    this.width = Math.max(1, (this.box.right - this.box.left) * view.scale);
    this.height = Math.max(1, (this.box.bottom - this.box.top) * view.scale);
    const [columns, rows] = [Math.ceil(this.width * scale), Math.ceil(this.height * scale)];
    if (this.shown?.width !== columns || this.shown?.height !== rows) {
      this.shown = new OffscreenCanvas(columns, rows);
    }
    const context = this.shown.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const toX = (x) => (x - this.box.left) * view.scale;
    const toY = (y) => (y - this.box.top) * view.scale;
    this.paint(context, this.box, toX, toY, view.scale);
  }
}

function paintOutlines(context, box, toX, toY, scale, outlines) {
  if (!outlines.count) return;
  context.beginPath();
  outlines.trace(context, box, toX, toY, scale);
  context.lineWidth = outlines.count > 3000 || scale < 1 ? 1 : 1.6;
  context.strokeStyle = outlines.facts.colour;
  context.stroke();
  if (outlines.facts.numbered) outlines.write(context, box, toX, toY, scale);
}

function paintStrokes(context, box, toX, toY, scale, shapes) {
  context.lineCap = context.lineJoin = "round";
  for (const { kind, points, cls, size } of shapes) {
    if (!PAINT.has(kind)) continue;
    context.globalCompositeOperation = kind === "eraser" ? "destination-out" : "source-over";
    context.strokeStyle = kind === "eraser" ? "#000" : classColour(cls);
    context.lineWidth = Math.max(1, size * scale);
    context.beginPath();
    points.forEach(([x, y], at) => (at ? context.lineTo(toX(x), toY(y)) : context.moveTo(toX(x), toY(y))));
    if (points.length === 1) context.lineTo(toX(points[0][0]) + 0.01, toY(points[0][1]));
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
}

function trail(context, points, closed) {
  context.beginPath();
  points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (closed) context.closePath();
}

// One drawn shape, its handles when it is chosen, and its measure beside it.
function drawShape(context, shape, view, pane, nmPerPx, isChosen) {
  const points = outlineOf(shape).map((place) => view.toScreen(place, pane));
  const handles = shape.points.map((place) => view.toScreen(place, pane));
  if (shape.kind === "point") {
    const [x, y] = points[0];
    trail(context, [[x - 6, y], [x + 6, y]]);
    context.moveTo(x, y - 6);
    context.lineTo(x, y + 6);
  } else {
    trail(context, points, KINDS[shape.kind].closed && !shape.isOpen);
    if (shape.kind === "ruler" && points.length === 2) addTicks(context, points);
  }
  context.lineJoin = "round";
  context.strokeStyle = HALO;
  context.lineWidth = 4;
  context.stroke();
  context.strokeStyle = isChosen ? CHOSEN : shape.cls ? classColour(shape.cls) : INK;
  context.lineWidth = 2;
  context.stroke();
  if (isChosen && handles.length < 60) handles.forEach(([x, y]) => drawHandle(context, x, y));
  const name = [shape.name, measureText(shape, nmPerPx)].filter(Boolean).join("  ");
  if (name) tag(context, name, points, pane);
}

function addTicks(context, [[x, y], [u, v]]) {
  const length = Math.hypot(u - x, v - y) || 1;
  const [across, along] = [(-(v - y) / length) * 5, ((u - x) / length) * 5];
  for (const [atX, atY] of [[x, y], [u, v]]) {
    context.moveTo(atX - across, atY - along);
    context.lineTo(atX + across, atY + along);
  }
}

function drawHandle(context, x, y) {
  context.beginPath();
  context.rect(x - 4, y - 4, 8, 8);
  context.fillStyle = "#14191b";
  context.fill();
  context.strokeStyle = CHOSEN;
  context.lineWidth = 1.5;
  context.stroke();
}

function tag(context, text, points, pane) {
  const right = points.reduce((best, point) => (point[0] > best[0] ? point : best), points[0]);
  context.font = "600 12px sans-serif";
  const width = context.measureText(text).width + 12;
  const x = clamp(right[0] + 8, pane.left + 4, Math.max(pane.left + 4, pane.left + pane.width - width - 4));
  const y = clamp(right[1] - 24, pane.top + 4, pane.top + pane.height - 24);
  context.fillStyle = "rgba(14, 21, 22, 0.82)";
  context.beginPath();
  context.roundRect(x, y, width, 20, 4);
  context.fill();
  context.fillStyle = "#fff";
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(text, x + 6, y + 10.5);
}
