// Two pictures of one size, one above the other; a handle says how much of the upper one shows.
// The position stays in the browser: moving the handle runs nothing on the server.

const START = 50;
const positions = new Map(); // slider's key -> per cent; outlives reruns and changes of page
const STEPS = {
  ArrowLeft: -2,
  ArrowDown: -2,
  ArrowRight: 2,
  ArrowUp: 2,
  PageDown: -10,
  PageUp: 10,
  Home: -100,
  End: 100,
};

// Four bytes of header length (little-endian), the header as JSON, then the two PNG files.
function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 4 + view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  const middle = start + header.left_bytes;
  return { header, left: bytes.slice(start, middle), right: bytes.slice(middle) };
}

function pictureUrl(png) {
  return URL.createObjectURL(new Blob([png], { type: "image/png" }));
}

function place(figure, percent) {
  const value = Math.min(100, Math.max(0, percent));
  const handle = figure.querySelector(".handle");
  positions.set(figure.sliderKey, value);
  figure.style.setProperty("--position", `${value}%`);
  handle.setAttribute("aria-valuenow", String(Math.round(value)));
  handle.setAttribute("aria-valuetext", `${Math.round(value)} % ${figure.leftLabel}`);
}

function follow(figure, event) {
  const box = figure.querySelector(".frame").getBoundingClientRect();
  place(figure, ((event.clientX - box.left) / box.width) * 100);
}

function listen(figure) {
  const frame = figure.querySelector(".frame");
  const handle = figure.querySelector(".handle");
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    frame.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    follow(figure, event);
    event.preventDefault();
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(figure, event);
  });
  handle.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    place(figure, positions.get(figure.sliderKey) + step);
    event.preventDefault();
  });
}

function fill(figure, { header, left, right }) {
  const stale = figure.pictureUrls ?? [];
  figure.pictureUrls = [pictureUrl(left), pictureUrl(right)];
  figure.sliderKey = header.key;
  figure.leftLabel = header.labels[0];
  figure.querySelector(".left").src = figure.pictureUrls[0];
  figure.querySelector(".right").src = figure.pictureUrls[1];
  figure.querySelector(".left").alt = `${header.labels[0]}: ${header.alt}`;
  figure.querySelector(".right").alt = `${header.labels[1]}: ${header.alt}`;
  figure.querySelector(".left-tag").textContent = header.labels[0];
  figure.querySelector(".right-tag").textContent = header.labels[1];
  figure.querySelector(".caption").textContent = header.caption;
  figure
    .querySelector(".handle")
    .setAttribute("aria-label", `Compare ${header.labels[0]} and ${header.labels[1]}`);
  figure.style.setProperty("--ratio", String(header.width_px / header.height_px));
  figure.style.setProperty("--most-width", `${Math.max(2 * header.width_px, 320)}px`);
  stale.forEach((url) => URL.revokeObjectURL(url));
}

export default function ({ data, parentElement }) {
  const figure = parentElement.querySelector(".compare");
  if (!figure.listening) {
    listen(figure);
    figure.listening = true;
  }
  if (figure.shown !== data) {
    figure.shown = data;
    fill(figure, unpack(data));
  }
  place(figure, positions.get(figure.sliderKey) ?? START);
  return () => {
    (figure.pictureUrls ?? []).forEach((url) => URL.revokeObjectURL(url));
    figure.pictureUrls = [];
    figure.shown = undefined;
  };
}
