// Puts a PNG on the clipboard. Browsers allow that on https and on this computer only.

function rootOfServer() {
  const told = window.__streamlit?.BACKEND_BASE_URL;
  if (told) return told.endsWith("/") ? told : `${told}/`;
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? new URL("../../", script.src).href : new URL("/", location.href).href;
}

async function copy(url, said) {
  try {
    const picture = fetch(new URL(url.replace(/^\//, ""), rootOfServer())).then((answer) => answer.blob());
    const png = picture.then((blob) => new Blob([blob], { type: "image/png" }));
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    said.textContent = "Copied";
  } catch {
    said.textContent = "This browser lets no page copy pictures here: save the PNG.";
  }
}

export default function ({ data, parentElement }) {
  const [button, said] = [parentElement.querySelector("button"), parentElement.querySelector("span")];
  said.textContent = "";
  button.onclick = () => copy(data.url, said);
}
