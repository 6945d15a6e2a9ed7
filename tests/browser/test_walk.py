"""What a person does with a real micrograph, in a real browser."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Download, expect

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser
TASKS = ("Classify", "Explain", "Filters", "Cluster", "Segment", "Batch_Report")


def test_every_page_shows_an_uploaded_micrograph(tab: AppPage, real_micrograph: Path):
    tab.upload(real_micrograph)
    tab.assert_calm()
    for name in TASKS:
        tab.go_to(name)
        tab.assert_calm()
    tab.go_to("Filters")
    expect(tab.page.get_by_text(real_micrograph.stem).first).to_be_visible()


@pytest.mark.parametrize("name", TASKS)
def test_deep_link_without_micrograph_offers_samples(tab: AppPage, name: str):
    tab.open(name)
    expect(tab.page.get_by_role("button", name="Simulated dendrites")).to_be_visible()
    tab.assert_calm()


def test_divide_moves_by_mouse_and_keyboard_and_stays(tab: AppPage, real_micrograph: Path):
    tab.upload(real_micrograph)
    tab.go_to("Explain")
    handle = tab.divide()
    expect(handle).to_have_attribute("aria-valuenow", "15")
    box = tab.page.locator(".stage").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + 0.15 * box["width"], middle)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] / 4, middle, steps=4)
    tab.page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "25")
    for key, wanted in (("ArrowRight", "27"), ("PageUp", "37"), ("Home", "0"), ("End", "100")):
        tab.page.keyboard.press(key)
        expect(handle).to_have_attribute("aria-valuenow", wanted)
    tab.page.keyboard.press("PageDown")
    tab.unfold("How it is drawn")
    tab.page.get_by_role("slider", name="Opacity").or_(
        tab.page.locator('[data-testid="stSlider"] [role="slider"]')
    ).first.press("ArrowRight")
    tab.settle()
    expect(handle).to_have_attribute("aria-valuenow", "90")
    tab.go_to("Filters")
    expect(tab.divide()).to_have_attribute("aria-valuenow", "15")
    tab.go_to("Explain")
    expect(tab.divide()).to_have_attribute("aria-valuenow", "90")
    tab.assert_calm()


def test_pictures_keep_within_the_window_at_every_width(tab: AppPage, real_micrograph: Path):
    tab.upload(real_micrograph)
    tab.go_to("Cluster")
    for width, height in ((1440, 900), (820, 1180), (390, 844)):
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.settle()
        box = tab.page.locator(".stage").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] <= 0.71 * height
        answer = tab.page.locator(".st-key-beside_answer").bounding_box()
        assert answer is not None
        has_room = width == 1440  # beside the picture; else the answer comes first
        assert (answer["x"] > box["x"] + box["width"]) == has_room
        assert answer["y"] < box["y"] or has_room
        seen = tab.page.locator(".viewer").evaluate(
            "f => [f.viewer.view.isFit, f.viewer.view.scale * f.viewer.data.width]"
        )
        assert seen[0]
        assert seen[1] <= box["width"] + 1  # all of it is seen
        overflow = tab.page.evaluate(
            "() => document.documentElement.scrollWidth - window.innerWidth"
        )
        assert overflow <= 0
    tab.assert_calm()


def test_downloads_hold_what_they_say(tab: AppPage, real_micrograph: Path):
    tab.upload(real_micrograph)
    tab.go_to("Explain")
    tab.save_menu()
    assert read(tab.download("Heat map (PNG)")).startswith(b"\x89PNG")
    raw = np.load(io.BytesIO(read(tab.download("Raw map (NPY)"))), allow_pickle=False)
    assert raw.ndim == 2
    assert raw.dtype == np.float32
    tab.go_to("Filters")
    assert read(tab.download("For measuring")).startswith(b"II*\x00")
    assert b'"micrographia-recipe"' in read(tab.download("Recipe (JSON)"))
    tab.go_to("Cluster")
    assert read(tab.download("Regions (CSV)")).startswith("\ufefflabel,".encode())
    assert read(tab.download("Mask (PNG)")).startswith(b"\x89PNG")
    tab.assert_calm()


def test_batch_report_can_be_taken_home_and_opens_alone(tab: AppPage, real_micrograph: Path):
    tab.upload(real_micrograph)
    tab.go_to("Batch_Report")
    tab.page.get_by_role("button", name="Run on 1").click()
    tab.page.get_by_role("heading", name="Results: 1 done, 0 failed").wait_for()
    tab.settle()
    html = read(tab.download("Report (HTML)"))
    assert b"<html" in html
    names = zipfile.ZipFile(io.BytesIO(read(tab.download("All (ZIP)")))).namelist()
    assert any(name.endswith("report.html") for name in names)
    assert any(name.endswith("results.csv") for name in names)
    tab.assert_calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_are_ours(tab: AppPage, scheme: str):
    tab.page.emulate_media(color_scheme=scheme)
    tab.open()
    background = tab.page.locator('[data-testid="stApp"]').evaluate(
        "e => getComputedStyle(e).backgroundColor"
    )
    assert background == {"light": "rgb(252, 252, 251)", "dark": "rgb(20, 25, 27)"}[scheme]


def read(download: Download) -> bytes:
    return Path(download.path()).read_bytes()
