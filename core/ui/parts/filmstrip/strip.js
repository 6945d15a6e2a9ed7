// Small pictures in a row. The one at hand stays in sight; arrow keys go from one to the next.

function fill(strip, data) {
  const old = new Map([...strip.children].map((button) => [button.dataset.of, button]));
  const hadFocus = strip.getRootNode().activeElement !== null;
  strip.replaceChildren(...data.pictures.map((each) => old.get(each.of) ?? makeButton(each, strip.choose)));
  for (const button of strip.children) {
    const isCurrent = button.dataset.of === data.current;
    button.setAttribute("aria-current", String(isCurrent));
    if (!isCurrent) continue;
    strip.scrollLeft = button.offsetLeft - (strip.clientWidth - button.clientWidth) / 2;
    if (hadFocus) button.focus({ preventScroll: true });
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".strip");
  strip.choose = (of) => setTriggerValue("chosen", of);
  strip.turn = (way) => strip.choose(way < 0 ? data.before : data.after);
  fill(strip, data);
  strip.onkeydown = (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    strip.turn(event.key === "ArrowLeft" ? -1 : 1);
    event.preventDefault();
  };
  strip.listener ??= (event) => strip.turn(event.detail);
  document.addEventListener("micrographia-turn", strip.listener);
  return () => document.removeEventListener("micrographia-turn", strip.listener);
}
