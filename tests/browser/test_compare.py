"""A loop drawn around pictures names their sample, by pointer and by keyboard."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.app_page import AppPage
from tests.browser.test_accessibility import violations
from tests.unit.learning.training.quick.conftest import blobs, stripes

pytestmark = pytest.mark.browser


def test_a_loop_and_the_keyboard_name_samples(tab: AppPage, tmp_path: Path):
    page = tab.page
    files = [tmp_path / f"{make.__name__}{n}.png" for make in (blobs, stripes) for n in range(2)]
    for file, make, number in zip(
        files, (blobs, blobs, stripes, stripes), (0, 1, 0, 1), strict=True
    ):
        Image.fromarray(make(number)).save(file)
    tab.open()
    tab.upload(*files)
    tab.go_to("Compare")
    stage = page.locator(".stage")
    expect(stage.locator(".picture")).to_have_count(4)
    box = stage.bounding_box()
    left, top, right, bottom = 2, 2, box["width"] - 2, box["height"] - 2
    page.mouse.move(box["x"] + left, box["y"] + top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.mouse.up()
    tab.settle()
    expect(page.get_by_text("4 micrographs chosen")).to_be_visible()
    name = page.get_by_label("Sample", exact=True)
    name.fill("Powder")
    name.press("Enter")
    tab.settle()
    expect(page.get_by_role("button", name="Choose all 4 of Powder")).to_be_visible()
    stage.locator(".picture").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    tab.settle()
    expect(page.get_by_text("1 micrograph chosen")).to_be_visible()
    assert not violations(tab, "Compare")
    page.get_by_role("button", name="Undo: 4 as sample Powder").click()
    tab.settle()
    expect(page.get_by_role("button", name="Choose all 4 of no sample")).to_be_visible()
    tab.assert_calm()
