"""A report opened from the disk: no network, no errors, a table that sorts and filters."""

import re
from pathlib import Path

import pytest

from core.reporting.batch.run import run_batch
from core.reporting.recipe import Recipe
from core.reporting.report.writing import write_report
from tests.browser.conftest import CHROMIUM_ARGS
from tests.unit.reporting.conftest import CLASSES, Tiny, micrograph, png

HOSTILE = '<img src=x onerror="document.title=1">.png'


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from core.learning.models import Classifier, ModelCard

    network = Classifier(Tiny(), ModelCard("tiny", "two-layers", CLASSES, sha256="ab" * 32))
    out = tmp_path_factory.mktemp("report")
    fields = [micrograph(seed, name=f"field {seed}.tif", nm=2.0) for seed in range(12)]
    sources = [*fields, ("broken.tif", b"no"), (HOSTILE, png(30))]
    recipe = Recipe("tiny", clusters=2, exclude_overlays=False)
    return write_report(run_batch(sources, recipe, out, classifier=network), out)


def test_report_opens_alone_sorts_and_filters(chromium: str, report: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report.as_uri())
        assert page.title() == "Batch report: 14 micrographs"
        table = page.locator("table.sortable")

        def shown(column: int) -> list[str]:
            cells = table.locator(f"tbody tr:not([hidden]) td:nth-child({column})")
            return cells.all_inner_texts()

        heads = table.locator("thead th").all_inner_texts()
        area = next(n for n, head in enumerate(heads, 1) if "Target area (%)" in head)
        button = table.locator(f"thead th:nth-child({area}) button")
        for descending in (False, True):
            button.click()
            way = "descending" if descending else "ascending"
            table.locator(f'thead th:nth-child({area})[aria-sort="{way}"]').wait_for()
            values = [float(text) for text in shown(area) if text != "–"]
            assert len(values) == 13
            assert values == sorted(values, reverse=descending)
            assert shown(area)[-1] == "–", "what has no number comes last, up or down"
        page.get_by_label("Name or sample").fill("FIELD 1")
        assert sorted(shown(3)) == ["field 1.tif", "field 10.tif", "field 11.tif"]
        page.get_by_label("Name or sample").fill("")
        page.get_by_label("Warning").select_option("failed")
        assert shown(3) == ["broken.tif"]
        assert page.locator("form.filters output").inner_text() == "1 of 14 shown"
        page.get_by_label("Warning").select_option("")
        name = page.get_by_label("Class").locator("option").nth(1).get_attribute("value")
        page.get_by_label("Class").select_option(name)
        assert 1 <= len(shown(3)) <= 13
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert said == []
    assert [url for url in asked if not re.match(r"file:|data:", url)] == []
