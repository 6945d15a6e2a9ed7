// Streamlit notes every change of an address's query as a step of the history: the first press of
// Back then led from a page to itself. What changes the query alone takes the step's place.

export default function () {
  if (window.micrographiaHistory) return;
  window.micrographiaHistory = true;
  const push = window.history.pushState.bind(window.history);
  window.history.pushState = (state, title, url) => {
    const next = new URL(url ?? window.location.href, window.location.href);
    const isSamePage = next.pathname === window.location.pathname;
    (isSamePage ? window.history.replaceState.bind(window.history) : push)(state, title, url);
  };
}
