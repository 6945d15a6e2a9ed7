"""How long a person waits, and how much memory the app takes.

Run as `python -m tests.benchmarks.bench_app`. It starts the server with the shipped model, drives
it in headless Chromium with simulated samples, and prints a table. The peer of the start is a
Streamlit app of one button. Linux only: resident memory is read from /proc.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from tests.browser.app_page import AppPage
from tests.browser.conftest import CHROMIUM_ARGS, _free_port, _wait

ROOT = Path(__file__).resolve().parents[2]
TASKS = ("Classify", "Explain", "Filters", "Cluster", "Segment", "Batch_Report")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
WARM_UP_S = 25
STARTS = 3  # of each, one after the other
BUTTON = "Simulated dendrites"
PEER = f'import streamlit as st\n\nst.title("Hello")\nst.button("{BUTTON}")\n'
KINDS = ("alloys", "dendrites", "polyhedra", "rods & fibres", "spheroids")


@contextmanager
def running_server(warm_up: bool, folder: Path = ROOT) -> Iterator[tuple[str, int, float]]:
    """Yield address, process id and the time at which the start of `folder`'s app was asked for."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "Home.py", "--server.headless", "true"]
    command += ["--server.address", "localhost", "--server.port", str(port)]
    log = Path(os.environ.get("TMPDIR", "/tmp")) / f"bench_app_{port}.log"
    asked = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "MICROGRAPHIA_WARM_UP": str(int(warm_up))},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(f"http://localhost:{port}/_stcore/health", process, log)
            yield f"http://localhost:{port}", process.pid, asked
        finally:
            process.terminate()
            process.wait(20)
            log.unlink()


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def add_sample(tab: AppPage, kind: str, number: int) -> None:
    """Load one more sample; done when the gallery counts it."""
    button = tab.page.get_by_role("button", name=f"Simulated {kind}", exact=True)
    if number > 1 and not button.is_visible():  # once something is loaded they stand folded
        tab.page.get_by_text("Simulated samples", exact=True).click()
    button.click()
    tab.page.get_by_role("heading", name=f"Loaded ({number})").wait_for()
    tab.settle()


def timed(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def go(tab: AppPage, name: str) -> None:
    """Follow a link; done when the page's own heading stands and no script runs."""
    tab.page.locator(f'[data-testid="stSidebarNavLink"][href$="/{name}"]').click()
    tab.page.wait_for_url(re.compile(rf"/{name}(\?|$)"))
    heading = f'h1:has-text("{name.split("_", maxsplit=1)[0]}")'
    tab.page.locator(f"{IDLE} {heading}").wait_for()


def classify(tab: AppPage) -> tuple[float, float]:
    """Return the seconds until the answer can be read and until chart and all checks stand."""
    began = time.monotonic()
    tab.page.locator('[data-testid="stSidebarNavLink"][href$="/Classify"]').click()
    tab.page.get_by_text("Most probable class").wait_for()
    answered = time.monotonic() - began
    tab.page.locator('[data-testid="stPlotlyChart"] .main-svg').first.wait_for()
    tab.page.locator(f'{IDLE} h1:has-text("Classify")').wait_for()
    return answered, time.monotonic() - began


def waits(seconds: tuple[float, float]) -> str:
    return " / ".join(f"{value:.2f} s" for value in seconds)


def open_tab(browser: Browser, url: str) -> AppPage:
    return AppPage(browser.new_page(viewport={"width": 1440, "height": 900}), url)


def start(browser: Browser, folder: Path) -> float:
    """Return the seconds from asking for a server to its first page with a button."""
    with running_server(warm_up=False, folder=folder) as (url, _, asked):
        tab = open_tab(browser, url)
        tab.page.goto(url)
        tab.page.get_by_role("button", name=BUTTON, exact=True).wait_for()
        took = time.monotonic() - asked
        tab.page.close()
    return took


def measure_starts(browser: Browser) -> Iterator[tuple[str, str]]:
    """Yield the wait for the first page beside that of a Streamlit app of one button."""
    with tempfile.TemporaryDirectory() as name:
        (peer := Path(name)).joinpath("Home.py").write_text(PEER, encoding="utf-8")
        pairs = [(start(browser, ROOT), start(browser, peer)) for _ in range(STARTS)]
    ours, bare = (median(times) for times in zip(*pairs, strict=True))
    yield f"server start to first page (median of {STARTS})", f"{ours:.2f} s"
    yield "… a Streamlit app of one button", f"{bare:.2f} s"


def measure_cold(browser: Browser) -> Iterator[tuple[str, str]]:
    """Yield what a person waits for who is quicker than the warm-up."""
    with running_server(warm_up=False) as (url, _, _):
        tab = open_tab(browser, url)
        tab.open()
        add_sample(tab, "dendrites", 1)
        yield "first classification, cold: answer / all checks", waits(classify(tab))


def measure_warm(browser: Browser) -> Iterator[tuple[str, str]]:
    """Yield waits and memory of a session that visits every page with eight micrographs."""
    with running_server(warm_up=True) as (url, pid, _):
        tab = open_tab(browser, url)
        tab.open()
        yield "resident memory, Home just opened", f"{resident_mb(pid):.0f} MB"
        time.sleep(WARM_UP_S)
        yield "… network loaded in the background", f"{resident_mb(pid):.0f} MB"
        add_sample(tab, "dendrites", 1)
        yield "first classification, after the warm-up: answer / all checks", waits(classify(tab))
        go_home(tab)
        for number, kind in enumerate((*KINDS, *KINDS[:2]), start=2):
            add_sample(tab, kind, number)
        yield "next classification (another micrograph): answer / all checks", waits(classify(tab))
        for name in TASKS:
            tab.go_to(name)
            yield f"… after {name.replace('_', ' ')}", f"{resident_mb(pid):.0f} MB"
        switches = [timed(lambda name=name: go(tab, name)) for _ in range(3) for name in TASKS]
        yield "page switch, warm (median of 15)", f"{median(switches):.2f} s"
        yield "… slowest of them", f"{max(switches):.2f} s"
        yield "resident memory, 8 micrographs loaded", f"{resident_mb(pid):.0f} MB"


def go_home(tab: AppPage) -> None:
    tab.page.locator('[data-testid="stSidebarNavLink"]').first.click()
    tab.page.get_by_role("heading", name="Loaded").wait_for()
    tab.settle()


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
        )
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        for measure in (measure_starts, measure_cold, measure_warm):
            for name, value in measure(browser):
                print(f"| {name} | {value} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
