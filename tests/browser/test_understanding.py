"""Loading many at once, correcting what is not specimen, and the scale: in a real browser."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.app_page import AppPage
from tests.unit.imaging.overlays.test_finding import info_bar, specimen

pytestmark = pytest.mark.browser


@pytest.fixture
def with_bar(tmp_path: Path) -> Path:
    """Specimen of 400 × 500 px above an info bar of 36 px with a scale bar of 100 px."""
    band = info_bar(500)
    band[30:32, 380:480] = 255
    file = tmp_path / "field.png"
    file.write_bytes(png(np.vstack([specimen(), band])))
    return file


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def small(seed: int) -> bytes:
    return png(specimen((90, 120), seed=seed))


def colored_rows(tab: AppPage) -> np.ndarray:
    """Rows of the micrograph that carry the hatch's colour, as a share of their width on screen."""
    tab.page.locator(".viewer[data-ready]").wait_for()
    tab.page.wait_for_timeout(800)  # the hatch is a layer of its own, with tiles of its own
    share: np.ndarray = np.array(tab.page.locator(".viewer").evaluate(_COLORED))
    return share


_COLORED = """figure => {
  const { view, panes, density, canvas, data } = figure.viewer;
  const context = canvas.getContext("2d");
  const [left, right] = [0, data.width].map(x => view.toScreenX(x, panes[0]) * density);
  return Array.from({ length: data.height }, (_, row) => {
    const y = Math.floor(view.toScreenY(row + 0.5, panes[0]) * density);
    const line = context.getImageData(Math.ceil(left), y, Math.floor(right - left) - 1, 1).data;
    let found = 0;
    for (let at = 0; at < line.length; at += 4) found += line[at] - line[at + 2] > 40;
    return found / (line.length / 4);
  });
}"""


def test_info_bar_is_hatched_and_its_edge_moves(tab: AppPage, with_bar: Path):
    tab.upload(with_bar)
    hatched = colored_rows(tab)
    assert hatched.shape == (436,)
    assert hatched[400:].min() > 0.2
    assert hatched[:390].max() == 0
    tab.page.get_by_role("button", name="Correct what is left out").click()
    opened = tab.page.get_by_test_id("stPopoverBody")
    bottom = (
        opened.get_by_test_id("stSlider").filter(has_text="at the bottom").get_by_role("slider")
    )
    for _ in range(10):
        bottom.press("ArrowRight")
    tab.settle()
    expect(bottom).to_have_value("46")
    tab.settle()
    assert colored_rows(tab)[390:].min() > 0.2
    tab.go_to("Cluster")
    expect(tab.page.get_by_text("89.4 % of the frame")).to_be_visible()
    tab.assert_calm()


def test_scale_bar_gives_the_pixel_size(tab: AppPage, with_bar: Path):
    tab.upload(with_bar)
    sidebar = tab.page.get_by_test_id("stSidebar")
    sidebar.get_by_text("Pixel size: unknown").click()
    sidebar.get_by_role("radio", name="Scale bar").or_(
        sidebar.get_by_role("button", name="Scale bar")
    ).first.click()
    length = sidebar.get_by_label("Length")
    length.fill("200")
    length.press("Enter")
    tab.settle()
    sidebar.get_by_role("button", name="Set pixel size").click()
    expect(sidebar.get_by_text("Pixel size: 2 nm/px (set by hand)")).to_be_visible()
    tab.settle()
    tab.go_to("Cluster")
    expect(tab.page.get_by_text("µm²").first).to_be_visible()
    tab.assert_calm()


def test_folder_and_archive_are_loaded_with_all_their_pictures(tab: AppPage, tmp_path: Path):
    folder = tmp_path / "run"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.png").write_bytes(small(1))
    (folder / "deep" / "b.png").write_bytes(small(2))
    (folder / "deep" / "broken.png").write_bytes(b"nothing")
    archive = tmp_path / "more.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("c.png", small(3))
        packed.writestr("again.png", small(1))
    field = tab.page.locator('[data-testid="stFileUploaderDropzoneInput"]').first
    field.set_input_files(str(archive))
    tab.page.get_by_role("heading", name="Loaded (2)").wait_for()
    tab.settle()
    tab.page.get_by_text("A folder", exact=True).click()
    tab.settle()
    field.set_input_files(str(folder))
    tab.page.get_by_role("heading", name="Loaded (3)").wait_for()
    tab.settle()
    expect(tab.page.get_by_text("1 added, 2 not")).to_be_visible()
    expect(tab.page.get_by_text("already loaded, as again.png")).to_be_visible()
    expect(tab.page.get_by_text("run/deep/broken.png:")).to_be_visible()
    assert not tab.troubles, tab.troubles


def test_reload_brings_files_and_samples_back(tab: AppPage, with_bar: Path):
    tab.upload(with_bar)
    tab.page.get_by_text("Simulated samples", exact=True).click()
    tab.page.get_by_role("button", name="Simulated alloys").click()
    tab.page.get_by_role("heading", name="Loaded (2)").wait_for()
    tab.settle()
    tab.page.reload()
    tab.page.get_by_role("heading", name="Loaded (2)").wait_for()
    back = tab.page.get_by_text("2 micrographs and your settings are back")
    expect(back).to_be_visible()
    tab.settle()
    assert not tab.troubles, tab.troubles
