// Buttons that are pictures, shared by the strips.

function serverRoot() {
  const told = window.__streamlit?.BACKEND_BASE_URL;
  if (told) return told.endsWith("/") ? told : `${told}/`;
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? new URL("../../", script.src).href : new URL("/", location.href).href;
}

function makeButton({ of, name, url }, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = name;
  button.setAttribute("aria-label", name);
  button.dataset.of = of;
  if (url) {
    const picture = document.createElement("img");
    picture.alt = "";
    picture.loading = "lazy";
    picture.src = new URL(url.replace(/^\//, ""), serverRoot()).href;
    button.append(picture);
  }
  button.addEventListener("click", () => choose(of));
  return button;
}
