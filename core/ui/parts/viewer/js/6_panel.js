// Buttons, the panel of layers and grey levels, and what stands below the picture.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  move: "M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3",
  ruler: "M3.5 15.5 15.5 3.5l5 5-12 12zM7 12l2 2M10 9l2.5 2.5M13 6l2 2",
  angle: "M20 20H4L17 5M10.5 20a7 7 0 0 0-2-5",
  rectangle: "M4 6h16v12H4z",
  ellipse: "M3 12a9 6 0 1 0 18 0a9 6 0 1 0-18 0",
  polygon: "M12 3 21 10 17.5 20.5H6.5L3 10z",
  lasso: "M8 17.5C4.500 16.500 3 14 3 11.500 3 7 7 4 12 4s9 3 9 6.500S17 17 12 17c-1.800 0-2.600-.4-3.300-1.200M8.700 15.800c-1.500 1-1.500 2.700 0 3.200s1.300 2 0 2.500",
  point: "M12 4v16M4 12h16",
  brush: "M20 4 10.5 13.500M8 14.500c-2 0-3 1.400-3 3 0 1.300-.8 2-2 2.300 3.400 1.200 7.500.3 7.500-3 0-1.400-1-2.300-2.500-2.300z",
  eraser: "M8 19.500 3.500 15 14 4.500 20.500 11 12 19.500zM8.500 10l6.500 6.500M12 19.500h8.500",
  undo: "M4 9h10a5.500 5.500 0 0 1 0 11H9M4 9l4.500-4.500M4 9l4.500 4.500",
  redo: "M20 9H10a5.500 5.500 0 0 0 0 11h5M20 9l-4.500-4.500M20 9l-4.500 4.500",
  delete: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13M10.500 11v5.500M13.500 11v5.500",
  in: "M12 5v14M5 12h14",
  out: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  whole: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  panel: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5",
  figure: "M4 4h16v16H4zM4 16l5-5 4 4 3-3 4 4M15.500 8.500h.01",
  full: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  divide: "M12 3v18M4 6h5M4 12h5M4 18h5M15 6h5v12h-5z",
  side: "M3 5h8v14H3zM13 5h8v14h-8z",
  one: "M4 5h16v14H4z",
  blink: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
};
const TOOLS = {
  move: ["Move and choose", "v"],
  ruler: ["Length", "r"],
  angle: ["Angle of three points", "a"],
  rectangle: ["Box", "x"],
  ellipse: ["Ellipse", "e"],
  polygon: ["Polygon", "p"],
  lasso: ["Lasso", "o"],
  point: ["Point", "t"],
  brush: ["Brush", "d"],
  eraser: ["Eraser", "s"],
};
const MODES = {
  divide: ["Divide: one beside the other under a movable line", "Divide"],
  one: ["Only the second picture", "One"],
  side: ["Side by side, moving together", "Side by side"],
  blink: ["Blink: one after the other", "Blink"],
};
const HELP = [
  ["Wheel, pinch, + −", "zoom"],
  ["Drag, arrows", "move; with a tool arrows move the cross"],
  ["Double click, 0", "all of it"],
  ["1", "one pixel of the picture = one of the screen"],
  ["F", "full screen"],
  [", .", "micrograph before, after"],
  ["M", "small map"],
  ["G", "figure for a paper: PNG, SVG, PDF"],
  ["L", "this panel"],
  ["hold C", "the original"],
  ["Space, Enter, Esc", "set a point, end, give up"],
  ["Delete, Ctrl+Z, Ctrl+Y", "delete, undo, redo"],
  ["Shift", "steps of 15°, squares"],
];

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function button(name, title, does, key) {
  const label = key ? `${title} (${key.toUpperCase()})` : title;
  const made = make("button", { type: "button", title: label, "aria-label": title, onclick: does });
  made.dataset.does = name;
  made.append(name === "actual" ? make("span", { class: "text" }, "1:1") : icon(name));
  return made;
}

class Panel {
  constructor(viewer) {
    this.viewer = viewer;
    this.bar = viewer.figure.querySelector(".bar");
    this.side = viewer.figure.querySelector(".panel");
    this.bar.addEventListener("keydown", (event) => this.onBarKey(event));
  }

  // Draws the buttons anew when a page offers others.
  drawBar(data) {
    const key = JSON.stringify([data.tools, data.classes, Boolean(data.labels), data.layers.length > 0]);
    if (this.barKey === key) return;
    this.barKey = key;
    const { viewer } = this;
    const { hand } = viewer;
    const group = (label, ...buttons) => make("div", { class: "group", role: "group", "aria-label": label }, ...buttons);
    const parts = [];
    if (data.tools.length) {
      const tools = ["move", ...data.tools].map((tool) => button(tool, TOOLS[tool][0], () => hand.setTool(tool), TOOLS[tool][1]));
      parts.push(group("Tools", ...tools));
      if (data.tools.includes("brush")) parts.push(this.brushControls(data));
      parts.push(
        group(
          "Changes",
          button("undo", "Undo", () => hand.step("undo")),
          button("redo", "Redo", () => hand.step("redo")),
          button("delete", "Delete the chosen shape", () => hand.remove()),
        ),
      );
    }
    parts.push(make("span", { class: "space" }));
    if (data.labels) {
      parts.push(group("Comparison", ...Object.entries(MODES).map(([mode, [title]]) => button(mode, title, () => viewer.setMode(mode)))));
    }
    parts.push(
      group(
        "View",
        button("out", "Zoom out", () => viewer.zoom(1 / 1.5), "−"),
        button("in", "Zoom in", () => viewer.zoom(1.5), "+"),
        button("fit", "All of it", () => viewer.fit(), "0"),
        button("actual", "One to one", () => viewer.actual(), "1"),
        button("panel", "Layers and grey levels", () => viewer.togglePanel(), "l"),
        button("figure", "Figure for a paper", () => viewer.askFigure(), "g"),
        button("full", "Full screen", () => viewer.toggleFull(), "f"),
      ),
    );
    this.bar.replaceChildren(...parts);
    this.stops().forEach((each, place) => { each.tabIndex = place ? -1 : 0; });
  }

  stops() {
    return [...this.bar.querySelectorAll("button")];
  }

  // One stop of the Tab key; arrow keys go from button to button, as in every toolbar.
  onBarKey(event) {
    const stops = this.stops().filter((each) => !each.disabled);
    const at = stops.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: stops.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    const next = stops[(to + stops.length) % stops.length];
    for (const each of this.stops()) each.tabIndex = each === next ? 0 : -1;
    next.focus();
    event.preventDefault();
  }

  brushControls(data) {
    const { hand } = this.viewer;
    const size = make("input", {
      type: "range", min: 1, max: 100, value: hand.size, "aria-label": "Width of the brush in px",
      oninput: (event) => {
        hand.size = Number(event.target.value);
        this.viewer.state.size = hand.size;
        this.viewer.redraw();
      },
    });
    const classes = make("select", {
      "aria-label": "What is painted",
      onchange: (event) => {
        hand.cls = Number(event.target.value);
        this.viewer.state.cls = hand.cls;
        classes.style.setProperty("--ink", classColour(hand.cls));
      },
    });
    for (const { number, name } of data.classes) classes.append(make("option", { value: number }, name));
    if (!data.classes.some(({ number }) => number === hand.cls)) hand.cls = 1;
    classes.value = String(hand.cls);
    classes.style.setProperty("--ink", classColour(hand.cls));
    return make("div", { class: "group paint", role: "group", "aria-label": "Brush" }, classes, size);
  }

  // Called at every painting: buttons are touched only when there is something new.
  showState() {
    const { viewer } = this;
    const { hand } = viewer;
    const { past, future } = hand.history;
    const state = [hand.tool, viewer.state.mode, this.side.hidden, past.length > 0, future.length > 0, hand.chosen, this.barKey];
    const key = state.join("|");
    if (this.stateKey === key) return;
    this.stateKey = key;
    for (const each of this.bar.querySelectorAll("button")) {
      const { does } = each.dataset;
      if (TOOLS[does]) each.setAttribute("aria-pressed", String(viewer.hand.tool === does));
      else if (MODES[does]) each.setAttribute("aria-pressed", String(viewer.state.mode === does));
      else if (does === "panel") each.setAttribute("aria-expanded", String(!this.side.hidden));
      else if (does === "undo") each.disabled = !viewer.hand.history.past.length;
      else if (does === "redo") each.disabled = !viewer.hand.history.future.length;
      else if (does === "delete") each.disabled = viewer.hand.chosen === null;
    }
  }

  draw(data) {
    const { viewer } = this;
    const parts = [];
    if (data.layers.length) {
      parts.push(make("h4", {}, "Layers"), ...data.layers.map((layer) => this.layerRow(layer)));
    }
    parts.push(make("h4", {}, "Grey levels on the screen"), this.histogram(data.base, "base"));
    if (data.after && data.after.dtype !== "rgb") {
      parts.push(make("h4", {}, `Grey levels: ${data.labels[1]}`), this.histogram(data.after, "after"));
    }
    const keys = make("dl", {}, ...HELP.flatMap(([what, does]) => [make("dt", {}, what), make("dd", {}, does)]));
    parts.push(make("details", {}, make("summary", {}, "Keys"), keys));
    this.side.replaceChildren(...parts);
    viewer.paintHistograms();
  }

  layerRow(layer) {
    const { viewer } = this;
    const state = viewer.layerState(layer);
    const shown = make("input", {
      type: "checkbox",
      onchange: (event) => {
        state.shown = event.target.checked;
        viewer.redraw();
      },
    });
    shown.checked = state.shown;
    const row = make("div", { class: "layer" }, make("label", {}, shown, layer.name));
    if (layer.kind === "raster") {
      row.append(
        make("input", {
          type: "range", min: 0, max: 100, value: Math.round(100 * state.opacity), "aria-label": `Opacity of ${layer.name}`,
          oninput: (event) => {
            state.opacity = Number(event.target.value) / 100;
            viewer.redraw();
          },
        }),
      );
    }
    return row;
  }

  // A histogram with the window drawn on it; what is dragged there shows in the sliders below.
  histogram(source, which) {
    const { viewer } = this;
    const canvas = make("canvas", { class: "histogram", width: 240, height: 64 });
    canvas.dataset.source = which;
    const state = viewer.windows[which];
    const [least, most] = source.range;
    const step = source.dtype === "f32" ? (most - least) / 1000 || 1 : 1;
    const rows = [["black", "Black"], ["white", "White"]].map(([side, name]) => {
      const input = make("input", {
        type: "range", min: least, max: most, step, value: state[side], "aria-label": `${name} at`,
        oninput: (event) => viewer.setWindow(which, { [side]: Number(event.target.value) }),
      });
      input.dataset.side = `${which}-${side}`;
      return make("label", { class: "row" }, make("span", {}, name), input);
    });
    const gamma = make("input", {
      type: "range", min: 0.3, max: 3, step: 0.05, value: state.gamma, "aria-label": "Gamma",
      oninput: (event) => viewer.setWindow(which, { gamma: Number(event.target.value) }),
    });
    gamma.dataset.side = `${which}-gamma`;
    rows.push(make("label", { class: "row" }, make("span", {}, "Gamma"), gamma));
    const reset = (window) => () => viewer.setWindow(which, { ...window, gamma: 1 });
    const buttons = make(
      "div",
      { class: "buttons" },
      make("button", { type: "button", onclick: reset({ black: source.window[0], white: source.window[1] }) }, "Automatic"),
      make("button", { type: "button", onclick: reset({ black: least, white: most }) }, "Whole range"),
    );
    this.drag(canvas, source, which);
    return make("div", { class: "levels" }, canvas, ...rows, buttons);
  }

  drag(canvas, source, which) {
    const [least, most] = source.range;
    let side = null;
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      const value = least + clamp((event.clientX - box.left) / box.width, 0, 1) * (most - least);
      const state = this.viewer.windows[which];
      side ??= Math.abs(value - state.black) < Math.abs(value - state.white) ? "black" : "white";
      this.viewer.setWindow(which, { [side]: value });
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      side = null;
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && move(event));
  }

  showWindow(which, state) {
    for (const side of ["black", "white", "gamma"]) {
      const input = this.side.querySelector(`[data-side="${which}-${side}"]`);
      if (input) input.value = state[side];
    }
  }

  paintHistogram(canvas, source, state, ink, accent) {
    const context = canvas.getContext("2d");
    const { width, height } = canvas;
    const { histogram, range } = source;
    const most = Math.max(...histogram.map(Math.sqrt), 1);
    context.clearRect(0, 0, width, height);
    context.fillStyle = ink;
    histogram.forEach((count, bin) => {
      const tall = (Math.sqrt(count) / most) * (height - 2);
      context.fillRect((bin * width) / histogram.length, height - tall, width / histogram.length + 0.5, tall);
    });
    context.strokeStyle = context.fillStyle = accent;
    context.lineWidth = 2;
    const toX = (value) => clamp(((value - range[0]) / (range[1] - range[0] || 1)) * width, 1, width - 1);
    context.beginPath();
    for (let step = 0; step <= 40; step += 1) {
      const share = step / 40;
      const x = toX(state.black) + share * (toX(state.white) - toX(state.black));
      const y = height - 1 - share ** (1 / state.gamma) * (height - 2);
      if (step) context.lineTo(x, y);
      else context.moveTo(x, y);
    }
    context.stroke();
    for (const value of [state.black, state.white]) context.fillRect(toX(value) - 1, 0, 2, height);
  }
}
