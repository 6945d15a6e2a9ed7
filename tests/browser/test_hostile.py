"""Names in a stranger's model, file and recipe are words: the browser asks nobody for anything."""

import http.server
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.browser.app_page import AppPage

pytestmark = pytest.mark.browser
PAGES = ("Classify", "Explain", "Filters", "Cluster", "Segment", "Batch_Report", "Train", "Compare")


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """The address of a server of somebody else, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def picture(address: str, name: str) -> str:
    return f"![{name}]({address}/{name}.png)"


def hostile_model(folder: Path, address: str) -> Path:
    """A ZIP of a model folder whose every word is a picture on the stranger's server."""
    from core.learning.models import CARD, ModelCard
    from tests.pages.small_model import save_small_model

    save_small_model(folder)
    model = folder / "em-morph5-2"
    card = ModelCard.from_json((model / CARD).read_text(encoding="utf-8"))
    card = replace(
        card,
        name=picture(address, "name")[:60],
        display_names={name: picture(address, name) for name in card.classes},
        limits=(picture(address, "limit"),),
        metrics={"protocol": picture(address, "protocol")},
        data=({"source": picture(address, "source"), "licence": "CC0", "pictures": 1},),
        training={"inferred": [picture(address, "note")]},
    )
    (model / CARD).write_text(card.to_json(), encoding="utf-8")
    packed = folder / "model.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in model.iterdir():
            archive.write(path, f"model/{path.name}")
    return packed


def test_a_hostile_model_makes_the_browser_ask_nobody(
    tab: AppPage, tmp_path: Path, real_micrograph: Path, listener: tuple[str, list[str]]
) -> None:
    address, asked = listener
    micrograph = tmp_path / "![f](x.png) <img src=x.png>.png"
    shutil.copyfile(real_micrograph, micrograph)
    tab.upload(micrograph)
    tab.go_to("Classify")
    tab.unfold("Model: ")
    tab.page.get_by_role("button", name="Add a model").click()
    field = tab.page.get_by_role("dialog").locator('input[type="file"]')
    field.set_input_files(str(hostile_model(tmp_path / "made", address)))
    tab.settle()
    tab.page.get_by_role("dialog").get_by_role("button", name="Use this model").click()
    tab.settle()
    for name in PAGES:
        tab.go_to(name)
    assert_words_only(tab, address)
    tab.go_to("Batch_Report")
    tab.page.get_by_role("button", name="Run", exact=False).first.click()
    tab.page.get_by_text("Results: 1 done").wait_for()
    tab.settle()
    assert_words_only(tab, address)
    report = tmp_path / "report.html"
    tab.download("Report (HTML)").save_as(report)
    tab.page.goto(report.as_uri())
    assert_words_only(tab, address)
    assert asked == []


def assert_words_only(tab: AppPage, address: str) -> None:
    for tag, attribute in (("img", "src"), ("a", "href"), ("iframe", "src")):
        found = tab.page.locator(f'{tag}[{attribute}^="{address}"]')
        assert [each.evaluate("e => e.parentElement.outerHTML") for each in found.all()] == []
