// What pointer, wheel, touch, pen and keys do on the stage.

const SLIP_PX = 4; // a press that moves less is a click
const HANDLE_PX = 10;
const DIVIDE_PX = 14;
const STEP_PX = 60; // of an arrow key, on the screen
const WHEEL_REST_MS = 350; // a page that is being scrolled is not stopped by a picture below
const DRAGGED = new Set(["lasso", "brush", "eraser"]);

let scrolledAt = -Infinity;
window.addEventListener(
  "wheel",
  (event) => {
    if (!event.composedPath().some((part) => part.classList?.contains("stage"))) {
      scrolledAt = event.timeStamp;
    }
  },
  { capture: true, passive: true },
);

class Hand {
  constructor(viewer) {
    this.viewer = viewer;
    this.stage = viewer.stage;
    this.tool = "move";
    this.cls = 1;
    this.size = 12;
    this.pointers = new Map();
    this.history = new History([]);
    this.chosen = null;
    const on = (name, does, options) => this.stage.addEventListener(name, does.bind(this), options);
    on("wheel", this.onWheel, { passive: false });
    on("pointerdown", this.onDown);
    on("pointermove", this.onMove);
    on("pointerup", this.onUp);
    on("pointercancel", this.onCancel);
    on("pointerleave", () => viewer.point(null));
    on("dblclick", this.onDouble);
    on("keydown", this.onKey);
    on("keyup", this.onKeyUp);
    on("blur", () => viewer.setHeld(false));
    on("contextmenu", (event) => this.draft && event.preventDefault());
  }

  place(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  toImage(place) {
    return this.viewer.view.toImage(...place, this.viewer.paneAt(place[0]));
  }

  onWheel(event) {
    const { viewer } = this;
    if (event.timeStamp - scrolledAt < WHEEL_REST_MS) {
      scrolledAt = event.timeStamp;
      return;
    }
    const isOut = event.deltaY > 0;
    this.wheeledAt ||= event.timeStamp;
    if (isOut && viewer.view.isFit && !event.ctrlKey) return; // the page scrolls on
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1;
    const turn = clamp(event.deltaY * unit, -240, 240);
    const place = this.place(event);
    viewer.view.zoomAt(2 ** (-turn / (event.ctrlKey ? 60 : 240)), ...place, viewer.paneAt(place[0]));
    viewer.moved();
  }

  onDown(event) {
    if (event.target.closest?.(".divide, .map")) return;
    this.stage.focus({ preventScroll: true });
    const place = this.place(event);
    this.pointers.set(event.pointerId, place);
    this.capture(event);
    if (this.pointers.size === 2) return this.startPinch();
    if (this.pointers.size > 2) return;
    const isPan = event.button === 1 || this.tool === "move";
    if (event.button > 1) return;
    const at = this.toImage(place);
    this.press = { place, at, moved: false, pan: isPan, touch: event.pointerType === "touch" };
    if (this.grab(at, event.pointerType)) return;
    if (!isPan) this.begin(at, event);
    this.viewer.redraw();
  }

  capture(event) {
    try {
      this.stage.setPointerCapture(event.pointerId);
    } catch {
      // A pointer that is gone already needs no capture.
    }
  }

  // Takes hold of a handle of the chosen shape, or with the moving tool of a shape itself.
  grab(at, kind) {
    const near = (kind === "touch" ? 2 : 1) * HANDLE_PX / this.viewer.view.scale;
    const chosen = this.history.shapes.find((shape) => shape.id === this.chosen);
    if (chosen && !PAINT.has(chosen.kind)) {
      const handle = chosen.points.findIndex((point) => distance(point, at) <= near);
      if (handle >= 0 && (this.tool === "move" || !this.draft)) {
        this.edit = { shape: chosen, handle, points: chosen.points };
        return true;
      }
    }
    if (this.tool !== "move") return false;
    const hit = this.shapeAt(at, near);
    if (hit && hit.id === this.chosen) this.edit = { shape: hit, handle: -1, points: hit.points };
    return Boolean(this.edit);
  }

  shapeAt(at, near) {
    const shapes = this.history.shapes.filter((shape) => !PAINT.has(shape.kind));
    return shapes.reverse().find((shape) => distanceTo(shape, at) <= near);
  }

  begin(at, event) {
    const { tool } = this;
    if (DRAGGED.has(tool)) {
      const size = PAINT.has(tool) ? this.size : undefined;
      this.draft = { kind: tool, points: [at], cls: this.cls, size, isOpen: true };
    } else if (!this.draft) {
      this.draft = { kind: tool, points: [at], isOpen: true };
      if (KINDS[tool].most > 1) this.draft.points.push(at);
      this.press.isFirst = true;
    } else if (event.button === 2) {
      this.finish();
    } else {
      this.draft.points[this.draft.points.length - 1] = at;
    }
  }

  onMove(event) {
    const place = this.place(event);
    const { viewer, press } = this;
    viewer.point(place);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, place);
    if (this.pointers.size === 2) return this.pinch();
    if (press && !press.moved) press.moved = distance(press.place, place) > SLIP_PX;
    const at = this.toImage(place);
    if (this.edit && press) {
      this.moveEdit(at);
    } else if (press?.pan && press.moved) {
      viewer.view.moveBy(place[0] - (press.last ?? press.place)[0], place[1] - (press.last ?? press.place)[1], viewer.panes[0]);
      viewer.moved();
    } else if (this.draft) {
      this.extend(at, event);
    }
    if (press) press.last = place;
    if (this.tool !== "move") viewer.redraw();
  }

  extend(at, event) {
    const { draft } = this;
    if (DRAGGED.has(draft.kind)) {
      if (!this.press) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const each of passed.length ? passed : [event]) {
        draft.points.push(this.toImage(this.place(each)));
      }
    } else if (draft.points.length > 1) {
      draft.points[draft.points.length - 1] = event.shiftKey ? this.straight(at) : at;
    }
  }

  // With Shift a line keeps to steps of 15°, a box to a square.
  straight(at) {
    const from = this.draft.points[this.draft.points.length - 2];
    const [dx, dy] = [at[0] - from[0], at[1] - from[1]];
    if (KINDS[this.draft.kind].closed && this.draft.kind !== "polygon") {
      const side = Math.max(Math.abs(dx), Math.abs(dy));
      return [from[0] + Math.sign(dx) * side, from[1] + Math.sign(dy) * side];
    }
    const turn = (Math.round((Math.atan2(dy, dx) * 12) / Math.PI) * Math.PI) / 12;
    const length = Math.hypot(dx, dy);
    return [from[0] + Math.cos(turn) * length, from[1] + Math.sin(turn) * length];
  }

  moveEdit(at) {
    const { edit, press } = this;
    const points =
      edit.handle >= 0
        ? edit.points.map((point, place) => (place === edit.handle ? at : point))
        : edit.points.map(([x, y]) => [x + at[0] - press.at[0], y + at[1] - press.at[1]]);
    edit.now = { ...edit.shape, points };
    this.viewer.redraw();
  }

  onUp(event) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size) {
      this.press = null;
      return;
    }
    const { press, edit } = this;
    this.press = this.edit = null;
    if (this.pinched) {
      this.pinched = false;
      return;
    }
    if (!press) return;
    if (edit) {
      if (edit.now && press.moved) this.replace(edit.now);
    } else if (press.pan) {
      if (!press.moved) this.click(press.at);
    } else if (this.draft) {
      this.release(press);
    }
    this.viewer.redraw();
  }

  release(press) {
    const { draft } = this;
    const { most } = KINDS[draft.kind];
    if (DRAGGED.has(draft.kind) || most === 1) return this.finish();
    const isFull = draft.points.length >= most;
    if (press.isFirst && !press.moved) return undefined; // the second point comes with the next click
    if (isFull && (most === 2 || !press.isFirst)) return this.finish();
    if (draft.kind === "polygon" && !press.isFirst && this.closes(draft)) {
      draft.points.pop();
      return this.finish();
    }
    draft.points.push(draft.points[draft.points.length - 1]);
    return undefined;
  }

  closes({ points }) {
    const near = HANDLE_PX / this.viewer.view.scale;
    return points.length > 3 && distance(points[0], points[points.length - 1]) <= near;
  }

  onCancel(event) {
    this.pointers.delete(event.pointerId);
    this.press = this.edit = null;
    if (this.draft && DRAGGED.has(this.draft.kind)) this.draft = null;
    this.viewer.redraw();
  }

  // A click with the moving tool chooses a shape, or tells the page what was clicked.
  click(at) {
    const near = HANDLE_PX / this.viewer.view.scale;
    const hit = this.shapeAt(at, near);
    if (hit || this.chosen) this.choose(hit?.id ?? null);
    if (!hit) this.viewer.clicked(at);
  }

  onDouble(event) {
    if (event.target.closest?.(".divide, .map")) return;
    if (this.draft?.kind === "polygon") {
      while (this.draft.points.length > 3) {
        const [last, before] = this.draft.points.slice(-2);
        if (distance(last, before) * this.viewer.view.scale > SLIP_PX) break;
        this.draft.points.pop();
      }
      this.finish();
    } else if (this.tool === "move" && !this.edit) {
      this.viewer.fit();
    }
  }

  startPinch() {
    this.press = this.edit = null;
    if (this.draft && DRAGGED.has(this.draft.kind)) this.draft = null;
    this.pinched = true;
    this.pair = [...this.pointers.values()];
  }

  pinch() {
    const pair = [...this.pointers.values()];
    const { viewer, pair: before } = this;
    const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const [from, to] = [middle(before), middle(pair)];
    const pane = viewer.paneAt(from[0]);
    viewer.view.moveBy(to[0] - from[0], to[1] - from[1], pane);
    viewer.view.zoomAt(distance(...pair) / (distance(...before) || 1), ...to, pane);
    this.pair = pair;
    viewer.moved();
  }

  setTool(tool) {
    this.cancel();
    this.tool = tool;
    this.cursor = null;
    this.viewer.toolChanged();
  }

  cancel() {
    this.draft = null;
    this.viewer.redraw();
  }

  choose(id) {
    this.chosen = id;
    this.viewer.chosenChanged();
  }

  // Ends the shape at hand; what encloses nothing was a slip.
  finish() {
    const { draft } = this;
    this.draft = null;
    if (!draft) return;
    let { points } = draft;
    if (draft.kind === "polygon" && points.length > 1) {
      const [last, before] = points.slice(-2).reverse();
      if (distance(last, before) < 0.01) points = points.slice(0, -1);
    }
    if (DRAGGED.has(draft.kind)) points = simplified(points, 0.35 / this.viewer.view.scale);
    const flat = points.length === 2 && distance(points[0], points[1]) < 0.01;
    if (points.length < KINDS[draft.kind].least || flat) return this.viewer.redraw();
    const shape = { id: this.newId(), kind: draft.kind, points, name: "" };
    if (draft.cls && PAINT.has(draft.kind)) shape.cls = draft.kind === "eraser" ? 0 : draft.cls;
    if (draft.size) shape.size = draft.size;
    if (!PAINT.has(shape.kind)) shape.name = this.nextName(shape.kind);
    this.history.change([...this.history.shapes, shape]);
    if (!PAINT.has(shape.kind)) this.chosen = shape.id;
    this.viewer.shapesChanged(`${KINDS[shape.kind].name} ${measureText(shape, this.viewer.data.nmPerPx)}`);
  }

  newId() {
    return 1 + Math.max(0, ...this.history.shapes.map((shape) => shape.id));
  }

  nextName(kind) {
    const { name } = KINDS[kind];
    const taken = new Set(this.history.shapes.map((shape) => shape.name));
    for (let number = 1; ; number += 1) {
      if (!taken.has(`${name} ${number}`)) return `${name} ${number}`;
    }
  }

  replace(shape) {
    this.history.change(this.history.shapes.map((old) => (old.id === shape.id ? shape : old)));
    this.viewer.shapesChanged(measureText(shape, this.viewer.data.nmPerPx));
  }

  remove() {
    const shapes = this.history.shapes.filter((shape) => shape.id !== this.chosen);
    if (shapes.length === this.history.shapes.length) return;
    this.history.change(shapes);
    this.chosen = null;
    this.viewer.shapesChanged("Deleted");
  }

  step(way) {
    if (!this.history[way]()) return;
    if (!this.history.shapes.some((shape) => shape.id === this.chosen)) this.chosen = null;
    this.viewer.shapesChanged(way === "undo" ? "Undone" : "Done again");
  }

  onKeyUp(event) {
    if (event.key === "c") this.viewer.setHeld(false);
  }

  onKey(event) {
    if (event.target !== this.stage) return; // the divide has keys of its own
    const { viewer } = this;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key !== "z" && key !== "y") return;
      this.step(key === "y" || event.shiftKey ? "redo" : "undo");
    } else if (event.altKey) {
      return;
    } else if (key.startsWith("Arrow")) {
      this.arrow(key, event.shiftKey);
    } else if (!this.drawByKey(key) && !viewer.doKey(key)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // Arrows move the picture, or with a drawing tool the cross: by pixels of the picture.
  arrow(key, fast) {
    const { viewer } = this;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (this.tool === "move") {
      const step = fast ? 4 * STEP_PX : STEP_PX;
      viewer.view.moveBy(-way[0] * step, -way[1] * step, viewer.panes[0]);
      return viewer.moved();
    }
    const { view } = viewer;
    this.cursor ??= [Math.floor(view.x) + 0.5, Math.floor(view.y) + 0.5];
    const step = Math.max(1, Math.round(1 / view.scale)) * (fast ? 10 : 1);
    this.cursor = [
      clamp(this.cursor[0] + way[0] * step, 0.5, view.width - 0.5),
      clamp(this.cursor[1] + way[1] * step, 0.5, view.height - 0.5),
    ];
    if (this.draft && this.isPenDown) this.draft.points.push(this.cursor);
    else if (this.draft && this.draft.points.length > 1) {
      this.draft.points[this.draft.points.length - 1] = this.cursor;
    }
    viewer.follow(this.cursor);
    return undefined;
  }

  // Space sets a point where the cross is, Enter ends a shape, Escape gives it up.
  drawByKey(key) {
    if (key === "Escape") {
      if (!this.draft && this.tool === "move") return false;
      if (this.draft) this.cancel();
      else this.setTool("move");
      return true;
    }
    if (this.tool === "move") return false;
    if (key === "Enter" && this.draft) {
      this.isPenDown = false;
      this.finish();
      return true;
    }
    if (key !== " " && key !== "Enter") return false;
    this.cursor ??= [Math.floor(this.viewer.view.x) + 0.5, Math.floor(this.viewer.view.y) + 0.5];
    if (DRAGGED.has(this.tool)) this.togglePen();
    else this.setPoint();
    this.viewer.follow(this.cursor);
    return true;
  }

  togglePen() {
    if (this.isPenDown) {
      this.isPenDown = false;
      this.finish();
      return;
    }
    this.isPenDown = true;
    const size = PAINT.has(this.tool) ? this.size : undefined;
    this.draft = { kind: this.tool, points: [this.cursor], cls: this.cls, size, isOpen: true };
  }

  setPoint() {
    const { most } = KINDS[this.tool];
    if (!this.draft) {
      this.draft = { kind: this.tool, points: [this.cursor], isOpen: true };
      if (most === 1) this.finish();
      else this.draft.points.push(this.cursor);
      return;
    }
    this.draft.points[this.draft.points.length - 1] = this.cursor;
    if (this.draft.points.length >= most) this.finish();
    else this.draft.points.push(this.cursor);
  }
}
