"""Where things are on the app's pages: every test id of Streamlit's that the tests rely on."""

import re
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Download, Locator, Page, Request, expect

TIMEOUT_MS = 60_000
expect.set_options(timeout=30_000)  # a busy machine draws late; what never comes still fails
_LOCAL = re.compile(r"^(https?|wss?)://(localhost|127\.0\.0\.1)(:\d+)?(/|$)")
_PROBE = re.compile(r"/\w+/_stcore/(health|host-config)$")
_IN_MEMORY = ("blob:", "data:")
# Streamlit takes a picture back as soon as a newer run shows another, while the browser may still
# be asking for it. `assert_calm` checks instead that every picture on the page has loaded.
_REPLACED = re.compile(r"/media/[0-9a-f]+\.\w+$")
_BROKEN_PICTURES = "() => [...document.images].filter(i => i.complete && !i.naturalWidth).length"


class AppPage:
    """One browser tab on the app, which remembers everything that went wrong in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.troubles: list[str] = []
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failure)

    def open(self, name: str = "") -> None:
        """Type an address: this starts a new session."""
        self.page.goto(f"{self.url}/{name}")
        self.settle()

    def go_to(self, name: str) -> None:
        """Follow a link of the sidebar: what is loaded stays."""
        self.page.locator(f'[data-testid="stSidebarNavLink"][href$="/{name}"]').click()
        self.page.wait_for_url(re.compile(rf"/{name}(\?|$)"))
        self.settle()

    def settle(self) -> None:
        """Wait until no script runs, nothing is stale and no spinner turns."""
        app = self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
        for _ in range(2):  # a rerun asked for by the script itself starts after a moment
            app.wait_for()
            self.page.wait_for_timeout(250)
        expect(self.page.locator('[data-testid="stSpinner"]')).to_have_count(0)

    def upload(self, *files: Path) -> None:
        field = self.page.locator('[data-testid="stFileUploaderDropzoneInput"]').first
        field.set_input_files([str(file) for file in files])
        self.page.get_by_role("heading", name=f"Loaded ({len(files)})").wait_for()
        self.settle()

    def download(self, label: str) -> Download:
        with self.page.expect_download() as waiting:
            self.page.locator('[data-testid="stDownloadButton"]').get_by_text(label).click()
        return waiting.value

    def unfold(self, title: str) -> None:
        """Open what is folded under a title that begins like this."""
        self.page.locator("summary").filter(has_text=re.compile(f"{re.escape(title)}")).click()
        self.settle()

    def save_menu(self) -> None:
        """Open the menu of what can be saved on Explain."""
        self.page.get_by_role("button", name="Save …").click()
        menu = self.page.get_by_test_id("stPopoverBody")
        menu.get_by_role("button", name="Figure for a paper").wait_for()

    def divide(self) -> Locator:
        """The handle of the comparison slider."""
        return self.page.get_by_role("slider", name=re.compile("^Compare "))

    def pictures(self) -> Locator:
        return self.page.locator(".compare .picture")

    def assert_calm(self) -> None:
        """Nothing may have gone wrong: no box, no console error, no request to elsewhere."""
        for test_id in ("stException", "stAlertContentError"):
            boxes = self.page.get_by_test_id(test_id)
            assert boxes.count() == 0, boxes.all_inner_texts()
        assert self.page.evaluate(_BROKEN_PICTURES) == 0
        assert not self.troubles, self.troubles

    def _on_console(self, message: ConsoleMessage) -> None:
        # On a deep link Streamlit tries where its own root is; one try of two finds nothing.
        source = str(message.location.get("url", ""))
        known = _PROBE.search(source) or any(map(_REPLACED.search, (source, message.text)))
        if message.type == "error" and not known:
            self.troubles.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(_IN_MEMORY) and not _LOCAL.match(request.url):
            self.troubles.append(f"request to elsewhere: {request.url}")

    def _on_failure(self, request: Request) -> None:
        failure = request.failure or ""
        if "ERR_ABORTED" not in failure:  # a page that is left aborts what it was still loading
            self.troubles.append(f"request failed: {request.url} {failure}")
