"""A running server with a small model, and headless Chromium in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.app_page import AppPage
from tests.pages.small_model import save_small_model

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]
START_S = 60
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def chromium() -> str:
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@contextmanager
def serve(script: Path, folder: Path, **environment: str) -> Iterator[str]:
    """Run a script of Streamlit's in a process of its own; its address."""
    port, log = _free_port(), folder / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.headless", "true", "--server.address", "localhost"]
    command += ["--server.port", str(port), "--server.fileWatcherType", "none"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(f"http://localhost:{port}/_stcore/health", process, log)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address."""
    folder = tmp_path_factory.mktemp("models")
    save_small_model(folder)
    with serve(ROOT / "Home.py", folder, MICROGRAPHIA_MODELS=str(folder)) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: str) -> "Iterator[Browser]":
    """One browser for the tests of a module: each takes a page of its own, which shares nothing.

    Not for all modules: Playwright's loop would run beside what later tests await.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: "Browser", server: str) -> Iterator[AppPage]:
    """A fresh browser tab on the start page."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    tab = AppPage(page, server)
    tab.open()
    yield tab
    page.close()


@pytest.fixture(scope="session")
def real_micrograph(shared_data: Path) -> Path:
    return min((shared_data / "em-morph5-full").glob("*/spheroids/*.png"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")
