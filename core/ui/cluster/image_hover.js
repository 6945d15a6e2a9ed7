// Shows the picture that belongs to a point of a plotly chart while the pointer is on it. Plotly's
// own labels hold text only, so the chart is found by the class of its Streamlit key and asked for
// its events; the picture lies in the page, outside of this component.

const GAP_PX = 14;

function picture(card) {
  const box = document.createElement("div");
  box.setAttribute("role", "tooltip");
  Object.assign(box.style, {
    position: "fixed",
    zIndex: 1000000,
    pointerEvents: "none",
    padding: "4px",
    borderRadius: "6px",
    background: "#1f2733",
    boxShadow: "0 2px 10px rgba(0, 0, 0, 0.45)",
  });
  const image = document.createElement("img");
  image.alt = card.name;
  image.src = card.url;
  Object.assign(image.style, { display: "block", maxWidth: "160px", maxHeight: "160px" });
  box.append(image);
  return box;
}

function place(box, event) {
  const width = box.offsetWidth || 170;
  const height = box.offsetHeight || 170;
  const right = event.clientX + GAP_PX + width < window.innerWidth;
  box.style.left = `${right ? event.clientX + GAP_PX : event.clientX - GAP_PX - width}px`;
  const top = event.clientY - height - GAP_PX;
  box.style.top = `${top > 0 ? top : event.clientY + 2 * GAP_PX}px`;
}

export default function ({ data }) {
  const cards = JSON.parse(data);
  let box = null;
  let chart = null;
  const hide = () => {
    box?.remove();
    box = null;
  };
  const show = (found) => {
    hide();
    const point = found.points?.[0];
    const card = cards.pictures[point?.customdata?.[0]];
    if (!card) return;
    box = picture(card);
    document.body.append(box);
    place(box, found.event);
  };
  // The chart may be drawn after this, and anew on every rerun.
  const watch = () => {
    const found = document.querySelector(`.st-key-${cards.chart} .js-plotly-plot`);
    if (found === chart || !found?.on) return;
    chart = found;
    chart.on("plotly_hover", show);
    chart.on("plotly_unhover", hide);
  };
  watch();
  const timer = setInterval(watch, 400);
  return () => {
    clearInterval(timer);
    hide();
    chart?.removeListener?.("plotly_hover", show);
    chart?.removeListener?.("plotly_unhover", hide);
  };
}
