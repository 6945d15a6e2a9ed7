"""How fast the viewer shows a large micrograph, zooms and moves it, and what that takes.

Run as `python -m tests.benchmarks.bench_viewer`. Headless Chromium without a graphics card, a
window of 1440 × 900; 16-bit noise, which no compression makes small. First view: from the click
that asks for the viewer until the whole picture is on the canvas from coarse tiles, and until all
tiles of its own resolution are. Wheel to paint: from the
event to the frame after the one that shows it. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM_ARGS, _free_port, _wait

ROOT = Path(__file__).resolve().parents[2]
SIDES = (2048, 4096, 10_000)
TURNS = 40  # of the wheel
PAN_MS = 3000
HEADING = (
    "frame | on the server | click to a picture | click to all | in the browser | fetched | "
    "wheel to paint, median and 95 % | fetched in all | memory"
)
_NOTE_CLICK = """() => document.addEventListener(
  "click", (event) => (window.asked ??= event.timeStamp), true)"""
PAN = """ms => new Promise(done => {
  const viewer = VIEWER;
  const [began, first] = [performance.now(), viewer.pace.paints];
  const step = () => {
    const now = performance.now();
    const turn = (now - began) / 300;
    viewer.view.moveBy(4 * Math.cos(turn), 4 * Math.sin(turn), viewer.panes[0]);
    viewer.moved();
    if (now - began < ms) requestAnimationFrame(step);
    else done((viewer.pace.paints - first) / (now - began) * 1000);
  };
  step();
})"""


@contextmanager
def server() -> Iterator[str]:
    """Yield the address of the page with nothing but the viewer."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "tests/benchmarks/viewer_page.py"]
    command += ["--server.headless", "true", "--server.address", "localhost"]
    command += ["--server.port", str(port), "--server.fileWatcherType", "none"]
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(f"http://localhost:{port}/_stcore/health", process, Path(folder) / "log")
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def ask(page: Page, script: str) -> Any:
    """Return what the viewer says; `v` is it."""
    return page.locator(".viewer").evaluate(f"f => {{ const v = f.viewer; return {script}; }}")


def renderer_mb(browser: Browser) -> float:
    """Return the memory that Chromium's processes for pages take by themselves, the largest."""
    session = browser.new_browser_cdp_session()
    infos = session.send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = []
    for info in infos:
        if info["type"] == "renderer":
            text = Path(f"/proc/{info['id']}/smaps_rollup").read_text(encoding="ascii")
            found = re.search(r"^Private_Dirty:\s+(\d+)", text, re.MULTILINE)
            sizes.append(int(found[1]) / 1024 if found else 0.0)
    return max(sizes)


def measure(browser: Browser, url: str, side: int) -> None:
    """Print one row: first view, bytes, wheel to paint, memory."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/?side={side}")
    page.get_by_text("waiting").wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    before_mb = renderer_mb(browser)
    page.evaluate(_NOTE_CLICK)
    page.get_by_text("Show").click()
    page.locator(".viewer[data-ready]").wait_for(timeout=120_000)
    told = page.get_by_text("server").inner_text()
    asked = float(page.evaluate("() => window.asked"))
    ready, born = float(ask(page, "f.dataset.ready")), float(ask(page, "v.pace.born"))
    first = float(ask(page, "f.dataset.first"))
    first_kb = fetched_kb(page)
    box = page.locator(".stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    for turn in range(TURNS):
        page.mouse.wheel(0, -60 if turn < TURNS // 2 else 60)
        page.wait_for_timeout(60)
    page.wait_for_timeout(500)
    wheel = sorted(ask(page, "v.pace.wheelMs"))
    columns = (
        f"{side**2 / 1e6:6.1f} MP",
        f"{told:>14}",
        f"{first - asked:6.0f} ms",
        f"{ready - asked:6.0f} ms",
        f"{ready - born:6.0f} ms",
        f"{first_kb / 1024:5.2f} MB",
        f"{median(wheel):4.0f} / {wheel[int(0.95 * len(wheel))]:3.0f} ms",
        f"{fetched_kb(page) / 1024:5.1f} MB",
        f"{renderer_mb(browser) - before_mb:5.0f} MB",
    )
    print(" | ".join(columns), flush=True)
    page.close()


def fetched_kb(page: Page) -> float:
    """Return how much the viewer has fetched."""
    return float(
        page.evaluate(
            "() => performance.getEntriesByType('resource').filter(e => e.name.endsWith('.bin'))"
            ".reduce((sum, e) => sum + e.encodedBodySize, 0) / 1024"
        )
    )


def pan(browser: Browser, url: str, count: int) -> None:
    """Print how often a second the picture is drawn anew while it moves."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/?side=4096&outlines={count}")
    page.get_by_text("Show").click()
    page.locator(".viewer[data-ready]").wait_for(timeout=120_000)
    page.wait_for_timeout(1500)
    for clicks in (1, 4):
        for _ in range(clicks):
            page.get_by_role("button", name="Zoom in").click()
            page.wait_for_timeout(150)
        page.wait_for_timeout(800)
        rate = page.locator(".viewer").evaluate(
            PAN.replace("VIEWER", "f.viewer").replace("ms => new", "(f, ms) => new"), PAN_MS
        )
        zoom = ask(page, "v.view.scale")
        print(f"{count:6d} outlines, {100 * zoom:4.0f} %: {rate:5.1f} redraws/s", flush=True)
    page.close()


def main() -> None:
    """Measure every size, then moving under outlines."""
    with server() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
        )
        print(HEADING)
        for side in SIDES:
            measure(browser, url, side)
        for count in (0, 1000, 10_000):
            pan(browser, url, count)
        browser.close()


if __name__ == "__main__":
    main()
