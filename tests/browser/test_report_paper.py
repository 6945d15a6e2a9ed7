"""The report on a phone and on paper: nothing sticks out, A4 pages hold what a reader needs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from core.imaging.simulation import simulate
from core.reporting.batch import run_batch
from core.reporting.recipe import Recipe
from core.reporting.report import About, write_report

A4_PT = (594.95996, 841.91998)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    kinds = ("spheroids", "rods_fibres")
    sources = [
        replace(simulate(kind, shape=(192, 256), seed=seed).micrograph, name=f"{kind} {seed}.tif")
        for kind in kinds
        for seed in range(3)
    ]
    result = run_batch(sources, Recipe(sample_from="name:start"), out)
    return write_report(result, out, about=About("Two powders", ("A. Person",)))


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(report.as_uri())
    yield page
    page.close()


def test_nothing_sticks_out(page: Page) -> None:
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_answer_of_each_sample_is_on_the_first_screen(page: Page) -> None:
    for line in page.locator(".answer li").all():
        box = line.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 844


def test_a_small_picture_opens_the_large_ones(page: Page) -> None:
    page.locator("button.open").first.click()
    assert page.locator("dialog[open] figure img").count() == 3
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_the_methods_can_be_copied(page: Page) -> None:
    page.get_by_role("button", name="Copy methods paragraph").click()
    assert page.get_by_role("button", name="Copied").count() == 1


def test_it_prints_on_a4_with_the_answer_on_the_first_page(page: Page) -> None:
    data = page.pdf(prefer_css_page_size=True, print_background=True)
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert boxes
    assert {(float(w), float(h)) for w, h in boxes} == {A4_PT}
    assert 2 <= len(boxes) <= 8
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1017})  # what A4 leaves between its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    shown = page.locator(".dots").bounding_box()
    assert shown is not None
    assert shown["y"] + shown["height"] < 1017
    for table in page.locator("table").all():
        inside = table.evaluate("t => t.scrollWidth <= t.parentElement.clientWidth + 1")
        assert inside, table.inner_text()[:80]
    assert page.evaluate(BROKEN_WORDS) == []


BROKEN_WORDS = """() => {
  const broken = [];
  for (const cell of document.querySelectorAll('.sortable th, .sortable td.number, td.word')) {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      for (const found of walker.currentNode.data.matchAll(/[^\\s-]+/g)) {
        const range = document.createRange();
        range.setStart(walker.currentNode, found.index);
        range.setEnd(walker.currentNode, found.index + found[0].length);
        if (range.getClientRects().length > 1) broken.push(found[0]);
      }
    }
  }
  return broken;
}"""
