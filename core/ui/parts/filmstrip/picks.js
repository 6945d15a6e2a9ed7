// Pictures with a word below each, in a row: a click chooses one.

function fillPicks(box, data) {
  const had = box.getRootNode().activeElement?.dataset?.of;
  box.replaceChildren(
    ...data.pictures.map((each) => {
      const button = makeButton(each, box.choose);
      if (!each.url) {
        const blank = document.createElement("span");
        blank.className = "blank";
        blank.textContent = each.instead;
        button.append(blank);
      }
      const word = document.createElement("span");
      word.className = "word";
      word.textContent = each.name;
      button.append(word);
      button.setAttribute("aria-pressed", String(each.of === data.current));
      return button;
    }),
  );
  for (const button of box.children) {
    if (button.dataset.of === had) button.focus({ preventScroll: true });
    if (button.dataset.of !== data.current) continue;
    box.scrollLeft = button.offsetLeft - (box.clientWidth - button.clientWidth) / 2;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".strip");
  box.setAttribute("aria-label", data.label);
  box.choose = (of) => setTriggerValue("chosen", of);
  fillPicks(box, data);
}
