// Saves a chart that Streamlit shows: laid out anew in the width of a paper, with its letters and
// lines in points.

const PX_PER_INCH = 96;
const PX_PER_PT = 96 / 72;
const BASE_FONT_PX = 13; // of the charts on the screen
const BASE_LINE_PT = 1.5; // of a line that is 2 px wide on the screen
const LEAST_ASPECT = 0.55; // height / width: less leaves no room between the letters
const ENDINGS = { png: "image/png", svg: "image/svg+xml", pdf: "application/pdf" };

let plotly = null; // one for all charts of a page
let turns = 0;

function rootOfServer() {
  const told = window.__streamlit?.BACKEND_BASE_URL;
  if (told) return told.endsWith("/") ? told : `${told}/`;
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? new URL("../../", script.src).href : new URL("/", location.href).href;
}

const addressOf = (path) => new URL(path.replace(/^\//, ""), rootOfServer()).href;

// The script is written for several kinds of loaders; as a module it leaves nothing on the page.
async function load(url) {
  const answer = await fetch(addressOf(url));
  if (!answer.ok) throw new Error("The drawing library did not come: try again.");
  const module = { exports: {} };
  new Function("module", "exports", await answer.text())(module, module.exports);
  return module.exports;
}

// Changes fonts, lines and inks everywhere in a figure's description.
function fit(value, letters, lines, ink, key = "") {
  if (typeof value === "string") return ink[value.toLowerCase()] ?? value;
  if (Array.isArray(value)) return value.map((each) => fit(each, letters, lines, ink, key));
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  const fitted = {};
  for (const [name, each] of Object.entries(value)) {
    if (name === "size" && /font$/i.test(key) && typeof each === "number") fitted[name] = each * letters;
    else if (name === "width" && /line$/i.test(key) && typeof each === "number") fitted[name] = each * lines;
    else fitted[name] = fit(each, letters, lines, ink, name);
  }
  return fitted;
}

// What is to be drawn: the chart on the screen in the look of paper.
function forPaper(shown, data) {
  const { style } = data;
  const looks = JSON.parse(data.looks);
  const look = looks[style.theme === "Dark" ? "Dark" : "White"];
  const [paper] = data.themes[style.theme];
  const inks = Object.fromEntries(Object.values(looks).map(({ ink }) => [ink.toLowerCase(), look.ink]));
  const letters = (style.text_pt * PX_PER_PT) / BASE_FONT_PX;
  const lines = style.line_pt / BASE_LINE_PT;
  const layout = { ...structuredClone(shown.layout), template: look.template };
  const figure = fit({ data: structuredClone(shown.data), layout }, letters, lines, inks);
  const { template } = figure.layout;
  const margin = { ...template.layout.margin, ...figure.layout.margin };
  for (const side of ["l", "r", "t", "b"]) margin[side] *= letters * 1.15;
  const font = { ...template.layout.font, ...figure.layout.font, family: data.fonts[style.font] };
  const box = shown.getBoundingClientRect();
  const width = widthPx(style);
  const height = Math.round(width * Math.max(LEAST_ASPECT, box.height / box.width));
  const ground = paper ?? "rgba(0,0,0,0)";
  Object.assign(figure.layout, { font, margin, width, height, autosize: false, paper_bgcolor: ground, plot_bgcolor: "rgba(0,0,0,0)" });
  return figure;
}

// CSS px such that times the resolution it is the whole number of pixels of that width on paper.
function widthPx({ width_mm, dpi }) {
  return Math.round((width_mm * dpi) / 25.4) / (dpi / PX_PER_INCH);
}

async function svgOf(figure, style) {
  const { width, height } = figure.layout;
  const url = await plotly.toImage({ ...figure, config: {} }, { format: "svg", width, height });
  const text = decodeURIComponent(url.slice(url.indexOf(",") + 1));
  const page = new DOMParser().parseFromString(text, "image/svg+xml");
  const root = page.documentElement;
  const onPaper = (px) => `${Number(((px * 25.4) / PX_PER_INCH).toFixed(3))}mm`;
  root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return {
    screen: new XMLSerializer().serializeToString(root),
    paper: (() => {
      root.setAttribute("width", onPaper(width));
      root.setAttribute("height", onPaper(height));
      return new XMLSerializer().serializeToString(root);
    })(),
    style,
  };
}

async function pngOf(figure, { dpi }) {
  const { width, height } = figure.layout;
  const scale = dpi / PX_PER_INCH;
  // A hair more: what falls short of a whole pixel by rounding would be cut off.
  const size = { width: width + 1e-6, height: height + 1e-6, scale };
  const url = await plotly.toImage({ ...figure, config: {} }, { format: "png", ...size });
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  return new Blob([withResolution(bytes, dpi)], { type: "image/png" });
}

// Puts pixels a metre behind the head of a PNG (chunk pHYs).
function withResolution(bytes, dpi) {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set([112, 72, 89, 115], 4);
  view.setUint32(8, Math.round(dpi / 0.0254));
  view.setUint32(12, Math.round(dpi / 0.0254));
  chunk[16] = 1;
  view.setUint32(17, checksum(chunk.subarray(4, 17)));
  const whole = new Uint8Array(bytes.length + 21);
  whole.set(bytes.subarray(0, 33));
  whole.set(chunk, 33);
  whole.set(bytes.subarray(33), 54);
  return whole;
}

// CRC-32 of ISO 3309, as PNG asks for.
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function hand(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

class Saver {
  constructor(root) {
    this.root = root;
    [this.opener, this.menu] = [root.querySelector(".open"), root.querySelector(".menu")];
    this.said = root.querySelector("[role=status]");
    this.opener.onclick = () => this.toggle();
    for (const each of root.querySelectorAll("[data-as]")) {
      each.onclick = () => this.save(each.dataset.as).catch((problem) => this.say(problem.message));
    }
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.menu.hidden) return;
      this.toggle();
      this.opener.focus();
    });
  }

  update(data, tell) {
    [this.data, this.tell] = [data, tell];
    if (data.plotly && this.wanted) this.wanted(data.plotly);
    if (data.pdf.turn && data.pdf.turn === this.turn) {
      this.turn = 0;
      this.takePdf(data.pdf).catch(() => this.say("The PDF did not come: try again."));
    }
    this.drawLooks();
  }

  say(words) {
    this.said.textContent = words;
  }

  toggle() {
    this.menu.hidden = !this.menu.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.menu.hidden));
    this.say("");
    if (!this.menu.hidden && !this.data.plotly) this.tell.setTriggerValue("opened", true);
  }

  drawLooks() {
    const { data } = this;
    const choices = [
      ["width_mm", "Width", data.widths.map((mm) => [mm, `${mm} mm`])],
      ["dpi", "Resolution", data.dpis.map((dpi) => [dpi, `${dpi} dpi`])],
      ["font", "Font", Object.keys(data.fonts).map((name) => [name, name])],
      ["text_pt", "Letters", [...new Set([6, 7, 8, 9, 10, 12, data.style.text_pt])].sort((a, b) => a - b).map((pt) => [pt, `${pt} pt`])],
      ["theme", "Paper", Object.keys(data.themes).map((name) => [name, name])],
    ];
    const key = JSON.stringify([choices, data.style]);
    if (this.drawn === key) return;
    this.drawn = key;
    const looks = this.root.querySelector(".looks");
    looks.replaceChildren(...choices.map(([name, label, options]) => this.choice(name, label, options)));
  }

  choice(name, label, options) {
    const select = document.createElement("select");
    select.setAttribute("aria-label", label);
    for (const [value, text] of options) {
      const option = new Option(text, value, false, value === this.data.style[name]);
      select.append(option);
    }
    select.onchange = () => {
      const value = typeof this.data.style[name] === "number" ? Number(select.value) : select.value;
      this.data.style = { ...this.data.style, [name]: value };
      this.tell.setStateValue("style", this.data.style);
    };
    return select;
  }

  // The chart of the same container.
  shown() {
    const around = this.root.getRootNode().host ?? this.root;
    const chart = around.closest(`.st-key-${this.data.chart}_chart`)?.querySelector(".js-plotly-plot");
    if (!chart) throw new Error("The chart is not on the screen yet: try again.");
    return chart;
  }

  async library() {
    if (plotly) return;
    this.say("Preparing …");
    const url = this.data.plotly || (await new Promise((done) => (this.wanted = done)));
    plotly ??= await load(url);
    this.say("");
  }

  name(ending) {
    return `${this.data.chart.replace(/\W+/g, "_")}.${ending}`;
  }

  async save(as) {
    const shown = this.shown();
    if (as === "copy") return this.copy(shown);
    await this.library();
    const { style } = this.data;
    const figure = forPaper(shown, this.data);
    if (as === "png") {
      hand(await pngOf(figure, style), this.name("png"));
    } else {
      const svg = await svgOf(figure, style);
      if (as === "svg") {
        hand(new Blob([svg.paper], { type: ENDINGS.svg }), this.name("svg"));
      } else {
        turns += 1;
        this.turn = turns;
        this.say("Preparing …");
        this.tell.setTriggerValue("svg", { svg: svg.screen, turn: turns });
        return undefined;
      }
    }
    this.say("Saved");
    return undefined;
  }

  async takePdf({ url, problem }) {
    if (problem) return this.say(problem);
    const answer = await fetch(addressOf(url));
    hand(new Blob([await answer.arrayBuffer()], { type: ENDINGS.pdf }), this.name("pdf"));
    return this.say("Saved");
  }

  // The picture is promised at once: browsers take it only right after a click.
  async copy(shown) {
    const { data } = this;
    const png = this.library().then(() => pngOf(forPaper(shown, data), data.style));
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
      this.say("Copied");
    } catch {
      await png;
      this.say("This browser lets no page copy pictures here: save the PNG.");
    }
  }
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".saver");
  root.saver ??= new Saver(root);
  root.saver.update(data, { setStateValue, setTriggerValue });
}
