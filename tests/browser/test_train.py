"""Six pictures dropped into two classes become a model that classifies."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.app_page import AppPage
from tests.unit.learning.training.quick.conftest import blobs, stripes

pytestmark = pytest.mark.browser
CLASSES = {"Stripes": stripes, "Blobs": blobs}


def test_two_classes_are_learnt_and_used(tab: AppPage, tmp_path: Path):
    page = tab.page
    tab.open("Train")
    for place, (name, make) in enumerate(CLASSES.items()):
        box = page.get_by_label(f"Name of class {place + 1}")
        box.fill(name)
        box.press("Enter")
        tab.settle()
        files = [tmp_path / f"{name}{number}.png" for number in range(3)]
        for number, file in enumerate(files):
            Image.fromarray(make(number)).save(file)
        field = page.locator('[data-testid="stFileUploaderDropzoneInput"]').nth(place)
        field.set_input_files([str(file) for file in files])
        expect(page.get_by_text("3 pictures", exact=True)).to_have_count(place + 1)
        tab.settle()
    page.get_by_role("button", name="Learn these classes").click()
    page.get_by_role("heading", name="How good it is").wait_for()
    tab.settle()
    expect(page.get_by_text("my classes is on your list of models")).to_be_visible()
    assert tab.download("Model folder (ZIP)").suggested_filename.endswith(".zip")
    tab.assert_calm()
    page.get_by_role("link", name="Classify with it").click()
    page.get_by_role("heading", name="Classify", exact=True).wait_for()
    tab.settle()
    answer = page.locator('[data-testid="stMetricValue"]').first
    expect(answer).to_have_text("Stripes")
    tab.assert_calm()
