"""Brush, pen and eraser in a real browser: small vectors come back and paint the right pixels."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app_page import AppPage
from tests.browser.conftest import ROOT, serve
from tests.browser.test_viewer import drag, inside, on_screen, ready, tool

pytestmark = pytest.mark.browser
WIDTH = 20


@pytest.fixture(scope="module")
def painting(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    script = Path(__file__).parent / "painting_page.py"
    with serve(script, tmp_path_factory.mktemp("painting"), PYTHONPATH=str(ROOT)) as address:
        yield address


@pytest.fixture
def page(browser: Browser, painting: str) -> Iterator[AppPage]:
    tab = AppPage(browser.new_page(viewport={"width": 1000, "height": 800}), painting)
    tab.open()
    ready(tab.page)
    inside(tab.page, f"(v.hand.size = {WIDTH})")
    yield tab
    tab.page.close()


def said(tab: AppPage, strokes: int) -> dict:
    """What the server made of the strokes, once it has so many."""
    tab.settle()
    code = tab.page.locator('[data-testid="stCode"]')
    for _ in range(40):
        found = json.loads(code.inner_text())
        if len(found["shapes"]) == strokes:
            return found
        tab.page.wait_for_timeout(250)
    raise AssertionError(code.inner_text())


def pen(page: Page, places: list[tuple[float, float]]) -> None:
    session = page.context.new_cdp_session(page)

    def send(kind: str, x: float, y: float, buttons: int) -> None:
        facts = {"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons}
        facts |= {"pointerType": "pen", "force": 0.5, "clickCount": 1}
        session.send("Input.dispatchMouseEvent", facts)

    send("mousePressed", *places[0], 1)
    for place in places[1:]:
        send("mouseMoved", *place, 1)
    send("mouseReleased", *places[-1], 0)


def test_a_straight_stroke_is_a_band_with_round_ends(page: AppPage):
    tool(page.page, "Brush")
    drag(page.page, on_screen(page.page, 100, 100), on_screen(page.page, 100, 300))
    found = said(page, 1)
    ((kind, phase, points),) = found["shapes"]
    assert (kind, phase) == ("brush", 1)
    assert points <= 8  # a line, whatever number of moves it had
    count, top, left, bottom, right = found["painted"]["1"]
    assert (top, left, bottom, right) == pytest.approx((90, 90, 110, 310), abs=1.5)
    assert count == pytest.approx(200 * WIDTH + np.pi * WIDTH**2 / 4, rel=0.05)
    shot = inside(
        page.page,
        "[...v.canvas.getContext('2d').getImageData("
        "...v.view.toScreen([200.5, 100.5], v.panes[0]).map((p) => p * v.density), 1, 1)"
        ".data]",
    )
    assert shot[0] > shot[2] + 40  # type: ignore[index]  # and is seen: orange over grey
    page.assert_calm()


def test_the_pen_paints_another_phase_and_the_eraser_takes_away(page: AppPage):
    tab = page.page
    tool(tab, "Brush")
    drag(tab, on_screen(tab, 200, 100), on_screen(tab, 200, 500))
    tab.get_by_role("combobox", name="What is painted").select_option("carbide")
    pen(tab, [on_screen(tab, row, 300) for row in (120, 160, 200, 240, 280)])
    found = said(page, 2)
    assert [each[:2] for each in found["shapes"]] == [["brush", 1], ["brush", 2]]
    count, top, left, bottom, right = found["painted"]["2"]
    assert (top, left, bottom, right) == pytest.approx((110, 290, 290, 310), abs=1.5)
    assert count == pytest.approx(160 * WIDTH + np.pi * WIDTH**2 / 4, rel=0.05)
    crossed = 400 * WIDTH + np.pi * WIDTH**2 / 4 - WIDTH**2  # the later stroke covers the earlier
    assert found["painted"]["1"][0] == pytest.approx(crossed, rel=0.05)
    tool(tab, "Eraser")
    drag(tab, on_screen(tab, 200, 90), on_screen(tab, 200, 250))
    count, _, left, _, _ = said(page, 3)["painted"]["1"]
    assert left == pytest.approx(251, abs=2)  # gone up to there
    assert count == pytest.approx(crossed - 150 * WIDTH - np.pi * WIDTH**2 / 4, rel=0.05)
    tab.locator(".stage").focus()
    tab.keyboard.press("Control+z")
    assert said(page, 2)["painted"] == found["painted"]
    page.assert_calm()


def test_keys_alone_paint(page: AppPage):
    tab = page.page
    tab.locator(".stage").focus()
    tab.keyboard.press("d")
    tab.keyboard.press("Space")
    for _ in range(5):
        tab.keyboard.press("Shift+ArrowRight")
    tab.keyboard.press("Enter")
    count, top, left, bottom, right = said(page, 1)["painted"]["1"]
    assert right - left > 2 * (bottom - top)
    assert count > 50 * WIDTH * 0.9
