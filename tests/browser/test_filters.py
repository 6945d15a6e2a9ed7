"""The filter bench in a real browser: what only a browser can do."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser


def test_a_chain_is_searched_zoomed_measured_notched_and_undone(
    tab: AppPage, real_micrograph: Path
):
    tab.upload(real_micrograph)
    tab.go_to("Filters")
    search = tab.page.locator(".st-key-filters_next input")
    search.click()
    search.fill("watersh")
    search.press("Enter")
    tab.settle()
    expect(tab.page.get_by_text("2. Split touching (watershed)").first).to_be_visible()

    tab.page.get_by_text("Linked zoom").click()
    tab.settle()
    tab.page.locator(".viewer[data-ready]").wait_for()
    viewer = tab.page.locator(".viewer")
    assert viewer.evaluate("f => f.viewer.panes.map(pane => pane.side)") == [0, 1]
    scale = viewer.evaluate("f => f.viewer.view.scale")
    tab.page.get_by_role("button", name="Zoom in").click()
    assert viewer.evaluate("f => f.viewer.view.scale") == pytest.approx(1.5 * scale)  # of both

    tab.page.get_by_text("Line profile").click()
    tab.settle()
    tab.page.get_by_role("button", name="Whole").click()
    click(tab, 0.25, 0.5)
    click(tab, 0.75, 0.25)
    tab.settle()
    rows = [tab.page.get_by_label(name).input_value() for name in ("From row (px)", "To row (px)")]
    assert int(rows[1]) == pytest.approx(int(rows[0]) / 2, abs=4)

    tab.page.get_by_text("Spectrum", exact=True).click()
    tab.settle()
    click(tab, 0.7, 0.6)
    expect(tab.page.get_by_text("3. Notch").first).to_be_visible()
    expect(tab.page.get_by_text("1 spot, set by clicks")).to_be_visible()
    tab.settle()
    recipe = json.loads(Path(tab.download("Recipe (JSON)").path()).read_text(encoding="utf-8"))
    notch = recipe["filters"][-1]
    assert notch["filter"] == "notch"
    down, right = notch["parameters"]["spots"][0]
    assert (abs(down - 0.1) < 0.02, abs(right - 0.2) < 0.02) == (True, True)

    tab.page.locator(".st-key-filters_undo button").first.click()
    expect(tab.page.get_by_text("3. Notch")).to_have_count(0)
    tab.settle()
    tab.assert_calm()


def click(tab: AppPage, right: float, down: float) -> None:
    """Click at a share of the first picture's width and height."""
    box = tab.page.locator(".panel").first.bounding_box()
    assert box is not None
    tab.page.mouse.click(box["x"] + right * box["width"], box["y"] + down * box["height"])
