// Where the picture lies on the screen, and how lengths, places and values are written.
// Image coordinates: x to the right, y down, in px; pixel (row r, column c) covers
// [c, c + 1] × [r, r + 1], so its centre is at c + 0.5.

const MOST_SCALE = 64; // screen px a picture's pixel

class View {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.scale = 1; // CSS px of the screen a pixel of the picture
    this.x = width / 2; // what lies in the middle of a pane
    this.y = height / 2;
    this.isFit = true;
  }

  fitScale(pane) {
    return Math.min(pane.width / this.width, pane.height / this.height);
  }

  fit(pane) {
    this.scale = this.fitScale(pane);
    [this.x, this.y, this.isFit] = [this.width / 2, this.height / 2, true];
  }

  // Keeps the picture in the pane: no further out than all of it, no edge inside without need.
  settle(pane) {
    const least = this.fitScale(pane);
    this.isFit = this.scale <= least * 1.0001;
    if (this.isFit) this.fit(pane);
    this.scale = Math.min(Math.max(this.scale, least), Math.max(MOST_SCALE, least));
    const [halfX, halfY] = [pane.width / 2 / this.scale, pane.height / 2 / this.scale];
    this.x = halfX * 2 >= this.width ? this.width / 2 : clamp(this.x, halfX, this.width - halfX);
    this.y = halfY * 2 >= this.height ? this.height / 2 : clamp(this.y, halfY, this.height - halfY);
  }

  zoomAt(factor, screenX, screenY, pane) {
    const [x, y] = this.toImage(screenX, screenY, pane);
    const most = Math.max(MOST_SCALE, this.fitScale(pane));
    this.scale = clamp(this.scale * factor, this.fitScale(pane), most);
    this.x = x - (screenX - pane.left - pane.width / 2) / this.scale;
    this.y = y - (screenY - pane.top - pane.height / 2) / this.scale;
    this.settle(pane);
  }

  moveBy(screenX, screenY, pane) {
    this.x -= screenX / this.scale;
    this.y -= screenY / this.scale;
    this.settle(pane);
  }

  toScreenX(x, pane) {
    return pane.left + pane.width / 2 + (x - this.x) * this.scale;
  }

  toScreenY(y, pane) {
    return pane.top + pane.height / 2 + (y - this.y) * this.scale;
  }

  toScreen([x, y], pane) {
    return [this.toScreenX(x, pane), this.toScreenY(y, pane)];
  }

  toImage(screenX, screenY, pane) {
    return [
      this.x + (screenX - pane.left - pane.width / 2) / this.scale,
      this.y + (screenY - pane.top - pane.height / 2) / this.scale,
    ];
  }

  seen(pane) {
    const [halfX, halfY] = [pane.width / 2 / this.scale, pane.height / 2 / this.scale];
    return {
      left: Math.max(0, this.x - halfX),
      right: Math.min(this.width, this.x + halfX),
      top: Math.max(0, this.y - halfY),
      bottom: Math.min(this.height, this.y + halfY),
    };
  }
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

// 1, 2 or 5 times a power of ten, the largest not above `most`.
function niceLength(most) {
  const decade = 10 ** Math.floor(Math.log10(most));
  return decade * ([5, 2].find((step) => step * decade <= most) ?? 1);
}

function digits(value, count = 4) {
  if (value === 0) return "0";
  if (Math.abs(value) >= 10 ** count) return Math.round(value).toLocaleString("en").replace(/,/g, "\u2009");
  return String(Number(value.toPrecision(count)));
}

const UNITS = [
  [1e9, "m"],
  [1e6, "mm"],
  [1e3, "µm"],
  [1, "nm"],
  [1e-3, "pm"],
];

function unitFor(nanometres) {
  return UNITS.find(([size]) => Math.abs(nanometres) >= size * 0.999) ?? UNITS[3];
}

function lengthText(pixels, nmPerPx) {
  if (!nmPerPx) return `${digits(pixels)} px`;
  const [size, name] = unitFor(pixels * nmPerPx);
  return `${digits((pixels * nmPerPx) / size)} ${name}`;
}

function areaText(pixels, nmPerPx) {
  if (!nmPerPx) return `${digits(pixels)} px²`;
  const [size, name] = unitFor(Math.sqrt(pixels) * nmPerPx);
  return `${digits((pixels * nmPerPx * nmPerPx) / size / size)} ${name}²`;
}

function degrees(value) {
  return `${value.toFixed(1).replace("-", "−")}°`;
}
