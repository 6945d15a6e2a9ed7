// The viewer: puts view, tiles, layers and hand together, and talks to the page.

const memories = new Map(); // by micrograph: view, windows; by viewer: mode, layers, divide
const IDLE_MS = 90;
const BLINK_MS = 700;
const MOST_DENSITY = 2;

function memoryOf(key) {
  if (!memories.has(key)) memories.set(key, {});
  return memories.get(key);
}

class Viewer {
  constructor(figure) {
    this.figure = figure;
    this.stage = figure.querySelector(".stage");
    this.canvas = figure.querySelector("canvas.picture");
    this.top = figure.querySelector("canvas.hand");
    this.map = figure.querySelector("canvas.map");
    this.status = figure.querySelector(".status");
    this.said = figure.querySelector(".said");
    this.divide = figure.querySelector(".divide");
    this.bar = figure.querySelector(".scale");
    this.sources = new Map();
    this.inUse = new Set();
    this.panes = [{ left: 0, top: 0, width: 1, height: 1, side: 1 }];
    this.state = { mode: "one", divide: 0.15, layers: {} };
    this.windows = {};
    this.pace = { born: performance.now(), paints: 0, paintMs: [], wheelMs: [] };
    this.hand = new Hand(this);
    this.panel = new Panel(this);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.stage);
    this.listen();
  }

  listen() {
    const { divide, stage } = this;
    divide.addEventListener("pointerdown", (event) => {
      divide.setPointerCapture(event.pointerId);
      divide.focus({ preventScroll: true });
      event.stopPropagation();
      event.preventDefault();
    });
    divide.addEventListener("pointermove", (event) => {
      if (!divide.hasPointerCapture(event.pointerId)) return;
      const [left, right] = this.picture(this.panes[0]);
      this.setDivide((event.clientX - stage.getBoundingClientRect().left - left) / (right - left));
    });
    divide.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 };
      if (steps[event.key] === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      this.setDivide(this.state.divide + steps[event.key]);
      event.preventDefault();
      event.stopPropagation();
    });
    const toMap = (event) => {
      const box = this.map.getBoundingClientRect();
      this.view.x = ((event.clientX - box.left) / box.width) * this.view.width;
      this.view.y = ((event.clientY - box.top) / box.height) * this.view.height;
      this.view.settle(this.panes[0]);
      this.moved();
    };
    this.map.addEventListener("pointerdown", (event) => {
      this.map.setPointerCapture(event.pointerId);
      toMap(event);
      event.stopPropagation();
    });
    this.map.addEventListener("pointermove", (event) => this.map.hasPointerCapture(event.pointerId) && toMap(event));
    document.addEventListener("fullscreenchange", () => this.resize());
  }

  // Takes what the page says; called at every run of the page.
  update(data, tell) {
    this.tell = tell;
    if (this.shown === JSON.stringify(data)) return this.redraw();
    const isNew = this.data?.of !== data.of || this.data?.width !== data.width || this.data?.height !== data.height;
    const before = this.data;
    this.data = data;
    this.shown = JSON.stringify(data);
    if (isNew) this.open(data);
    this.takeShapes(data, before, isNew);
    this.takeSources(data);
    this.figure.querySelector("figcaption").textContent = data.caption;
    this.stage.setAttribute("aria-label", data.alt || data.name);
    this.figure.style.setProperty("--ratio", String((data.width / data.height) * (this.state.mode === "side" ? 2 : 1)));
    this.showStatus("");
    this.panel.drawBar(data);
    this.panel.draw(data);
    if (data.tool && (isNew || before?.tool !== data.tool)) this.hand.setTool(data.tool);
    this.setMode(data.labels ? this.state.mode : "one");
    this.resize();
    if (data.lookAt && before?.lookAt !== data.lookAt) this.lookAt(data.lookAt);
    return undefined;
  }

  open(data) {
    const memory = memoryOf(`of ${data.of} ${data.width} ${data.height}`);
    memory.view ??= new View(data.width, data.height);
    this.view = memory.view;
    this.windows = memory.windows ??= {};
    const own = memoryOf(`key ${data.key}`);
    own.state ??= { mode: data.mode, divide: data.divide, layers: {}, map: true };
    this.state = own.state;
    this.hand.cls = own.state.cls ?? this.hand.cls; // the page may have built the viewer anew
    this.hand.size = own.state.size ?? this.hand.size;
  }

  takeShapes(data, before, isNew) {
    if (!isNew && before?.turn === data.turn) return;
    const shapes = data.shapes.map((shape) => ({ ...shape }));
    const { history } = this.hand;
    if (isNew) this.hand.history = new History(shapes);
    else if (JSON.stringify(shapes) !== JSON.stringify(history.shapes)) history.change(shapes);
    if (!shapes.some((shape) => shape.id === this.hand.chosen)) this.hand.chosen = null;
  }

  takeSources(data) {
    const wanted = new Map();
    const before = this.sources;
    this.sources = wanted;
    const take = (name, facts) => {
      const old = before.get(name);
      const source = old?.facts.url === facts.url ? old : new Source(facts, () => this.redraw());
      source.facts = facts;
      wanted.set(name, source);
      return source;
    };
    for (const which of ["base", "after"]) {
      const facts = data[which];
      if (!facts) continue;
      take(which, facts);
      const key = facts.window.join();
      if (this.windows[which]?.key !== key) {
        this.windows[which] = { key, black: facts.window[0], white: facts.window[1], gamma: 1 };
      }
      this.applyWindow(which);
    }
    const outlines = this.outlines ?? new Map();
    this.outlines = new Map();
    for (const layer of data.layers) {
      if (layer.kind === "raster") {
        const source = take(`layer ${layer.name}`, layer);
        const colours = layer.colours.join();
        if (source.colours !== colours) {
          source.colours = colours;
          source.setTable(Uint32Array.from(layer.colours));
        }
      } else {
        const old = outlines.get(layer.name);
        const same = old?.facts.url === layer.url ? old : new Outlines(layer, () => this.redraw());
        same.facts = layer;
        same.kept ??= new Kept((context, box, toX, toY, scale) => paintOutlines(context, box, toX, toY, scale, same));
        this.outlines.set(layer.name, same);
      }
    }
  }

  layerState(layer) {
    // What a person set in the viewer holds until the page sets something else.
    const said = `${layer.shown} ${layer.opacity}`;
    const state = (this.state.layers[layer.name] ??= {});
    if (state.said !== said) Object.assign(state, { said, shown: layer.shown, opacity: layer.opacity ?? 1 });
    return state;
  }

  applyWindow(which) {
    const { black, white, gamma } = this.windows[which];
    this.sources.get(which)?.setWindow(black, white, gamma);
  }

  setWindow(which, change) {
    const state = this.windows[which];
    Object.assign(state, change);
    clearTimeout(this.windowTimer);
    this.panel.showWindow(which, state);
    this.paintHistograms();
    this.windowWanted = which;
    this.redraw();
  }

  paintHistograms() {
    const style = getComputedStyle(this.figure);
    for (const canvas of this.panel.side.querySelectorAll("canvas")) {
      const which = canvas.dataset.source;
      this.panel.paintHistogram(canvas, this.data[which], this.windows[which], style.getPropertyValue("--faint"), style.getPropertyValue("--accent"));
    }
  }

  // Sizes and panes

  resize() {
    if (!this.data) return;
    const box = this.stage.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return;
    this.density = Math.min(window.devicePixelRatio || 1, MOST_DENSITY);
    for (const canvas of [this.canvas, this.top]) {
      const [columns, rows] = [Math.round(box.width * this.density), Math.round(box.height * this.density)];
      if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
    }
    this.box = { width: box.width, height: box.height };
    this.layPanes();
    if (this.view.isFit) this.view.fit(this.panes[0]);
    else this.view.settle(this.panes[0]);
    this.redraw();
  }

  layPanes() {
    const { width, height } = this.box;
    if (this.state.mode === "side" && this.data.labels) {
      const half = (width - 4) / 2;
      this.panes = [
        { left: 0, top: 0, width: half, height, side: 0 },
        { left: half + 4, top: 0, width: half, height, side: 1 },
      ];
    } else {
      this.panes = [{ left: 0, top: 0, width, height, side: 1 }];
    }
  }

  paneAt(x) {
    return this.panes.find((pane) => x <= pane.left + pane.width) ?? this.panes[this.panes.length - 1];
  }

  setMode(mode) {
    if (mode !== this.state.mode || !this.figure.dataset.mode) {
      this.state.mode = mode;
      this.figure.style.setProperty("--ratio", String((this.data.width / this.data.height) * (mode === "side" ? 2 : 1)));
    }
    this.figure.dataset.mode = this.data.labels ? mode : "plain";
    clearInterval(this.blinker);
    this.isBefore = false;
    if (mode === "blink" && this.data.labels) {
      this.blinker = setInterval(() => {
        this.isBefore = !this.isBefore;
        this.redraw();
      }, BLINK_MS);
    }
    if (this.box) this.resize();
    this.setDivide(this.state.divide);
  }

  setDivide(share) {
    this.state.divide = clamp(share, 0, 1);
    const percent = Math.round(100 * this.state.divide);
    this.divide.setAttribute("aria-valuenow", String(percent));
    if (this.data.labels) {
      this.divide.setAttribute("aria-valuetext", `${percent} % ${this.data.labels[0]}`);
      this.divide.setAttribute("aria-label", `Compare ${this.data.labels[0]} and ${this.data.labels[1]}`);
    }
    this.redraw();
  }

  // From where to where the picture reaches on a pane.
  picture(pane) {
    const left = Math.max(pane.left, this.view.toScreenX(0, pane));
    const right = Math.min(pane.left + pane.width, this.view.toScreenX(this.view.width, pane));
    return right > left ? [left, right] : [pane.left, pane.left + pane.width];
  }

  cut(pane) {
    const [left, right] = this.picture(pane);
    return left + (right - left) * this.state.divide;
  }

  setHeld(held) {
    if (this.isHeld === held) return;
    this.isHeld = held;
    this.redraw();
  }

  // View

  zoom(factor) {
    const pane = this.panes[0];
    this.view.zoomAt(factor, pane.left + pane.width / 2, pane.top + pane.height / 2, pane);
    this.moved();
  }

  fit() {
    this.view.fit(this.panes[0]);
    this.moved();
  }

  actual() {
    this.zoom(1 / this.density / this.view.scale);
  }

  follow([x, y]) {
    const seen = this.view.seen(this.panes[0]);
    if (x < seen.left || x > seen.right || y < seen.top || y > seen.bottom) {
      [this.view.x, this.view.y] = [x, y];
      this.view.settle(this.panes[0]);
    }
    this.point(this.view.toScreen([x, y], this.panes[0]));
    this.moved();
  }

  lookAt(number) {
    for (const outlines of this.outlines.values()) {
      outlines.ready.then(() => {
        const box = outlines.boxOf(number);
        if (!box) return;
        const seen = this.view.seen(this.panes[0]);
        if (box.left >= seen.left && box.right <= seen.right && box.top >= seen.top && box.bottom <= seen.bottom) return;
        [this.view.x, this.view.y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
        this.view.settle(this.panes[0]);
        this.moved();
      });
    }
  }

  moved() {
    this.isMoving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.isMoving = false;
      this.redraw();
    }, IDLE_MS);
    this.redraw();
  }

  toggleFull() {
    const isFull = document.fullscreenElement || this.figure.classList.contains("full");
    if (isFull) {
      this.figure.classList.remove("full");
      if (document.fullscreenElement) document.exitFullscreen();
    } else {
      this.figure.requestFullscreen?.().catch(() => this.figure.classList.add("full"));
      if (!this.figure.requestFullscreen) this.figure.classList.add("full");
    }
    this.resize();
  }

  togglePanel() {
    this.panel.side.hidden = !this.panel.side.hidden;
    this.panel.showState();
    this.paintHistograms();
  }

  // Keys that need no tool; returns whether the key means something.
  doKey(key) {
    const does = {
      "+": () => this.zoom(1.5), "=": () => this.zoom(1.5), "-": () => this.zoom(1 / 1.5),
      0: () => this.fit(), 1: () => this.actual(), f: () => this.toggleFull(), g: () => this.askFigure(), l: () => this.togglePanel(),
      ",": () => document.dispatchEvent(new CustomEvent("micrographia-turn", { detail: -1 })),
      ".": () => document.dispatchEvent(new CustomEvent("micrographia-turn", { detail: 1 })),
      m: () => { this.state.map = !this.state.map; this.redraw(); },
      c: () => this.data.labels && this.setHeld(true),
      b: () => this.data.labels && this.setMode(this.state.mode === "blink" ? "divide" : "blink"),
      Delete: () => this.hand.remove(), Backspace: () => this.hand.remove(),
      Enter: () => this.clicked([this.view.x, this.view.y]),
      "[": () => { this.hand.size = Math.max(1, this.hand.size - 2); },
      "]": () => { this.hand.size += 2; },
      Escape: () => this.figure.classList.contains("full") && this.toggleFull(),
    };
    const tool = ["move", ...this.data.tools].find((name) => TOOLS[name][1] === key);
    if (tool) this.hand.setTool(tool);
    else if (does[key]) does[key]();
    else return false;
    return true;
  }

  // What the page hears

  shapesChanged(words) {
    this.say(words);
    this.panel.showState();
    this.redraw();
    this.tell.setStateValue("shapes", { of: this.data.of, shapes: this.hand.history.shapes });
  }

  clicked([x, y]) {
    if (!this.data.clickable || x < 0 || y < 0 || x >= this.view.width || y >= this.view.height) return;
    let number = 0;
    for (const [name, outlines] of this.outlines) {
      const layer = this.data.layers.find((each) => each.name === name);
      if (!this.layerState(layer).shown || !layer.numbered) continue;
      const near = SLIP_PX / this.view.scale; // a thin region is hard to hit
      for (const [dx, dy] of [[0, 0], [near, 0], [-near, 0], [0, near], [0, -near]]) {
        number ||= outlines.at([x + dx, y + dy]);
      }
    }
    this.tell.setTriggerValue("clicked", { of: this.data.of, x, y, number });
  }

  // What is seen, for a figure: the page draws it anew, in the resolution that paper needs.
  askFigure() {
    if (document.fullscreenElement || this.figure.classList.contains("full")) this.toggleFull();
    const { left, right, top, bottom } = this.view.seen(this.panes[0]);
    const layers = this.data.layers.map((layer) => {
      const { shown, opacity } = this.layerState(layer);
      return [layer.name, { shown, opacity }];
    });
    const windows = Object.entries(this.windows).map(([which, { black, white, gamma }]) => [which, { black, white, gamma }]);
    this.tell.setTriggerValue("figure", {
      of: this.data.of,
      box: [top, left, bottom, right],
      mode: this.figure.dataset.mode,
      layers: Object.fromEntries(layers),
      windows: Object.fromEntries(windows),
    });
  }

  toolChanged() {
    this.stage.dataset.tool = this.hand.tool;
    this.say(TOOLS[this.hand.tool][0]);
    this.panel.showState();
  }

  chosenChanged() {
    this.panel.showState();
    this.redraw();
  }

  say(words) {
    this.said.textContent = words;
  }

  // Under the pointer

  point(place) {
    this.pointer = place;
    if (!place) this.showStatus("");
    else if (!this.pointing) {
      this.pointing = requestAnimationFrame(() => {
        this.pointing = 0;
        this.readOut();
      });
    }
  }

  readOut() {
    if (!this.pointer || !this.data) return;
    const pane = this.paneAt(this.pointer[0]);
    const [x, y] = this.view.toImage(...this.pointer, pane);
    const [row, column] = [Math.floor(y), Math.floor(x)];
    if (row < 0 || column < 0 || row >= this.view.height || column >= this.view.width) return this.showStatus("");
    const { nmPerPx } = this.data;
    const parts = [`column ${column} · row ${row}`];
    if (nmPerPx) {
      const [size, unit] = unitFor(Math.max(this.view.width, this.view.height) * nmPerPx);
      parts.push(`${digits((x * nmPerPx) / size)}, ${digits((y * nmPerPx) / size)} ${unit}`);
    }
    const asked = (this.asked = { row, column });
    const values = this.valuesAt(row, column, pane);
    const write = (found) => this.showStatus([...parts, ...found.filter(Boolean)].join("   "));
    if (values.some((value) => value?.then)) {
      const later = values.map((value) => (value?.then ? value : Promise.resolve(value)));
      write(values.map((value) => (value?.then ? "…" : value)));
      Promise.all(later).then((found) => this.asked === asked && write(found));
    } else {
      write(values);
    }
    return undefined;
  }

  valuesAt(row, column, pane) {
    const texts = [];
    const add = (source, text) => {
      const value = source.valueAt(row, column);
      texts.push(value?.then ? value.then((found) => (found === null ? "" : text(found))) : value === null ? "" : text(value));
    };
    const grey = (name) => (value) => `${name} ${Array.isArray(value) ? value.join(", ") : Number.isFinite(value) ? digits(value, 5) : "no value"}`;
    add(this.sources.get("base"), grey("grey"));
    if (this.data.after) add(this.sources.get("after"), grey("→"));
    for (const layer of this.data.layers) {
      if (layer.kind !== "raster" || !this.layerState(layer).shown || !layer.reads) continue;
      add(this.sources.get(`layer ${layer.name}`), (value) => {
        if (layer.names) return layer.names[value] ?? "";
        return `${layer.reads} ${digits(value * layer.step, 3)} ${layer.unit}`;
      });
    }
    return texts;
  }

  showStatus(words) {
    this.status.firstChild.textContent = words || this.data?.hint || "";
  }

  // Painting

  redraw() {
    if (this.frame || !this.data || !this.box) return;
    this.frame = requestAnimationFrame((time) => {
      this.frame = 0;
      this.paint(time);
    });
  }

  paint() {
    if (this.windowWanted) {
      this.applyWindow(this.windowWanted);
      this.windowWanted = null;
    }
    const context = this.canvas.getContext("2d", { alpha: true });
    const { density } = this;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, this.box.width, this.box.height);
    this.inUse.clear();
    startFrame(this.isMoving);
    const began = performance.now();
    for (const pane of this.panes) this.paintPane(context, pane);
    makeRoom(this.inUse);
    this.paintHand();
    this.paintScale();
    this.paintMap();
    this.panel.showState();
    this.showTags();
    this.stage.classList.toggle("fits", this.view.isFit && this.hand.tool === "move");
    this.figure.dataset.zoom = (this.view.scale * density).toFixed(4);
    this.figure.querySelector(".zoom").textContent = `${digits(100 * this.view.scale * density, 3)} %`;
    this.watchPace(began);
  }

  // What tests and the benchmark read: when all of it was seen, and how long painting took.
  watchPace(began) {
    const now = performance.now();
    const { pace } = this;
    pace.paints += 1;
    pace.paintMs.push(now - began);
    const { wheeledAt } = this.hand;
    // The next frame begins when this one has been handed on to the screen.
    if (wheeledAt) requestAnimationFrame(() => pace.wheelMs.push(performance.now() - wheeledAt));
    this.hand.wheeledAt = 0;
    for (const times of [pace.paintMs, pace.wheelMs]) if (times.length > 500) times.shift();
  }

  showTags() {
    const [left, right] = [this.figure.querySelector(".left-tag"), this.figure.querySelector(".right-tag")];
    const { labels } = this.data;
    if (!labels) return;
    this.divide.style.left = `${this.cut(this.panes[0])}px`;
    const last = this.panes[this.panes.length - 1];
    left.style.left = `${this.picture(this.panes[0])[0] + 10}px`;
    right.style.right = `${this.box.width - this.picture(last)[1] + 10}px`;
    const both = this.state.mode === "divide" || this.state.mode === "side";
    left.textContent = labels[0];
    right.textContent = labels[!both && (this.isHeld || this.isBefore) ? 0 : 1];
    left.hidden = !both;
    right.hidden = both && this.isHeld;
  }

  paintPane(context, pane) {
    const { mode } = this.state;
    const compares = Boolean(this.data.labels);
    const onlyBefore = compares && (this.isHeld || this.isBefore || pane.side === 0);
    const cut = compares && mode === "divide" && !onlyBefore ? this.cut(pane) : null;
    if (onlyBefore || cut !== null) this.clip(context, pane, pane.left, cut ?? pane.left + pane.width, () => this.paintBefore(context, pane));
    if (!onlyBefore) this.clip(context, pane, cut ?? pane.left, pane.left + pane.width, () => this.paintAfter(context, pane));
    this.clip(context, pane, pane.left, pane.left + pane.width, () => this.paintStrokes(context, pane));
  }

  clip(context, pane, left, right, does) {
    if (right <= left) return;
    context.save();
    context.beginPath();
    context.rect(left, pane.top, right - left, pane.height);
    context.clip();
    does();
    context.restore();
  }

  smooth(context) {
    context.imageSmoothingEnabled = this.view.scale * this.density < 1;
    context.imageSmoothingQuality = this.isMoving ? "low" : "medium";
  }

  paintBefore(context, pane) {
    this.smooth(context);
    const whole = this.sources.get("base").draw(context, this.view, pane, this.density, this.inUse);
    this.noteFirst("base", whole);
  }

  paintAfter(context, pane) {
    this.smooth(context);
    const shown = this.data.after ? "after" : "base";
    const whole = this.sources.get(shown).draw(context, this.view, pane, this.density, this.inUse);
    this.noteFirst(shown, whole);
    this.paintRasters(context, pane);
    this.paintOutlines(context, pane);
  }

  // When there was a picture at all, and when all tiles of the view were there.
  noteFirst(which, whole) {
    const now = String(performance.now());
    if (whole || this.sources.get(which).isCovered) this.figure.dataset.first ??= now;
    if (whole) this.figure.dataset.ready ??= now;
  }

  paintRasters(context, pane) {
    for (const layer of this.data.layers) {
      const state = this.layerState(layer);
      if (layer.kind !== "raster" || !state.shown || state.opacity <= 0) continue;
      context.globalAlpha = state.opacity;
      context.imageSmoothingEnabled = layer.smooth || this.view.scale * this.density < 1;
      this.sources.get(`layer ${layer.name}`).draw(context, this.view, pane, this.density, this.inUse);
      context.globalAlpha = 1;
    }
  }

  paintOutlines(context, pane) {
    context.imageSmoothingEnabled = true;
    for (const [name, outlines] of this.outlines) {
      const layer = this.data.layers.find((each) => each.name === name);
      if (!this.layerState(layer).shown || !outlines.count) continue;
      outlines.kept.draw(context, this.view, pane, this.density, `${layer.url} ${layer.colour}`, this.isMoving);
      this.paintChosen(context, pane, outlines, new Set(layer.selected));
    }
  }

  paintStrokes(context, pane) {
    const strokes = this.hand.history.shapes;
    const draft = this.hand.draft && PAINT.has(this.hand.draft.kind) ? this.hand.draft : null;
    if (!draft && !strokes.some((shape) => PAINT.has(shape.kind))) return;
    // A stroke under way is drawn with the rest: the eraser takes away from what is there.
    this.strokes ??= new Kept((inside, box, toX, toY, scale) => paintStrokes(inside, box, toX, toY, scale, this.painting));
    this.painting = draft ? [...strokes, draft] : strokes;
    context.globalAlpha = 0.55;
    this.strokes.draw(context, this.view, pane, this.density, draft ? {} : strokes, this.isMoving);
    context.globalAlpha = 1;
  }

  paintChosen(context, pane, outlines, numbers) {
    if (!numbers.size) return;
    const toX = (x) => this.view.toScreenX(x, pane);
    const toY = (y) => this.view.toScreenY(y, pane);
    context.beginPath();
    for (let at = 0; at < outlines.count; at += 1) {
      if (numbers.has(outlines.numbers[at])) outlines.tracePolygon(context, at, toX, toY, 0);
    }
    context.lineWidth = 5;
    context.strokeStyle = HALO;
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = CHOSEN;
    context.stroke();
  }

  paintHand() {
    const context = this.top.getContext("2d");
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    context.clearRect(0, 0, this.box.width, this.box.height);
    const { hand } = this;
    for (const pane of this.panes) {
      this.clip(context, pane, pane.left, pane.left + pane.width, () => {
        for (const shape of hand.history.shapes) {
          if (PAINT.has(shape.kind)) continue;
          const now = hand.edit?.now?.id === shape.id ? hand.edit.now : shape;
          drawShape(context, now, this.view, pane, this.data.nmPerPx, shape.id === hand.chosen);
        }
        if (hand.draft && !PAINT.has(hand.draft.kind)) drawShape(context, hand.draft, this.view, pane, this.data.nmPerPx, true);
        this.paintCursor(context, pane);
      });
    }
  }

  paintCursor(context, pane) {
    const { hand } = this;
    if (PAINT.has(hand.tool) && this.pointer) {
      const [x, y] = hand.cursor ? this.view.toScreen(hand.cursor, pane) : this.pointer;
      context.beginPath();
      context.arc(x, y, Math.max(2, (hand.size * this.view.scale) / 2), 0, 2 * Math.PI);
      context.lineWidth = 3;
      context.strokeStyle = HALO;
      context.stroke();
      context.lineWidth = 1.5;
      context.strokeStyle = "#fff";
      context.stroke();
    } else if (hand.cursor) {
      drawShape(context, { kind: "point", points: [hand.cursor] }, this.view, pane, null, true);
    }
  }

  // A scale bar of a fifth to two fifths of the pane, clear of what the instrument wrote.
  paintScale() {
    const { nmPerPx } = this.data;
    const pane = this.panes[0];
    this.bar.hidden = !nmPerPx;
    if (!nmPerPx) return;
    const length = niceLength((Math.min(pane.width * 0.35, 260) * nmPerPx) / this.view.scale);
    const width = (length * this.view.scale) / nmPerPx;
    const [size, unit] = unitFor(length);
    this.bar.querySelector(".line").style.width = `${width}px`;
    this.bar.querySelector(".length").textContent = `${Number((length / size).toPrecision(6))} ${unit}`;
    this.bar.dataset.nm = String(length);
    this.bar.dataset.px = String(width);
    this.bar.style.left = `${this.picture(pane)[0] + 10}px`;
    this.bar.style.bottom = `${10 + this.clearance(width + 24, 44)}px`;
  }

  clearance(width, height) {
    const pane = this.panes[0];
    const [first] = this.picture(pane);
    let lift = 0;
    const boxes = this.data.avoid
      .map(([top, left, bottom, right]) => [
        this.view.toScreenY(top, pane), this.view.toScreenX(left, pane),
        this.view.toScreenY(bottom, pane), this.view.toScreenX(right, pane),
      ])
      .sort((one, other) => other[2] - one[2]);
    for (const [top, left, bottom] of boxes) {
      const [barTop, barBottom] = [pane.height - 10 - lift - height, pane.height - 10 - lift];
      if (left > first + 10 + width || bottom <= barTop || top >= barBottom) continue;
      const wanted = pane.height - top - 4;
      if (wanted < pane.height * 0.7) lift = Math.max(lift, wanted);
    }
    return lift;
  }

  paintMap() {
    const { map, view, data } = this;
    const isShown = this.state.map !== false && !view.isFit && this.box.width > 320;
    map.hidden = !isShown;
    if (!isShown) return;
    const longest = 120;
    const share = longest / Math.max(data.width, data.height);
    const [width, height] = [Math.max(8, Math.round(data.width * share)), Math.max(8, Math.round(data.height * share))];
    if (map.width !== width || map.height !== height) [map.width, map.height] = [width, height];
    const context = map.getContext("2d");
    context.clearRect(0, 0, width, height);
    const small = new View(data.width, data.height);
    const pane = { left: 0, top: 0, width, height };
    small.fit(pane);
    this.sources.get(data.after ? "after" : "base").draw(context, small, pane, 1, this.inUse);
    const seen = view.seen(this.panes[0]);
    context.lineWidth = 2;
    context.strokeStyle = INK;
    context.strokeRect(seen.left * share, seen.top * share, (seen.right - seen.left) * share, (seen.bottom - seen.top) * share);
  }

  close() {
    clearInterval(this.blinker);
    clearTimeout(this.rest);
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.watch.disconnect();
  }
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const figure = parentElement.querySelector(".viewer");
  if (!figure.viewer) {
    figure.viewer = new Viewer(figure);
  }
  const { viewer } = figure;
  viewer.watch.observe(viewer.stage);
  viewer.update(data, { setStateValue, setTriggerValue });
  return () => viewer.close();
}
