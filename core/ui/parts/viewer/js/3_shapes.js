// What a hand draws: kinds, their measures, how near a pointer is to one, and undoing.
// A shape: { id, kind, points [[x, y], …] in image coordinates, cls, size, name }.

const KINDS = {
  ruler: { most: 2, least: 2, name: "Length" },
  angle: { most: 3, least: 3, name: "Angle" },
  rectangle: { most: 2, least: 2, name: "Box", closed: true },
  ellipse: { most: 2, least: 2, name: "Ellipse", closed: true },
  polygon: { most: 2000, least: 3, name: "Polygon", closed: true },
  lasso: { most: 2000, least: 3, name: "Area", closed: true },
  point: { most: 1, least: 1, name: "Point" },
  brush: { most: 20000, least: 1, name: "Stroke" },
  eraser: { most: 20000, least: 1, name: "Eraser" },
};
const PAINT = new Set(["brush", "eraser"]);

function distance([x, y], [u, v]) {
  return Math.hypot(u - x, v - y);
}

function angleOf([from, at, to]) {
  const turn =
    Math.atan2(to[1] - at[1], to[0] - at[0]) - Math.atan2(from[1] - at[1], from[0] - at[0]);
  const wide = Math.abs((turn * 180) / Math.PI) % 360;
  return wide > 180 ? 360 - wide : wide;
}

function polygonArea(points) {
  let twice = 0;
  for (let at = 0; at < points.length; at += 1) {
    const [[x, y], [u, v]] = [points[at], points[(at + 1) % points.length]];
    twice += x * v - u * y;
  }
  return Math.abs(twice) / 2;
}

function measureText(shape, nmPerPx) {
  const { kind, points } = shape;
  if (points.length < 2) return "";
  const [[x, y], [u, v]] = points;
  if (kind === "ruler") {
    const slope = (Math.atan2(y - v, u - x) * 180) / Math.PI;
    return `${lengthText(distance(points[0], points[1]), nmPerPx)} · ${degrees(slope)}`;
  }
  if (kind === "angle") return points.length === 3 ? degrees(angleOf(points)) : "";
  if (kind === "rectangle") {
    return `${lengthText(Math.abs(u - x), nmPerPx)} × ${lengthText(Math.abs(v - y), nmPerPx)}`;
  }
  if (kind === "ellipse") return areaText((Math.PI / 4) * Math.abs((u - x) * (v - y)), nmPerPx);
  if (kind === "polygon" || kind === "lasso") return areaText(polygonArea(points), nmPerPx);
  return "";
}

function outlineOf({ kind, points }) {
  if (points.length < 2) return points;
  const [[x, y], [u, v]] = points;
  if (kind === "rectangle") return [[x, y], [u, y], [u, v], [x, v]];
  if (kind === "ellipse") {
    return Array.from({ length: 64 }, (_, step) => {
      const turn = (step * Math.PI) / 32;
      return [(x + u) / 2 + ((u - x) / 2) * Math.cos(turn), (y + v) / 2 + ((v - y) / 2) * Math.sin(turn)];
    });
  }
  return points;
}

function nearSegment([x, y], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const share = length ? clamp(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1) : 0;
  return Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay));
}

function distanceTo(shape, place) {
  const outline = outlineOf(shape);
  if (outline.length === 1) return distance(place, outline[0]);
  const last = KINDS[shape.kind].closed ? outline.length : outline.length - 1;
  let nearest = Infinity;
  for (let at = 0; at < last; at += 1) {
    nearest = Math.min(nearest, nearSegment(place, outline[at], outline[(at + 1) % outline.length]));
  }
  return nearest;
}

function isInside(points, [x, y]) {
  let inside = false;
  for (let at = 0, before = points.length - 1; at < points.length; before = at, at += 1) {
    const [[ax, ay], [bx, by]] = [points[at], points[before]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

// Fewer points on the same line (Ramer 1972, Douglas & Peucker 1973), within `most` px.
function simplified(points, most) {
  if (points.length < 3) return points;
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const open = [[0, points.length - 1]];
  while (open.length) {
    const [first, last] = open.pop();
    let [far, at] = [most, -1];
    for (let between = first + 1; between < last; between += 1) {
      const off = nearSegment(points[between], points[first], points[last]);
      if (off > far) [far, at] = [off, between];
    }
    if (at > 0) {
      keep[at] = 1;
      open.push([first, at], [at, last]);
    }
  }
  return points.filter((_, place) => keep[place]);
}

class History {
  constructor(shapes) {
    this.shapes = shapes;
    this.past = [];
    this.future = [];
  }

  change(shapes) {
    this.past.push(this.shapes);
    if (this.past.length > 200) this.past.shift();
    [this.shapes, this.future] = [shapes, []];
  }

  undo() {
    if (!this.past.length) return false;
    this.future.push(this.shapes);
    this.shapes = this.past.pop();
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.shapes);
    this.shapes = this.future.pop();
    return true;
  }
}
