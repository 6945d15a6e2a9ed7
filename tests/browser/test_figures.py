"""Figures for a paper in a real browser: of what is seen, of charts, as files and copied."""

import io
import re
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import expect

from core.reporting.figures.explanations import color_scale
from tests.browser.app_page import AppPage
from tests.browser.test_accessibility import violations
from tests.browser.test_viewer import NM_PER_PX, drag, inside, micrograph, on_screen, ready, tool

pytestmark = pytest.mark.browser
__all__ = ["micrograph"]  # a fixture


def files(tab: AppPage, name: str) -> bytes:
    with tab.page.expect_download() as waiting:
        tab.page.get_by_role("dialog").get_by_text(name, exact=True).click()
    return Path(waiting.value.path()).read_bytes()


def size_of_pdf(content: bytes) -> tuple[float, str]:
    document = pypdfium2.PdfDocument(content)
    width, words = document[0].get_width(), document[0].get_textpage()
    text = words.get_text_bounded()
    words.close()
    document.close()
    return width * 25.4 / 72, text


def test_what_is_seen_becomes_a_figure(tab: AppPage, micrograph: Path):
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=tab.url)
    tab.upload(micrograph)
    tab.go_to("Classify")
    page = tab.page
    ready(page)
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(300)
    seen = inside(page, "v.view.seen(v.panes[0])")
    tool(page, "Length")
    drag(page, on_screen(page, 340, 500), on_screen(page, 340, 560))
    tab.settle()
    page.get_by_role("button", name="Figure for a paper").click()
    page.get_by_role("dialog").wait_for()
    tab.settle()
    with Image.open(io.BytesIO(files(tab, "PNG"))) as picture:
        assert picture.size[0] == 1004  # 85 mm at 300 dpi
        ratio = (seen["bottom"] - seen["top"]) / (seen["right"] - seen["left"])  # type: ignore[index]
        assert picture.size[1] == pytest.approx(1004 * ratio, abs=4)
        shown = np.asarray(picture)[..., :3].astype(int)
        per_px = 1004 / round(seen["right"] - seen["left"])  # type: ignore[index]
        yellow = np.nonzero((abs(shown - [255, 210, 74]).max(axis=-1) < 30).any(axis=0))[0]
        assert np.ptp(yellow) == pytest.approx(60 * per_px, abs=12)
    svg = files(tab, "SVG").decode()
    assert re.search(r'<svg[^>]* width="85(\.0\d*)?mm"', svg)
    assert f">{60 * NM_PER_PX:.0f} nm</text>" in svg
    width, text = size_of_pdf(files(tab, "PDF"))
    assert width == pytest.approx(85, abs=0.1)
    assert "nm" in text
    page.get_by_role("button", name="Copy figure").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    tab.assert_calm()


def test_views_of_two_pages_become_panels_a_and_b(tab: AppPage, micrograph: Path):
    tab.upload(micrograph)
    page = tab.page
    for name, button in (("Classify", "Keep, and add another view"), ("Cluster", "PDF")):
        tab.go_to(name)
        ready(page)
        page.get_by_role("button", name="Figure for a paper").click()
        page.get_by_role("dialog").wait_for()
        tab.settle()
        if button != "PDF":
            page.get_by_role("button", name=button).click()
            tab.settle()
    _, text = size_of_pdf(files(tab, "PDF"))
    assert {"a", "b"} <= set(text.split())
    assert "cluster" in text  # the legend of the second
    tab.assert_calm()


def test_a_chart_is_saved_in_the_width_of_a_paper(tab: AppPage, micrograph: Path):
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=tab.url)
    tab.page.emulate_media(color_scheme="dark")
    tab.upload(micrograph)
    tab.go_to("Cluster")
    page = tab.page
    saver = page.locator(".st-key-cluster_histogram_chart .saver")
    saver.get_by_role("button", name="Save chart").click()
    found = {}
    for ending in ("png", "svg", "pdf"):
        with page.expect_download() as waiting:
            saver.get_by_role("button", name=ending.upper(), exact=True).click()
        assert waiting.value.suggested_filename == f"cluster_histogram.{ending}"
        found[ending] = Path(waiting.value.path()).read_bytes()
    with Image.open(io.BytesIO(found["png"])) as picture:
        assert picture.size[0] == 1004
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels[2, 2].tolist() == [255, 255, 255]  # white paper, though the page is dark
    assert (pixels.max(axis=-1) < 90).sum() > 500  # with dark letters
    svg = found["svg"].decode()
    assert re.search(r'width="85(\.0\d*)?mm"', svg)
    assert "grey level" in svg
    width, text = size_of_pdf(found["pdf"])
    assert width == pytest.approx(85, abs=0.1)
    assert "grey level (16-bit)" in text
    saver.get_by_role("combobox", name="Width").select_option("180")
    tab.settle()
    with page.expect_download() as waiting:
        saver.get_by_role("button", name="PNG", exact=True).click()
    with Image.open(waiting.value.path()) as picture:
        assert picture.size[0] == 2126
    saver.get_by_role("button", name="Copy", exact=True).click()
    expect(saver.get_by_role("status")).to_have_text("Copied")
    tab.assert_calm()


def test_a_length_takes_three_actions_from_opening_the_app(tab: AppPage, micrograph: Path):
    """Drop the file, press the ruler, draw: as in Fiji."""
    page = tab.page
    actions = 0

    def act(does: object) -> None:
        nonlocal actions
        actions += 1
        does()  # type: ignore[operator]

    act(lambda: tab.upload(micrograph))
    ready(page)
    act(lambda: tool(page, "Length"))
    act(lambda: drag(page, on_screen(page, 200, 300), on_screen(page, 200, 500)))
    tab.settle()
    expect(page.get_by_text("Measured by hand (1)")).to_be_visible()
    (shape,) = inside(page, "v.hand.history.shapes")  # type: ignore[misc]
    (x, _), (u, _) = shape["points"]
    assert (u - x) * NM_PER_PX == pytest.approx(500, abs=2 * NM_PER_PX)
    assert actions == 3


_GROUND = """() => {
  const chart = document.querySelector('.st-key-explain_values_chart .js-plotly-plot');
  return chart._fullData[1].colorscale.map(([, colour]) => colour);
}"""


def test_the_colour_scale_on_the_screen_is_the_one_of_the_map(tab: AppPage, real_micrograph: Path):
    """Streamlit puts colours of its theme in the place of some hexadecimal ones (walk, item 6)."""
    tab.upload(real_micrograph)
    tab.go_to("Explain")
    page = tab.page
    page.get_by_text("Values under the pointer", exact=True).click()
    tab.settle()
    page.locator(".st-key-explain_values_chart .js-plotly-plot").wait_for()
    wanted = color_scale("inferno")
    assert page.evaluate(_GROUND) == [colour for _, colour in wanted]
    strips = page.locator(".st-key-explain_values_chart .cbfills")
    strips.scroll_into_view_if_needed()  # it may lie below the screen
    box = strips.bounding_box()
    assert box is not None
    shot = Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")
    pixels = np.asarray(shot).astype(int)[shot.height // 2]
    paper = np.array([252, 252, 251])  # of the page
    for share, colour in wanted[1:-1]:
        *ink, opacity = map(float, re.findall(r"[\d.]+", str(colour)))
        shown = np.array(ink) * opacity + paper * (1 - opacity)
        assert np.abs(pixels[round(float(share) * (len(pixels) - 1))] - shown).max() < 14, share
    tab.assert_calm()


def test_the_next_micrograph_by_keys_on_every_page_and_its_state_stays(
    tab: AppPage, micrograph: Path, real_micrograph: Path
):
    tab.upload(micrograph, real_micrograph)
    page = tab.page
    for name in ("Classify", "Explain", "Filters", "Cluster", "Segment"):
        tab.go_to(name)
        ready(page)
        strip = page.get_by_role("group", name="Loaded micrographs")
        first = strip.get_by_role("button").first
        expect(first).to_have_attribute("aria-current", "true")
        page.locator(".stage").focus()
        page.keyboard.press("+")
        page.wait_for_timeout(200)
        zoomed = float(inside(page, "v.view.scale"))  # type: ignore[arg-type]
        page.keyboard.press(".")
        tab.settle()
        expect(first).not_to_have_attribute("aria-current", "true")
        ready(page)
        page.locator(".stage").focus()
        page.keyboard.press(",")
        tab.settle()
        expect(first).to_have_attribute("aria-current", "true")
        ready(page)
        assert float(inside(page, "v.view.scale")) == pytest.approx(zoomed, rel=0.02)  # type: ignore[arg-type]
        page.locator(".stage").focus()
        page.keyboard.press("0")
    tab.assert_calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dialog_and_menu_meet_wcag_aa(tab: AppPage, micrograph: Path, scheme: str):
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.upload(micrograph)
    tab.go_to("Cluster")
    page = tab.page
    ready(page)
    page.get_by_role("button", name="Save chart").first.click()
    tab.settle()
    found = violations(tab, "a chart's menu")
    tool(page, "Length")
    for row in (200, 300):
        drag(page, on_screen(page, row, 300), on_screen(page, row, 500 + row / 10))
        tab.settle()
    page.get_by_text("Measured by hand (2)").click()
    tab.settle()
    found += violations(tab, "measured by hand")
    page.get_by_role("button", name="Figure for a paper").click()
    page.get_by_role("dialog").wait_for()
    tab.settle()
    found += violations(tab, "the figure's dialog")
    assert not found, "\n".join(found)
