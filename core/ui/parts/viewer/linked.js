// One or two pictures of one size under one view: zoom and pan move both. A click can set the ends
// of a line, or a spot; both are sent to the server as shares of the picture's width and height.

const MOST = 40;
const MOVED_PX = 4; // less is a click
const views = new Map(); // viewer's key -> {scale, x, y}; outlives reruns and changes of page

// Four bytes of header length (little-endian), the header as JSON, then the PNG files.
function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 4 + view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  const pictures = header.bytes.map((length) => bytes.slice(start, (start += length)));
  return { header, pictures };
}

function panelsOf(figure) {
  return [...figure.querySelectorAll(".panel")];
}

function viewOf(figure) {
  if (!views.has(figure.key)) views.set(figure.key, { scale: 1, x: 0, y: 0 });
  return views.get(figure.key);
}

// x and y: which share of the picture lies left of and above the panel.
function setView(figure, scale, x, y) {
  const view = viewOf(figure);
  view.scale = Math.min(MOST, Math.max(1, scale));
  const most = 1 - 1 / view.scale;
  view.x = Math.min(most, Math.max(0, x));
  view.y = Math.min(most, Math.max(0, y));
  draw(figure);
}

function zoomAt(figure, factor, x, y) {
  const view = viewOf(figure);
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  const keep = (start, at) => start + at / view.scale - at / scale;
  setView(figure, scale, keep(view.x, x), keep(view.y, y));
}

function draw(figure) {
  const { scale, x, y } = viewOf(figure);
  figure.querySelector(".zoom").textContent = scale > 1 ? `${scale.toFixed(1)} ×` : "";
  for (const panel of panelsOf(figure)) {
    const { width, height } = panel.getBoundingClientRect();
    panel.querySelector("img").style.transform =
      `translate(${-x * scale * width}px, ${-y * scale * height}px) scale(${scale})`;
    panel.style.touchAction = scale > 1 ? "none" : "pan-y"; // a finger scrolls past a whole picture
    panel.classList.toggle("near", (scale * width) / figure.header.width_px > 2);
    const place = ([px, py]) => [(px - x) * scale * width, (py - y) * scale * height];
    panel.querySelector("svg").innerHTML = marks(figure, place);
  }
}

function marks(figure, place) {
  const twice = (shape) =>
    ["under", "over"].map((name) => shape.replace("/>", ` class="${name}"/>`)).join("");
  const circle = (point, radius) => {
    const [x, y] = place(point);
    return twice(`<circle cx="${x}" cy="${y}" r="${radius}"/>`);
  };
  const ends = figure.pending ? [figure.pending] : (figure.header.line ?? []);
  let drawn = ends.map((end) => circle(end, 5)).join("");
  if (ends.length === 2) {
    const [[x1, y1], [x2, y2]] = ends.map(place);
    drawn += twice(`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`);
  }
  return drawn + (figure.header.spots ?? []).map((spot) => circle(spot, 9)).join("");
}

function clicked(figure, x, y) {
  const view = viewOf(figure);
  const point = [view.x + x / view.scale, view.y + y / view.scale];
  if (figure.header.mode === "spots") {
    figure.send("spot", point);
  } else if (figure.header.mode === "line") {
    if (figure.pending) {
      figure.header.line = [figure.pending, point];
      figure.pending = undefined;
      figure.send("line", figure.header.line);
    } else {
      figure.pending = point;
    }
    draw(figure);
  }
}

function shareOf(panel, event) {
  const box = panel.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

// Spacing and direction of the planes' normal at a place of a spectrum; 0° points right, 90° up.
function spacingAt({ zero, edge, unit }, right, down) {
  const [along, across] = [right - zero[0], down - zero[1]];
  const frequency = Math.hypot(along, across); // cycles per px
  if (frequency < 1e-4) return "";
  const d = edge / frequency;
  const angle = ((Math.atan2(-across, along) * 180) / Math.PI + 360) % 180;
  return `d = ${Number(d.toPrecision(4))} ${unit}, ${angle.toFixed(1)}°`;
}

function readOut(figure, panel, event) {
  const { lattice } = figure.header;
  const view = viewOf(figure);
  const [x, y] = shareOf(panel, event);
  const [right, down] = [view.x + x / view.scale, view.y + y / view.scale];
  panel.querySelector(".readout").textContent = lattice ? spacingAt(lattice, right, down) : "";
}

function listenTo(figure, panel) {
  const pointers = new Map();
  let moved = 0;
  panel.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    panel.setPointerCapture(event.pointerId);
    panel.focus({ preventScroll: true });
    if (!pointers.size) moved = 0;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    event.preventDefault();
  });
  panel.addEventListener("pointerleave", () => {
    panel.querySelector(".readout").textContent = "";
  });
  panel.addEventListener("pointermove", (event) => {
    readOut(figure, panel, event);
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const { width, height } = panel.getBoundingClientRect();
    const view = viewOf(figure);
    const others = [...pointers].filter(([id]) => id !== event.pointerId);
    if (others.length) {
      const [ox, oy] = others[0][1];
      const far = (x, y) => Math.hypot(x - ox, y - oy) || 1;
      const [x, y] = shareOf(panel, { clientX: ox, clientY: oy });
      zoomAt(figure, far(event.clientX, event.clientY) / far(...last), x, y);
      moved = MOVED_PX;
    } else {
      const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
      moved += Math.hypot(dx, dy);
      setView(figure, view.scale, view.x - dx / width / view.scale, view.y - dy / height / view.scale);
    }
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  const release = (event) => {
    const known = pointers.delete(event.pointerId);
    if (known && event.type === "pointerup" && moved < MOVED_PX && !pointers.size) {
      clicked(figure, ...shareOf(panel, event));
    }
  };
  panel.addEventListener("pointerup", release);
  panel.addEventListener("pointercancel", release);
  // A page must scroll past a picture: the wheel zooms only in one that was clicked before.
  panel.addEventListener(
    "wheel",
    (event) => {
      if (!panel.matches(":focus") && !event.ctrlKey) return;
      zoomAt(figure, Math.exp(-event.deltaY / 400), ...shareOf(panel, event));
      event.preventDefault();
    },
    { passive: false },
  );
  panel.addEventListener("keydown", (event) => {
    const view = viewOf(figure);
    const step = 0.1 / view.scale;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (moves[event.key]) {
      const [right, down] = moves[event.key];
      setView(figure, view.scale, view.x + right * step, view.y + down * step);
    } else if (event.key === "+" || event.key === "=") {
      zoomAt(figure, 1.5, 0.5, 0.5);
    } else if (event.key === "-") {
      zoomAt(figure, 1 / 1.5, 0.5, 0.5);
    } else if (event.key === "0" || event.key === "Home") {
      setView(figure, 1, 0, 0);
    } else {
      return;
    }
    event.preventDefault();
  });
}

function addPanels(figure, count) {
  const box = figure.querySelector(".panels");
  if (panelsOf(figure).length === count) return;
  box.replaceChildren();
  for (let number = 0; number < count; number += 1) {
    const panel = document.createElement("div");
    panel.className = "panel";
    panel.tabIndex = 0;
    panel.setAttribute("role", "group");
    panel.innerHTML = '<img alt="" draggable="false"><svg aria-hidden="true"></svg><span class="tag"></span><span class="readout"></span>';
    box.append(panel);
    listenTo(figure, panel);
    figure.resized.observe(panel);
  }
}

function fill(figure, { header, pictures }) {
  const stale = figure.pictureUrls ?? [];
  figure.header = header;
  figure.key = header.key;
  figure.pending = undefined;
  figure.dataset.mode = header.mode;
  addPanels(figure, pictures.length);
  figure.pictureUrls = pictures.map((png) =>
    URL.createObjectURL(new Blob([png], { type: "image/png" })),
  );
  panelsOf(figure).forEach((panel, number) => {
    const picture = panel.querySelector("img");
    picture.src = figure.pictureUrls[number];
    picture.alt = `${header.labels[number]}: ${header.alt}`;
    panel.setAttribute("aria-label", `${header.labels[number]}: zoom with + and −, move with arrows`);
    panel.querySelector(".tag").textContent = header.labels[number];
    panel.style.aspectRatio = `${header.width_px} / ${header.height_px}`;
  });
  figure.querySelector(".hint").textContent = header.hint;
  figure.querySelector(".caption").textContent = header.caption;
  stale.forEach((url) => URL.revokeObjectURL(url));
}

function listen(figure) {
  figure.resized = new ResizeObserver(() => figure.header && draw(figure));
  figure.querySelector(".in").onclick = () => zoomAt(figure, 1.5, 0.5, 0.5);
  figure.querySelector(".out").onclick = () => zoomAt(figure, 1 / 1.5, 0.5, 0.5);
  figure.querySelector(".whole").onclick = () => setView(figure, 1, 0, 0);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const figure = parentElement.querySelector(".viewer");
  figure.send = (name, value) => setTriggerValue(name, value);
  if (!figure.resized) listen(figure);
  if (figure.shown !== data) {
    figure.shown = data;
    fill(figure, unpack(data));
  }
  draw(figure);
  return () => {
    (figure.pictureUrls ?? []).forEach((url) => URL.revokeObjectURL(url));
    figure.pictureUrls = [];
    figure.shown = undefined;
  };
}
