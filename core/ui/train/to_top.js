// A number that was not seen yet asks for the top of the page; a later run of the page repeats it.

export default function ({ data }) {
  const turn = data?.turn ?? 0;
  if (turn <= (window.micrographiaTop ?? 0)) return;
  window.micrographiaTop = turn;
  document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0 });
}
