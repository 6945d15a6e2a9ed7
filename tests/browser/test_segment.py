"""Segment in a real browser: strokes become a map, a click deletes, the histogram follows."""

import os
import re
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core.imaging.simulation import simulate
from tests.browser.app_page import AppPage
from tests.browser.test_viewer import drag, on_screen, ready

pytestmark = pytest.mark.browser
MOST_S = 30  # on a busy machine; what it takes on a quiet one is in bench_segment.txt


@pytest.fixture(scope="module")
def scene():
    return simulate("spheroids", shape=(512, 640), seed=3)


@pytest.fixture
def segment(tab: AppPage, scene, tmp_path: Path) -> AppPage:
    path = tmp_path / "spheroids.png"
    cv2.imwrite(str(path), scene.micrograph.pixels)
    tab.open()
    tab.upload(path)
    tab.go_to("Segment")
    ready(tab.page)
    return tab


def deep_places(mask: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Places far from the mask's outline, and from each other."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    found = []
    for _ in range(count):
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        found.append((int(row), int(column)))
        cv2.circle(depth, (int(column), int(row)), 60, 0.0, cv2.FILLED)
    return found


def stroke(page: Page, row: int, column: int, length: int = 12) -> None:
    drag(
        page,
        on_screen(page, row, column - length // 2),
        on_screen(page, row, column + length // 2),
    )


def answer(page: Page) -> str:
    heading = page.get_by_role("heading", name=re.compile(r"^\d+ objects?"))
    return heading.inner_text()


def count(page: Page) -> int:
    return int(answer(page).split()[0])


def bars(page: Page) -> str:
    return page.locator(".js-plotly-plot .barlayer").first.inner_html()


def test_three_strokes_are_a_map_and_a_deleted_object_leaves_the_histogram(
    segment: AppPage, scene
) -> None:
    page = segment.page
    page.get_by_role("radio", name="Strokes").click()
    segment.settle()
    expect(page.get_by_text("Paint a few strokes of each phase")).to_be_visible()
    ready(page)
    (ground,) = deep_places(~scene.mask, 1)
    for place in deep_places(scene.mask, 2):
        stroke(page, *place)
        segment.settle()
    page.get_by_label("What is painted").select_option("2")
    begun = time.monotonic()
    stroke(page, *ground)
    page.get_by_role("heading", name=re.compile(r"^\d+ objects?")).wait_for()
    took = time.monotonic() - begun
    assert took < MOST_S
    segment.settle()
    ready(page)
    expect(page.get_by_label("What is painted")).to_have_value("2")  # the brush stays as it was
    before, drawn = count(page), bars(page)
    assert before > 3

    page.get_by_role("radio", name="Delete").click()
    segment.settle()
    ready(page)
    row, column = deep_places(scene.mask, 1)[0]
    page.mouse.click(*on_screen(page, row, column))
    expect(page.get_by_role("heading", name=f"{before - 1} objects")).to_be_visible()
    segment.settle()
    assert bars(page) != drawn, "the histogram follows"
    expect(
        page.get_by_text(f"1 outline was removed by hand, {before - 1} are left")
    ).to_be_visible()
    page.locator(".st-key-segment_undo button").first.click()
    expect(page.get_by_role("heading", name=f"{before} objects")).to_be_visible()
    segment.assert_calm()
    print(f"map after {took:.2f} s at a load of {os.getloadavg()[0]:.1f}")


def test_a_line_cuts_an_object_in_two(segment: AppPage, scene) -> None:
    page = segment.page
    before = count(page)
    page.get_by_role("radio", name="Cut").click()
    segment.settle()
    ready(page)
    row, column = deep_places(scene.mask, 1)[0]
    drag(page, on_screen(page, row, column - 90), on_screen(page, row, column + 90))
    segment.settle()
    assert count(page) > before
    expect(page.get_by_text(re.compile(r"outlines were changed by hand"))).to_be_visible()
    segment.assert_calm()
