// Micrographs as small pictures in a plane: click one, or draw a loop around several. A finger draws
// only after “Draw a loop”, so that the page can be scrolled; with the keyboard the arrow keys go
// from picture to picture, and Space adds or takes away.

const FRAME_PX = 4;
const LEAST_PX = 30;
const LARGEST_PX = 84;
const FILLED = 0.3; // share of the plane that the pictures take
const ROUNDS = 60;
const DRAG_PX = 6;

function serverRoot() {
  const told = window.__streamlit?.BACKEND_BASE_URL;
  if (told) return told.endsWith("/") ? told : `${told}/`;
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? new URL("../../", script.src).href : new URL("/", location.href).href;
}

function pictureSize(stage, count) {
  const side = Math.sqrt((FILLED * stage.clientWidth * stage.clientHeight) / Math.max(1, count));
  return Math.round(Math.max(LEAST_PX, Math.min(LARGEST_PX, side)));
}

// Push pictures apart that cover each other, none further than its own width.
function spread(homes, size, width, height) {
  const half = size / 2 + FRAME_PX;
  const at = homes.map(({ x, y }) => ({ x, y }));
  const between = (value, low, high) => Math.max(low, Math.min(high, value));
  for (let round = 0; round < ROUNDS; round += 1) {
    let moved = false;
    for (let i = 0; i < at.length; i += 1) {
      for (let j = i + 1; j < at.length; j += 1) {
        const dx = at[j].x - at[i].x || (j % 2 ? 0.5 : -0.5);
        const dy = at[j].y - at[i].y || 0.5;
        const overX = size + FRAME_PX - Math.abs(dx);
        const overY = size + FRAME_PX - Math.abs(dy);
        if (overX <= 0 || overY <= 0) continue;
        const axis = overX < overY ? "x" : "y";
        const push = (Math.min(overX, overY) / 2) * Math.sign(axis === "x" ? dx : dy);
        at[i][axis] -= push;
        at[j][axis] += push;
        moved = true;
      }
    }
    at.forEach((place, i) => {
      place.x = between(place.x, homes[i].x - size, homes[i].x + size);
      place.y = between(place.y, homes[i].y - size, homes[i].y + size);
      place.x = between(place.x, half, Math.max(half, width - half));
      place.y = between(place.y, half, Math.max(half, height - half));
    });
    if (!moved) break;
  }
  return at;
}

function isInside(point, loop) {
  let inside = false;
  for (let i = 0, j = loop.length - 1; i < loop.length; j = i, i += 1) {
    const crosses = loop[i].y > point.y !== loop[j].y > point.y;
    const slope = (loop[j].x - loop[i].x) / (loop[j].y - loop[i].y);
    if (crosses && point.x < loop[i].x + slope * (point.y - loop[i].y)) inside = !inside;
  }
  return inside;
}

function makePicture(point) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "picture";
  button.dataset.of = point.of;
  const image = document.createElement("img");
  image.alt = "";
  image.src = new URL(point.url.replace(/^\//, ""), serverRoot()).href;
  button.append(image);
  return button;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const stage = parentElement.querySelector(".stage");
  const legend = parentElement.querySelector(".legend");
  const said = parentElement.querySelector(".said");
  const svg = stage.querySelector("svg");
  const picked = new Set(data.picked);
  const choose = (these) => setTriggerValue("picked", [...new Set(these)]);
  const names = new Map(data.points.map((point) => [point.of, point.name]));

  const old = new Map([...stage.querySelectorAll(".picture")].map((each) => [each.dataset.of, each]));
  const focused = parentElement.getRootNode().activeElement?.dataset?.of;
  const pictures = data.points.map((point, place) => {
    const button = old.get(point.of) ?? makePicture(point);
    old.delete(point.of);
    button.style.setProperty("--kind", data.kinds[point.kind].color);
    button.setAttribute("aria-label", `${point.name}, ${data.kinds[point.kind].name}`);
    button.setAttribute("aria-pressed", String(picked.has(point.of)));
    button.tabIndex = place === 0 ? 0 : -1;
    return button;
  });
  old.forEach((button) => button.remove());
  stage.append(...pictures.filter((button) => button.parentElement !== stage));
  stage.classList.toggle("some", picked.size > 0);
  parentElement.querySelector(".axes").textContent = `→ ${data.across} · ↑ ${data.up}`;
  if (focused) pictures.find((each) => each.dataset.of === focused)?.focus({ preventScroll: true });

  const rest = () => {
    said.textContent = picked.size
      ? `${picked.size} of ${data.points.length} chosen. Escape, or a click beside them, lets go.`
      : "Draw a loop around pictures, or click one; Shift adds. A colour above takes all of it.";
  };
  rest();

  const lay = () => {
    if (!stage.clientWidth) return;
    const size = pictureSize(stage, pictures.length);
    const half = size / 2 + FRAME_PX;
    const width = stage.clientWidth - 2 * half;
    const height = stage.clientHeight - 2 * half;
    const homes = data.points.map(({ x, y }) => ({ x: half + x * width, y: half + (1 - y) * height }));
    const places = spread(homes, size, stage.clientWidth, stage.clientHeight);
    pictures.forEach((button, i) => {
      Object.assign(button.style, {
        width: `${size}px`,
        height: `${size}px`,
        left: `${places[i].x}px`,
        top: `${places[i].y}px`,
      });
      button.place = places[i];
    });
  };
  lay();
  const watcher = new ResizeObserver(lay);
  watcher.observe(stage);

  const loopButton = document.createElement("button");
  loopButton.type = "button";
  loopButton.className = "loop";
  loopButton.textContent = "Draw a loop";
  const arm = (on) => {
    stage.classList.toggle("armed", on);
    loopButton.setAttribute("aria-pressed", String(on));
  };
  arm(false);
  loopButton.onclick = () => arm(!stage.classList.contains("armed"));
  const chips = data.kinds.map((kind, number) => {
    const chip = document.createElement("button");
    const own = data.points.filter((point) => point.kind === number).map((point) => point.of);
    chip.type = "button";
    const count = document.createElement("span");
    count.textContent = `· ${own.length}`;
    chip.append(document.createElement("i"), kind.name, count);
    chip.style.setProperty("--kind", kind.color);
    chip.setAttribute("aria-label", `Choose all ${own.length} of ${kind.name}`);
    chip.onclick = (event) => choose(event.shiftKey ? [...picked, ...own] : own);
    return chip;
  });
  legend.replaceChildren(...chips, loopButton);

  let loop = null;
  let drew = false;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const draw = () => {
    const path = loop?.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L");
    svg.innerHTML = path ? `<path d="M${path}Z"></path>` : "";
    stage.classList.toggle("drawing", Boolean(loop && drew));
  };
  stage.onpointerdown = (event) => {
    drew = false;
    const mayDraw = event.pointerType !== "touch" || stage.classList.contains("armed");
    loop = event.button === 0 && mayDraw ? [place(event)] : null;
  };
  stage.onpointermove = (event) => {
    if (!loop) return;
    const here = place(event);
    const last = loop[loop.length - 1];
    if (Math.hypot(here.x - last.x, here.y - last.y) < DRAG_PX) return;
    if (!drew) stage.setPointerCapture(event.pointerId);
    drew = true;
    loop.push(here);
    draw();
  };
  stage.onpointerup = (event) => {
    const ended = loop;
    loop = null;
    draw();
    if (!ended || !drew) return;
    arm(false);
    const inside = pictures.filter((each) => isInside(each.place, ended)).map((p) => p.dataset.of);
    choose(event.shiftKey || event.ctrlKey || event.metaKey ? [...picked, ...inside] : inside);
  };
  stage.onpointercancel = () => {
    loop = null;
    draw();
  };
  stage.onclick = (event) => {
    if (drew) {
      drew = false;
      return;
    }
    const of = event.target.closest(".picture")?.dataset.of;
    const adds = event.shiftKey || event.ctrlKey || event.metaKey || event.detail === 0;
    if (!of) {
      if (picked.size) choose([]);
    } else if (adds || event.pointerType === "touch") {
      choose(picked.has(of) ? [...picked].filter((each) => each !== of) : [...picked, of]);
    } else {
      choose(picked.size === 1 && picked.has(of) ? [] : [of]);
    }
  };
  stage.onkeydown = (event) => {
    if (event.key === "Escape" && picked.size) choose([]);
    const at = pictures.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (at < 0 || !step) return;
    const next = pictures[(at + step + pictures.length) % pictures.length];
    pictures.forEach((each) => (each.tabIndex = each === next ? 0 : -1));
    next.focus();
    event.preventDefault();
  };
  const tell = (event) => {
    const of = event.target.closest?.(".picture")?.dataset.of;
    if (of) said.textContent = names.get(of);
    else rest();
  };
  stage.onpointerover = tell;
  stage.onfocusin = tell;
  stage.onpointerleave = rest;
  return () => watcher.disconnect();
}
