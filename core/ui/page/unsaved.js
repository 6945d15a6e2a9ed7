// Asks before the tab is left while work by hand is unsaved. The page does not run again when a
// study is saved, so the button's click is noted here.

const SAVE = ".st-key-study_download";

export default function ({ data }) {
  const ask = (event) => {
    if (window.micrographiaSaved !== data) event.preventDefault();
  };
  const note = (event) => {
    if (event.target.closest?.(SAVE)) window.micrographiaSaved = data;
  };
  window.addEventListener("beforeunload", ask);
  document.addEventListener("click", note, true);
  return () => {
    window.removeEventListener("beforeunload", ask);
    document.removeEventListener("click", note, true);
  };
}
