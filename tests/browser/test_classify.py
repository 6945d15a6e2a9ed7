"""The Classify page with real micrographs: the answer, its doubts, tiles, all in one table."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser


def test_answer_doubts_tiles_and_table(tab: AppPage, real_micrograph: Path, tmp_path: Path):
    second = tmp_path / "again.png"
    second.write_bytes(real_micrograph.read_bytes() + b"\0")
    tab.upload(real_micrograph, second)
    tab.go_to("Classify")
    expect(tab.page.get_by_text("Most probable class")).to_be_visible()
    tab.unfold("How it was checked")
    expect(tab.page.get_by_text("% of 7 small changes").first).to_be_visible()
    tab.page.get_by_text("Tile map", exact=True).click()
    tab.settle()
    tiles = tab.page.get_by_role("application", name="class of every tile")
    expect(tiles).to_be_visible()
    tab.page.get_by_text("Classify all 2 loaded micrographs").click()
    tab.settle()
    saved = tmp_path / "classes.csv"
    tab.download("Table (CSV)").save_as(saved)
    with saved.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2
    assert rows[0]["class"] == rows[1]["class"]
    tab.page.get_by_text("About the model").click()
    tab.settle()
    card = tab.page.get_by_test_id("stExpander").filter(has_text="About the model")
    expect(card.get_by_text("This model has no calibration")).to_be_visible()
    tab.assert_calm()
