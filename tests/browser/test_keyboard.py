"""By keyboard alone: every stop of the Tab key shows where it is and says what it is."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser
MOST_STOPS = 60
# What has the focus, and how it and the frames around it look. A text field's frame, a slider's
# thumb and an uploader's button are drawn by an element around or beside the one with the focus.
LOOK = """() => {
  let e = document.activeElement;
  while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
  if (!e || e === document.body) return null;
  const labelled = (e.getAttribute('aria-labelledby') || '').split(' ')
    .map(id => document.getElementById(id)?.innerText || '').join(' ');
  const name = e.getAttribute('aria-label') || labelled.trim() || e.innerText || e.title ||
    [...(e.labels || [])].map(l => l.innerText).join(' ') || e.getAttribute('placeholder') || '';
  return {name: name.trim(), is_main: e.tagName === 'MAIN', what: e.outerHTML.slice(0, 160)};
}"""
LOOKS = """() => {
  let e = document.activeElement;
  while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
  const seen = window.lastFocus || e;
  window.lastFocus = e;
  const read = x => {
    let said = '';
    for (let i = 0, y = x; y && i < 4; y = y.parentElement || y.getRootNode().host, i++) {
      const s = getComputedStyle(y);
      said += [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor, s.backgroundColor,
               s.color, s.textDecorationLine].join('|') + ';';
    }
    for (const y of x.children) {
      const s = getComputedStyle(y);
      said += s.boxShadow + s.outlineStyle + s.backgroundColor;
    }
    return said;
  };
  return [read(seen), read(e)];
}"""


def walk(tab: AppPage) -> list[dict[str, Any]]:
    """Press Tab until the page ends; return each stop, with its look with and without focus."""
    stops: list[dict[str, Any]] = []
    for _ in range(MOST_STOPS):
        tab.page.keyboard.press("Tab")
        tab.page.wait_for_timeout(220)  # frames fade in
        stop = tab.page.evaluate(LOOK)
        if stop is None:
            break
        before, now = tab.page.evaluate(LOOKS)
        if stops:
            stops[-1]["resting"] = before
        stops.append({**stop, "focused": now})
    return stops


def assert_usable(stops: list[dict[str, Any]]) -> None:
    nameless = [stop["what"] for stop in stops if not (stop["name"] or stop["is_main"])]
    assert not nameless, "\n".join(nameless)
    unseen = [s["what"] for s in stops if "resting" in s and s["resting"] == s["focused"]]
    assert not unseen, "\n".join(unseen)


def test_every_stop_on_home_is_seen_and_named(tab: AppPage):
    stops = walk(tab)
    names = [stop["name"] for stop in stops]
    assert_usable(stops)
    assert names.index("Home") < names.index("Classify") < names.index("Batch Report")
    assert [name for name in names if "Try it" in name]


def test_every_stop_on_a_result_is_seen_and_named(tab: AppPage):
    tab.page.get_by_role("button", name="Simulated dendrites").click()
    tab.settle()
    tab.go_to("Explain")
    stops = walk(tab)
    assert_usable(stops)
    names = [stop["name"] for stop in stops]
    assert [name for name in names if name.startswith("Compare ")]
    handle = tab.divide()
    handle.focus()
    tab.page.keyboard.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuenow", "13")
    tab.assert_calm()
