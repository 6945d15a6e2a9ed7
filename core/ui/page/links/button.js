// Copies this page's address with the query that the server wrote. Browsers give the clipboard to
// https and localhost only; elsewhere the link is shown, marked, to be copied by hand.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".link");
  const button = root.querySelector("button");
  const said = root.querySelector("output");
  const field = root.querySelector("input");
  const link = `${window.location.origin}${window.location.pathname}?${data}`;
  if (field.value !== link) {
    field.value = link;
    field.hidden = true;
    said.textContent = "";
  }
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = "Copied";
    } catch {
      field.hidden = false;
      field.select();
      said.textContent = "Copy it from here:";
    }
  };
}
