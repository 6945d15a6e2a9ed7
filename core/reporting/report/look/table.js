"use strict";
// A click on a heading sorts; the fields above the table leave only the rows that fit.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column].dataset.sort;
      const numeric = head.classList.contains("number");
      const compare = (a, b) => numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        return up ? compare(x, y) : compare(y, x);
      });
      body.append(...rows);
    });
  });
  const form = table.closest("section").querySelector("form.filters");
  if (!form) continue;
  const count = form.querySelector("output");
  const apply = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const name = form.elements.class.value;
    const flag = form.elements.flag.value;
    let shown = 0;
    for (const row of body.rows) {
      const flags = row.dataset.flags.split("|");
      const fits = row.dataset.text.includes(text) &&
        (name === "" || row.dataset.class === name) &&
        (flag === "" || (flag === "any" ? row.dataset.flags !== "" : flags.includes(flag)));
      row.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown} of ${body.rows.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}

// A small picture opens the three large ones of its micrograph.
const shown = document.createElement("dialog");
shown.addEventListener("click", () => shown.close());
document.body.append(shown);
for (const opener of document.querySelectorAll("button.open")) {
  const card = document.querySelector(`section[data-number="${opener.dataset.of}"]`);
  if (!card) continue;
  opener.addEventListener("click", () => {
    shown.replaceChildren(card.cloneNode(true));
    shown.showModal();
  });
}
// What a paper needs, copied as plain text.
for (const button of document.querySelectorAll("button.copy")) {
  const label = button.textContent;
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {  // no clipboard for a file on the disk
      getSelection().selectAllChildren(source);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  });
}
