"""The viewer by pointer, keys and touch, in a real browser: what is read and measured is right."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from playwright.sync_api import Browser, Page, expect

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser
SHAPE = (700, 1100)
PIXEL = (412, 733)  # row, column of one that no other is like
VALUE = 51_234
NM_PER_PX = 2.5
_INSIDE_A_REGION = """(outlines, width) => {
  const has = (x, y, number) => outlines.at([x, y]) === number;
  for (let n = 0; n < outlines.count; n += 1) {
    const [left, top, right, bottom] = outlines.boxes.subarray(4 * n, 4 * n + 4);
    const [y, number] = [(top + bottom) / 2, outlines.numbers[n]];
    for (let x = left; right - left > 30 && left > 0.2 * width && x < right; x += 1) {
      if (has(x, y, number) && has(x - 2, y - 2, number) && has(x + 2, y + 2, number)) {
        return [x, y, number];
      }
    }
  }
}"""


@pytest.fixture(scope="session")
def micrograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 16-bit TIFF of 2.5 nm/px with one pixel of known grey and place."""
    noise = np.random.default_rng(0).normal(20_000, 3_000, SHAPE).astype(np.float32)
    pixels = cv2.GaussianBlur(noise, (0, 0), 3).astype(np.uint16)
    pixels[PIXEL] = VALUE
    path = tmp_path_factory.mktemp("viewer") / "known.tif"
    per_nm = 1 / NM_PER_PX
    tifffile.imwrite(
        path, pixels, imagej=True, resolution=(per_nm, per_nm), metadata={"unit": "nm"}
    )
    return path


@pytest.fixture
def classify(tab: AppPage, micrograph: Path) -> AppPage:
    tab.upload(micrograph)
    tab.go_to("Classify")
    tab.page.wait_for_function("() => true")
    ready(tab.page)
    return tab


@pytest.fixture
def phone(browser: Browser, server: str) -> Iterator[AppPage]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = AppPage(context.new_page(), server)
    page.open()
    yield page
    context.close()


def ready(page: Page) -> None:
    """Wait until every tile that is seen has come."""
    page.locator(".viewer[data-ready]").wait_for()
    page.wait_for_timeout(300)


def inside(page: Page, script: str) -> object:
    """What the viewer itself says; `v` is it."""
    return page.locator(".viewer").evaluate(f"f => {{ const v = f.viewer; return {script}; }}")


def on_screen(page: Page, row: float, column: float) -> tuple[float, float]:
    """Where a place of the micrograph, pixel centres being whole numbers, is on the screen."""
    page.locator(".stage").scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    assert box is not None
    x, y = inside(page, f"v.view.toScreen([{column + 0.5}, {row + 0.5}], v.panes[0])")  # type: ignore[misc]
    return box["x"] + x, box["y"] + y


def shapes(page: Page) -> list[dict]:
    return inside(page, "v.hand.history.shapes")  # type: ignore[return-value]


def tool(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def test_a_known_pixel_is_found_and_read_in_its_own_depth(classify: AppPage):
    page = classify.page
    page.mouse.move(*on_screen(page, *PIXEL))
    expect(page.locator(".where")).to_contain_text(f"column {PIXEL[1]} · row {PIXEL[0]}")
    pointer = [round(side) for side in on_screen(page, *PIXEL)]
    page.mouse.move(*pointer)
    below = "v.view.toImage(...v.pointer, v.panes[0])"
    before = inside(page, below)
    for _ in range(12):
        page.mouse.wheel(0, -120)
    page.wait_for_timeout(300)
    assert inside(page, below) == pytest.approx(before, abs=0.01)  # zoomed at the pointer
    page.mouse.move(*on_screen(page, *PIXEL))
    expect(page.locator(".where")).to_contain_text(f"grey {VALUE}")
    expect(page.locator(".where")).to_contain_text(f"{(PIXEL[1] + 0.5) * NM_PER_PX / 1000:.4g}")
    ready(page)
    x, y = on_screen(page, *PIXEL)
    clip = {"x": x - 60, "y": y - 60, "width": 120, "height": 120}
    shot = cv2.imdecode(np.frombuffer(page.screenshot(clip=clip), np.uint8), cv2.IMREAD_GRAYSCALE)
    scale = float(inside(page, "v.view.scale"))  # type: ignore[arg-type]
    white = shot == 255
    assert white.sum() == pytest.approx(scale**2, rel=0.15)  # one crisp square, no blur
    rows, cols = np.nonzero(white)
    assert (rows.mean(), cols.mean()) == pytest.approx((59.5, 59.5), abs=1.5)
    classify.assert_calm()


def test_the_scale_bar_follows_the_zoom(classify: AppPage):
    page = classify.page
    for _ in range(3):
        bar = page.locator(".scale").evaluate("b => [Number(b.dataset.nm), Number(b.dataset.px)]")
        scale = float(inside(page, "v.view.scale"))  # type: ignore[arg-type]
        assert bar[1] == pytest.approx(bar[0] / NM_PER_PX * scale)
        line = page.locator(".scale .line").bounding_box()
        assert line is not None
        assert line["width"] == pytest.approx(bar[1], abs=0.6)
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(200)


def test_a_length_drawn_by_hand_is_right_to_half_a_pixel(classify: AppPage):
    page = classify.page
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(300)
    tool(page, "Length")
    start, end = (330, 500), (360, 580)
    drag(page, on_screen(page, *start), on_screen(page, *end))
    classify.settle()
    known_nm = NM_PER_PX * float(np.hypot(30, 80))
    expander = page.get_by_text("Measured by hand (1)")
    expander.wait_for()
    (shape,) = shapes(page)
    (x, y), (u, v) = shape["points"]
    assert NM_PER_PX * float(np.hypot(u - x, v - y)) == pytest.approx(known_nm, abs=0.5 * NM_PER_PX)
    expander.click()
    csv = Path(classify.download("By hand (CSV)").path()).read_text(encoding="utf-8-sig")
    heading, row = (line.split(",") for line in csv.splitlines()[:2])
    measured = dict(zip(heading, row, strict=True))
    assert measured["name"] == "Length 1"
    assert float(measured["length_nm"]) == pytest.approx(known_nm, abs=0.5 * NM_PER_PX)
    classify.go_to("Filters")
    page.get_by_text("Measured by hand (1)").wait_for()  # it stays with the micrograph
    assert len(shapes(page)) == 1
    classify.assert_calm()


def test_every_kind_is_drawn_undone_moved_and_deleted(classify: AppPage):
    page = classify.page
    for name, ends in (
        ("Box", ((100, 100), (200, 250))),
        ("Ellipse", ((300, 100), (400, 250))),
        ("Lasso", ((300, 400), (400, 550))),
    ):
        tool(page, name)
        drag(page, on_screen(page, *ends[0]), on_screen(page, *ends[1]))
        classify.settle()
    assert [each["kind"] for each in shapes(page)] == ["rectangle", "ellipse"]  # a line is no lasso
    tool(page, "Polygon")
    for corner in ((500, 300), (500, 500), (600, 500)):
        page.mouse.click(*on_screen(page, *corner))
    page.keyboard.press("Enter")
    tool(page, "Angle of three points")
    for corner in ((100, 600), (200, 600), (200, 700)):
        page.mouse.click(*on_screen(page, *corner))
    tool(page, "Point")
    page.mouse.click(*on_screen(page, 50, 900))
    classify.settle()
    kinds = ["rectangle", "ellipse", "polygon", "angle", "point"]
    assert [each["kind"] for each in shapes(page)] == kinds
    assert len(shapes(page)[2]["points"]) == 3
    page.locator(".stage").focus()
    page.keyboard.press("Control+z")
    assert [each["kind"] for each in shapes(page)] == kinds[:-1]
    page.keyboard.press("Control+y")
    assert [each["kind"] for each in shapes(page)] == kinds
    tool(page, "Move and choose")
    page.mouse.click(*on_screen(page, 100, 175))  # on the box's edge
    drag(page, on_screen(page, 200, 250), on_screen(page, 220, 290))  # by its corner
    classify.settle()
    corner = shapes(page)[0]["points"][1]
    assert corner == pytest.approx([290.5, 220.5], abs=1)
    page.keyboard.press("Delete")
    assert [each["kind"] for each in shapes(page)] == kinds[1:]
    classify.settle()
    classify.assert_calm()


def test_everything_works_by_keyboard(classify: AppPage):
    page = classify.page
    page.locator(".stage").focus()
    page.keyboard.press("+")
    page.wait_for_timeout(150)
    assert not inside(page, "v.view.isFit")
    x = inside(page, "v.view.x")
    page.keyboard.press("ArrowRight")
    assert inside(page, "v.view.x") > x  # type: ignore[operator]
    page.keyboard.press("0")
    page.wait_for_timeout(150)
    assert inside(page, "v.view.isFit")
    page.keyboard.press("1")
    page.wait_for_timeout(150)
    assert inside(page, "v.view.scale * v.density") == pytest.approx(1)
    page.keyboard.press("r")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    classify.settle()
    (ruler,) = shapes(page)
    (x, y), (u, v) = ruler["points"]
    assert (u - x, v - y) == (0, 30)
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    expect(page.get_by_role("slider", name="Black at")).to_be_visible()
    page.get_by_role("slider", name="White at").focus()
    white = inside(page, "v.windows.base.white")
    page.keyboard.press("ArrowLeft")
    assert inside(page, "v.windows.base.white") < white  # type: ignore[operator]
    classify.assert_calm()


def test_touch_pinches_and_draws(phone: AppPage, micrograph: Path):
    page = phone.page
    phone.upload(micrograph)
    ready(page)
    page.locator(".stage").scroll_into_view_if_needed()
    overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    session = page.context.new_cdp_session(page)
    x, y = on_screen(page, 350, 550)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": at, "y": down, "id": n} for n, (at, down) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = float(inside(page, "v.view.scale"))  # type: ignore[arg-type]
    touch("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 6):
        touch("touchMove", (x - 20 - 12 * step, y), (x + 20 + 12 * step, y))
    touch("touchEnd")
    page.wait_for_timeout(300)
    assert float(inside(page, "v.view.scale")) == pytest.approx(4 * before, rel=0.1)  # type: ignore[arg-type]
    page.get_by_role("button", name="Length", exact=True).tap()
    start, end = on_screen(page, 340, 530), on_screen(page, 340, 560)
    touch("touchStart", start)
    touch("touchMove", ((start[0] + end[0]) / 2, start[1]))
    touch("touchMove", end)
    touch("touchEnd")
    phone.settle()
    (ruler,) = shapes(page)
    assert ruler["points"][1][0] - ruler["points"][0][0] == pytest.approx(30, abs=1)


def test_a_region_clicked_is_marked_in_picture_and_table(tab: AppPage, real_micrograph: Path):
    tab.upload(real_micrograph)
    tab.go_to("Cluster")
    page = tab.page
    ready(page)
    place = inside(page, f"({_INSIDE_A_REGION})([...v.outlines.values()].at(-1), v.view.width)")
    column, row, number = place  # type: ignore[misc]
    page.mouse.click(*on_screen(page, row - 0.5, column - 0.5))
    tab.settle()
    expect(page.get_by_text(f"Region {number}", exact=True)).to_be_visible()
    layer = inside(page, "v.data.layers.at(-1).selected")
    assert layer == [number]
    tab.assert_calm()


def test_nothing_large_travels_in_the_message(classify: AppPage):
    page = classify.page
    assert int(inside(page, "v.shown.length")) < 20_000  # type: ignore[call-overload]
    fetched = page.evaluate(
        "() => performance.getEntriesByType('resource').filter(e => e.name.endsWith('.bin'))"
        ".map(e => e.encodedBodySize)"
    )
    assert max(fetched) <= 2 * 512 * 512  # a tile at a time
