"""Take the pictures of README and docs in a real browser: `python -m tests.docs.take_pictures`.

With names (`python -m tests.docs.take_pictures segment batch`) only those. Pictures show simulated
micrographs and the shipped model, in the size of a small laptop, as WebP.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.browser.app_page import AppPage
from tests.browser.conftest import CHROMIUM_ARGS, ROOT

PICTURES = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
PORT = int(os.environ.get("MICROGRAPHIA_PICTURES_PORT", "8516"))
PATIENCE_MS = 600_000  # a busy machine is no reason to have no picture


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


def walk(camera: Camera) -> None:
    """Take the tasks of Home one after the other, each with its own simulated micrographs."""
    tab, page = camera.tab, camera.tab.page
    tab.open()
    camera.take("home")
    take_task(tab, "What is it and why?")
    camera.take("classify")
    tab.go_to("Explain")
    camera.take("explain")
    tab.go_to("Filters")
    camera.take("filters")
    take_task(tab, "Measure particles")
    camera.take("segment")
    take_task(tab, "How much of each phase?")
    camera.take("cluster")
    take_task(tab, "Explain my network")
    camera.take("network", at="Slow methods, too")
    take_task(tab, "Compare samples")
    page.get_by_role("button", name="Run on ").click()
    page.get_by_role("heading", name="Results: ").wait_for()
    camera.take("batch", at="Results: ")


def take_task(tab: AppPage, title: str) -> None:
    """Begin anew, and press one of the finished results on Home."""
    tab.open()
    tab.page.get_by_role("button", name=title).click()
    tab.page.wait_for_url(re.compile(r"/[A-Z]\w+(\?|$)"))
    tab.settle()


def main() -> None:
    """Take the pictures that are named, or all."""
    wanted = set(sys.argv[1:])
    PICTURES.mkdir(exist_ok=True)
    with serving(PORT) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
        )
        tab = AppPage(browser.new_page(viewport=SIZE), url)
        tab.page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        walk(Camera(tab, wanted))
        browser.close()


if __name__ == "__main__":
    main()
