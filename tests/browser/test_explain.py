"""The Explain page with a real micrograph: all methods, the trust card, a picture to take home."""

from pathlib import Path

import cv2
import pytest
from playwright.sync_api import expect

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser


def test_methods_and_trust_are_shown_on_demand(tab: AppPage, real_micrograph: Path, tmp_path: Path):
    tab.upload(real_micrograph)
    tab.go_to("Explain")
    tab.page.get_by_text("All methods", exact=True).last.click()
    tab.settle()
    expect(tab.page.get_by_text("Random (baseline)").first).to_be_visible()
    tab.page.get_by_text("How far to trust it", exact=True).last.click()
    tab.settle()
    expect(tab.page.get_by_text("than chance").first).to_be_visible()
    expect(tab.page.locator(".js-plotly-plot")).to_have_count(4)
    saved = tmp_path / "overlay.png"
    tab.save_menu()
    tab.download("Heat map (PNG)").save_as(saved)
    original, overlay = (cv2.imread(str(path)) for path in (real_micrograph, saved))
    assert overlay.shape[1] == original.shape[1]
    assert overlay.shape[0] > original.shape[0]  # with the colour bar below
    tab.assert_calm()
