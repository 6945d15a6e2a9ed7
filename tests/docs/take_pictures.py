"""Take the pictures of README and docs in a real browser: `python -m tests.docs.take_pictures`.

With names (`python -m tests.docs.take_pictures segment batch`) only those. Pictures show simulated
micrographs and the shipped model, in the size of a small laptop, as WebP.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from core.imaging.display import save_tiff_bytes
from core.imaging.simulation import simulate
from tests.browser.app_page import AppPage
from tests.browser.conftest import CHROMIUM_ARGS, ROOT

PICTURES = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
PORT = int(os.environ.get("MICROGRAPHIA_PICTURES_PORT", "8516"))
SHAPE = (768, 1024)
PATIENCE_MS = 600_000  # a busy machine is no reason to have no picture
FILES = (
    *(("silver_01", "spheroids", 9), ("silver_02", "spheroids", 2), ("silver_03", "spheroids", 8)),
    *(("gold_01", "polyhedra", 2), ("gold_02", "polyhedra", 4), ("gold_03", "polyhedra", 7)),
)


@contextmanager
def serving(port: int) -> Iterator[str]:
    """Start the app; stop it in the end."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "Home.py")]
    command += ["--server.headless", "true", "--server.port", str(port)]
    command += ["--server.address", "localhost", "--server.fileWatcherType", "none"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(240):
                with suppress(URLError, OSError):
                    urlopen(f"http://localhost:{port}/_stcore/health", timeout=2).close()
                    break
                time.sleep(0.5)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


def draw_micrographs(folder: Path) -> list[Path]:
    """Write the simulated micrographs of two samples."""
    found = []
    for name, kind, seed in FILES:
        micrograph = simulate(kind, shape=SHAPE, seed=seed).micrograph
        found.append(folder / f"{name}.tif")
        found[-1].write_bytes(save_tiff_bytes(micrograph))
    return found


class Camera:
    """A tab, and where its pictures go."""

    def __init__(self, tab: AppPage, wanted: set[str]) -> None:
        self.tab, self.wanted = tab, wanted

    def take(self, name: str, *, at: str = "") -> None:
        """Keep what is seen; `at` is a text that is scrolled to the top before."""
        if self.wanted and name not in self.wanted:
            return
        page = self.tab.page
        self.tab.settle()
        page.mouse.move(2, 2)
        if at:
            place = page.get_by_text(at).first
            place.evaluate("e => e.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(1500)
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        shot.save(PICTURES / f"{name}.webp", quality=82, method=6)
        print(name, (PICTURES / f"{name}.webp").stat().st_size // 1000, "kB", flush=True)


def walk(camera: Camera, files: list[Path]) -> None:
    """Visit what is shown in the documents."""
    tab, page = camera.tab, camera.tab.page
    tab.open()
    tab.upload(*files)
    page.get_by_role("button", name="Use silver").click()
    tab.settle()
    camera.take("home")
    tab.go_to("Classify")
    camera.take("classify")
    tab.go_to("Explain")
    camera.take("explain")
    page.get_by_text("All methods", exact=True).click()
    camera.take("network", at="Slow methods, too")
    tab.go_to("Filters")
    camera.take("filters")
    tab.go_to("Segment")
    camera.take("segment")
    tab.go_to("Cluster")
    camera.take("cluster")
    tab.go_to("Batch_Report")
    page.get_by_role("button", name="Run on ").click()
    page.get_by_role("heading", name="Results: ").wait_for()
    camera.take("batch", at="Results: ")
    teach(camera, files)


def teach(camera: Camera, files: list[Path]) -> None:
    """Label what is loaded and learn it."""
    tab, page = camera.tab, camera.tab.page
    tab.open("Train")
    for place, name in enumerate(("silver", "gold")):
        box = page.get_by_label(f"Name of class {place + 1}")
        box.fill(name)
        box.press("Enter")
        tab.settle()
        own = [str(file) for file in files if file.name.startswith(name)]
        page.locator('[data-testid="stFileUploaderDropzoneInput"]').nth(place).set_input_files(own)
        page.get_by_text(f"{len(own)} pictures", exact=True).nth(place).wait_for()
        tab.settle()
    camera.take("train")


def main() -> None:
    """Take the pictures that are named, or all."""
    wanted = set(sys.argv[1:])
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(PORT) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
        )
        tab = AppPage(browser.new_page(viewport=SIZE), url)
        tab.page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        walk(Camera(tab, wanted), draw_micrographs(Path(folder)))
        browser.close()


if __name__ == "__main__":
    main()
