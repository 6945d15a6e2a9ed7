// Pictures as pyramids of tiles: which to fetch, how to keep them, how to turn grey levels into
// what a screen shows. Tiles hold pixels in their own depth.

const TILE = 512;
const MOST_BYTES = 72 * 2 ** 20; // of tiles kept by all viewers of a page, pixels and pictures
const MOST_AT_ONCE = 6; // requests; browsers hold back more
const BYTES = { u8: 1, u16: 2, f32: 4, rgb: 3 };
const ARRAYS = { u8: Uint8Array, u16: Uint16Array, f32: Float32Array, rgb: Uint8Array };
const OPAQUE = 0xff000000;

function serverRoot() {
  const told = window.__streamlit?.BACKEND_BASE_URL;
  if (told) return told.endsWith("/") ? told : `${told}/`;
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? new URL("../../", script.src).href : new URL("/", location.href).href;
}

function addressOf(path) {
  return new URL(path.replace(/^\//, ""), serverRoot()).href;
}

async function fetchBytes(url, first, end, signal) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const headers = first === undefined ? {} : { Range: `bytes=${first}-${end - 1}` };
      const answer = await fetch(url, { headers, signal });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const bytes = await answer.arrayBuffer();
      // A proxy between may not know of ranges and send everything.
      return answer.status === 200 && first !== undefined ? bytes.slice(first, end) : bytes;
    } catch (problem) {
      if (signal?.aborted || attempt > 2) throw problem;
      await new Promise((done) => setTimeout(done, 200 * 2 ** attempt));
    }
  }
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// Tiles of every picture on the page, the ones used last at the end.
const kept = new Map();
let keptBytes = 0;

function touch(key, tile) {
  kept.delete(key);
  kept.set(key, tile);
}

function makeRoom(inUse) {
  for (const [key, tile] of kept) {
    if (keptBytes <= MOST_BYTES) return;
    if (inUse.has(key) || !tile.pixels) continue;
    keptBytes -= tile.bytes;
    kept.delete(key);
  }
}

const queue = [];
let running = 0;

function pump() {
  while (running < MOST_AT_ONCE && queue.length) {
    const job = queue.pop(); // asked for last is looked at now
    running += 1;
    job().finally(() => {
      running -= 1;
      pump();
    });
  }
}

// While the picture moves, tiles are turned into colours for so long in a frame; the rest waits for
// the next one, and coarser tiles stand in.
const PAINT_MS = 6;
let paintUntil = Infinity;

function startFrame(isMoving) {
  paintUntil = isMoving ? performance.now() + PAINT_MS : Infinity;
}

let sources = 0;

// One pyramid: `facts` has url, shapes, offsets, dtype, deflated.
class Source {
  constructor(facts, onTile) {
    this.facts = facts;
    this.url = addressOf(facts.url);
    this.onTile = onTile;
    this.width = facts.shapes[0][1];
    this.height = facts.shapes[0][0];
    this.starts = []; // of each level in the list of tiles
    let start = 0;
    for (const [rows, columns] of facts.shapes) {
      this.starts.push(start);
      start += Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
    }
    this.id = ++sources;
    this.version = 0;
    this.rows = new Map();
  }

  // Sets how values become colours; a table of 32-bit colours, or a window for grey levels.
  setTable(table) {
    this.table = table;
    this.version += 1;
  }

  setWindow(black, white, gamma) {
    this.grey = { black, white, gamma };
    if (this.facts.dtype === "u8" || this.facts.dtype === "u16") {
      const table = new Uint32Array(this.facts.dtype === "u8" ? 256 : 65536);
      for (let value = 0; value < table.length; value += 1) {
        table[value] = OPAQUE | (shade(value, this.grey) * 0x10101);
      }
      this.table = table;
    }
    this.version += 1;
  }

  // The coarsest level that still has a pixel for every pixel of the screen.
  levelFor(screenPerPixel) {
    let level = 0;
    while (level + 1 < this.facts.shapes.length && screenPerPixel * 2 ** (level + 1) <= 1.05) {
      level += 1;
    }
    return level;
  }

  tile(level, row, column, want, inUse) {
    const [rows, columns] = this.facts.shapes[level];
    const across = Math.ceil(columns / TILE);
    const index = this.starts[level] + row * across + column;
    const key = `${this.url}#${index}`;
    let tile = kept.get(key);
    if (!tile && want) {
      tile = {
        width: Math.min(TILE, columns - column * TILE),
        height: Math.min(TILE, rows - row * TILE),
        bytes: 0,
      };
      kept.set(key, tile);
      this.load(key, tile, index);
    }
    if (!tile) return null;
    inUse?.add(key);
    touch(key, tile);
    if (!tile.pixels) return null;
    if (!this.isPainted(tile)) {
      if (level < this.facts.shapes.length - 1 && performance.now() > paintUntil) {
        this.onTile(); // in the next frame
        return null;
      }
      this.paint(tile);
    }
    return tile;
  }

  isPainted(tile) {
    return tile.drawnBy === this.id && tile.version === this.version;
  }

  load(key, tile, index) {
    queue.push(async () => {
      if (kept.get(key) !== tile) return;
      try {
        const [first, end] = [this.facts.offsets[index], this.facts.offsets[index + 1]];
        let bytes = await fetchBytes(this.url, first, end);
        if (this.facts.deflated) bytes = await inflate(bytes);
        tile.pixels = new ARRAYS[this.facts.dtype](bytes);
        tile.bytes = bytes.byteLength + 4 * tile.width * tile.height;
        keptBytes += tile.bytes;
      } catch {
        kept.delete(key); // asked for anew when it is drawn next
        await new Promise((done) => setTimeout(done, 1000));
      }
      this.onTile();
    });
    pump();
  }

  paint(tile) {
    const { width, height, pixels } = tile;
    tile.picture ??= new OffscreenCanvas(width, height);
    const image = new ImageData(width, height);
    const colours = new Uint32Array(image.data.buffer);
    const { table, grey } = this;
    if (this.facts.dtype === "rgb") {
      for (let place = 0, from = 0; place < colours.length; place += 1, from += 3) {
        colours[place] =
          OPAQUE | (pixels[from + 2] << 16) | (pixels[from + 1] << 8) | pixels[from];
      }
    } else if (this.facts.dtype === "f32") {
      for (let place = 0; place < colours.length; place += 1) {
        const value = pixels[place];
        colours[place] = Number.isFinite(value) ? OPAQUE | (shade(value, grey) * 0x10101) : 0;
      }
    } else {
      for (let place = 0; place < colours.length; place += 1) colours[place] = table[pixels[place]];
    }
    tile.picture.getContext("2d").putImageData(image, 0, 0);
    tile.version = this.version;
    tile.drawnBy = this.id;
  }

  // Draws what the view shows into a pane; returns whether all of it was at hand.
  draw(context, view, pane, scale, inUse) {
    const level = this.levelFor(view.scale * scale);
    const top = this.facts.shapes.length - 1;
    if (!this.has(level, view, pane)) {
      // Until they come, what there is of coarser tiles; the coarsest is always worth having.
      for (let coarse = top; coarse > level; coarse -= 1) {
        const whole = this.drawLevel(context, coarse, view, pane, scale, coarse === top, inUse);
        if (coarse === top && whole) this.isCovered = true;
      }
    }
    return this.drawLevel(context, level, view, pane, scale, true, inUse);
  }

  has(level, view, pane) {
    return this.span(level, view, pane).every(([row, column]) => {
      const across = Math.ceil(this.facts.shapes[level][1] / TILE);
      const tile = kept.get(`${this.url}#${this.starts[level] + row * across + column}`);
      return tile?.pixels && (this.isPainted(tile) || performance.now() <= paintUntil - PAINT_MS / 2);
    });
  }

  span(level, view, pane) {
    const [rows, columns] = this.facts.shapes[level];
    const [stepX, stepY] = [(TILE * this.width) / columns, (TILE * this.height) / rows];
    const box = view.seen(pane);
    const tiles = [];
    const lastRow = Math.min(Math.ceil(rows / TILE) - 1, Math.floor(box.bottom / stepY));
    const lastColumn = Math.min(Math.ceil(columns / TILE) - 1, Math.floor(box.right / stepX));
    for (let row = Math.max(0, Math.floor(box.top / stepY)); row <= lastRow; row += 1) {
      for (let column = Math.max(0, Math.floor(box.left / stepX)); column <= lastColumn; column += 1) {
        tiles.push([row, column]);
      }
    }
    return tiles;
  }

  // Edges lie on whole pixels of the screen, else seams would show between neighbours.
  drawLevel(context, level, view, pane, scale, want, inUse) {
    const [rows, columns] = this.facts.shapes[level];
    const [perX, perY] = [this.width / columns, this.height / rows];
    let whole = true;
    for (const [row, column] of this.span(level, view, pane)) {
      const tile = this.tile(level, row, column, want, inUse);
      if (!tile) {
        whole = false;
        continue;
      }
      const acrossX = (x) => Math.round(view.toScreenX(x * perX, pane) * scale) / scale;
      const downY = (y) => Math.round(view.toScreenY(y * perY, pane) * scale) / scale;
      const [left, upper] = [acrossX(column * TILE), downY(row * TILE)];
      const right = acrossX(column * TILE + tile.width);
      const lower = downY(row * TILE + tile.height);
      context.drawImage(tile.picture, left, upper, right - left, lower - upper);
    }
    return whole;
  }

  // The value of one pixel in its own depth: at once when its tile is here, else a promise of the
  // tile's row, which takes a kilobyte.
  valueAt(row, column) {
    if (row < 0 || column < 0 || row >= this.height || column >= this.width) return null;
    const across = Math.ceil(this.width / TILE);
    const [tileRow, tileColumn] = [Math.floor(row / TILE), Math.floor(column / TILE)];
    const index = tileRow * across + tileColumn;
    const width = Math.min(TILE, this.width - tileColumn * TILE);
    const [inRow, inColumn] = [row - tileRow * TILE, column - tileColumn * TILE];
    const tile = kept.get(`${this.url}#${index}`);
    if (tile?.pixels) return pick(tile.pixels, inRow * width + inColumn, this.facts.dtype);
    if (this.facts.deflated) {
      return this.wholeTile(tileRow, tileColumn).then((pixels) =>
        pixels ? pick(pixels, inRow * width + inColumn, this.facts.dtype) : null,
      );
    }
    const key = `${index}/${inRow}`;
    if (!this.rows.has(key)) {
      const length = width * BYTES[this.facts.dtype];
      const first = this.facts.offsets[index] + inRow * length;
      if (this.rows.size > 500) this.rows.clear();
      this.rows.set(
        key,
        fetchBytes(this.url, first, first + length)
          .then((bytes) => new ARRAYS[this.facts.dtype](bytes))
          .catch(() => null),
      );
    }
    return this.rows
      .get(key)
      .then((pixels) => (pixels ? pick(pixels, inColumn, this.facts.dtype) : null));
  }

  async wholeTile(row, column) {
    for (let turn = 0; turn < 40; turn += 1) {
      const tile = this.tile(0, row, column, true);
      if (tile) return tile.pixels;
      await new Promise((done) => setTimeout(done, 25));
    }
    return null;
  }
}

function pick(pixels, place, dtype) {
  return dtype === "rgb" ? [...pixels.subarray(3 * place, 3 * place + 3)] : pixels[place];
}

function shade(value, { black, white, gamma }) {
  const share = Math.min(1, Math.max(0, (value - black) / (white - black || 1)));
  return Math.round(255 * (gamma === 1 ? share : share ** (1 / gamma)));
}
